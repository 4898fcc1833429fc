"""A model folder opened: what the Runner scores, by PyTorch or ONNX Runtime, alone or as an ensemble."""

import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from conftest import TINY_RECIPE
from mmengine.runner import Runner

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.prediction.data_sets import evaluate
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.training.recipe import load_config


@pytest.fixture(scope='module')
def xray(data_root):
    labelled = load_coco(data_root / 'test.json')
    return read_image(labelled, labelled.images[0])


def points(folders, xray, **settings):
    (answer,) = TrainedModel(folders, **settings).answers([xray], [0.5], upright=True)
    return answer.points_px


def test_every_landmark_gets_a_point_a_score_and_an_expected_error(model_folder, xray):
    model = TrainedModel([model_folder])
    (answer,) = model.answers([xray], [0.5])
    assert answer.points_px.shape == (len(model.landmarks), 2) and np.isfinite(answer.points_px).all()
    assert ((answer.scores >= 0) & (answer.scores <= 1)).all()
    assert (answer.expected_error_mm > 0).all() and answer.spread_mm is None


def test_it_scores_what_the_runner_scores(trained, model_folder, data_root, tmp_path):
    config = load_config(TINY_RECIPE, data_root)
    config.work_dir, config.load_from = str(tmp_path), str(trained / 'best_model_weight.pth')
    expected = Runner.from_cfg(config).test()
    labelled = load_coco(data_root / 'test.json')
    model = TrainedModel([model_folder], backend='torch')
    model.calibration = None
    answers = [
        model.answers([read_image(labelled, image)], [image.spacing_mm], upright=True)[0] for image in labelled.images
    ]
    errors_mm = [
        np.linalg.norm(answer.points_px - image.points_px, axis=1) * image.spacing_mm
        for answer, image in zip(answers, labelled.images, strict=True)
    ]
    assert np.mean(errors_mm) == pytest.approx(expected['MRE'], rel=1e-3)


def test_an_ensemble_is_the_mean_of_its_members_and_says_how_far_they_are_apart(model_folder, other_model, xray):
    members = [points([folder], xray, backend='torch') for folder in (model_folder, other_model)]
    model = TrainedModel([model_folder, other_model], backend='torch')
    (answer,) = model.answers([xray], [0.5], upright=True)
    np.testing.assert_allclose(answer.points_px, np.mean(members, axis=0), atol=1e-3)
    np.testing.assert_allclose(answer.spread_mm, np.linalg.norm(members[0] - members[1], axis=1) / 2 * 0.5, atol=1e-3)
    assert model.calibration is None and answer.expected_error_mm is None


def test_a_calibration_of_other_models_is_refused(model_folder, other_model, tmp_path):
    shutil.copytree(other_model, tmp_path / 'other')
    shutil.copy(model_folder / 'calibration.json', tmp_path / 'other')
    with pytest.raises(InputError, match='made for other models'):
        TrainedModel([tmp_path / 'other'])
    assert TrainedModel([tmp_path / 'other'], calibration=False).calibration is None


def test_models_of_other_landmarks_are_no_ensemble(model_folder, tmp_path):
    folder = shutil.copytree(model_folder, tmp_path / 'other')
    description = (folder / 'model.json').read_text().replace('"Gn"', '"Gnathion"')
    (folder / 'model.json').write_text(description)
    with pytest.raises(InputError, match='must find the same'):
        TrainedModel([model_folder, folder])


def test_a_backend_that_cannot_is_named(other_model, model_folder):
    with pytest.raises(InputError, match='no graphs were asked for'):
        TrainedModel([other_model], backend='onnxruntime')
    with pytest.raises(InputError, match='choose one of'):
        TrainedModel([model_folder], backend='tensorflow')


def test_a_blank_xray_is_in_doubt(model_folder):
    (answer,) = TrainedModel([model_folder]).answers([np.zeros((60, 50), np.uint8)], [None])
    assert 'blank' in answer.doubts[0] and not answer.scores.any()


def test_evaluating_refuses_other_landmarks(model_folder, data_root):
    from dataclasses import replace

    labelled = load_coco(data_root / 'test.json')
    other = replace(labelled, abbreviations=labelled.abbreviations[:19], landmark_set='isbi2015')
    with pytest.raises(InputError, match='--landmarks isbi2015'):
        evaluate(TrainedModel([model_folder]), other)


def spoilt(folder, value, target):
    """A copy of a model whose weights are not finite, for PyTorch and in its graphs, and whose checksums fit."""
    shutil.copytree(folder, target)
    weights = torch.load(target / 'weights.pth', weights_only=True)
    first = next(name for name, tensor in weights['state_dict'].items() if tensor.numel() > 1)
    weights['state_dict'][first].view(-1)[0] = value
    torch.save(weights, target / 'weights.pth')
    graph = onnx.load(target / 'search.onnx')
    kept = next(tensor for tensor in graph.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT)
    numbers = onnx.numpy_helper.to_array(kept).copy()
    numbers.flat[-1] = value
    kept.CopyFrom(onnx.numpy_helper.from_array(numbers, kept.name))
    onnx.save(graph, target / 'search.onnx')
    content = json.loads((target / 'model.json').read_text())
    content['files'] |= {name: sha256(target / name) for name in ('weights.pth', 'search.onnx')}
    (target / 'model.json').write_text(json.dumps(content))
    return target


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('backend', ['torch', 'onnxruntime'])
def test_a_diverged_model_is_refused_when_it_is_opened_alone_or_as_a_member(model_folder, tmp_path, backend, value):
    bad = spoilt(model_folder, value, tmp_path / 'diverged')
    for folders in ([bad], [model_folder, bad]):
        with pytest.raises(InputError, match='not finite: the training diverged') as error:
            TrainedModel(folders, calibration=False, backend=backend)
        assert str(bad) in str(error.value)


def test_a_calibration_of_other_weights_is_refused_before_networks_are_loaded(model_folder, other_model, tmp_path):
    mixed = tmp_path / 'mixed'
    shutil.copytree(other_model, mixed)
    shutil.copy(model_folder / 'calibration.json', mixed)
    (mixed / 'weights.pth').write_bytes(b'damaged')  # It would be named if it were loaded.
    content = json.loads((mixed / 'model.json').read_text())
    content['files']['weights.pth'] = sha256(mixed / 'weights.pth')
    (mixed / 'model.json').write_text(json.dumps(content))
    for folder, calibration in ((mixed, None), (other_model, model_folder / 'calibration.json')):
        with pytest.raises(InputError, match='made for other models than this one'):
            TrainedModel([folder], calibration=calibration)
