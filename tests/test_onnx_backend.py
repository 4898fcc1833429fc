"""ONNX Runtime in the place of PyTorch: the same landmarks, and clear words where an export cannot be used."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from conftest import TINY_RECIPE

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.prediction.export import export_predictor
from cephalometric.prediction.onnx_backend import OnnxNetwork
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.config import load_config


@pytest.fixture(scope='module')
def xrays(data_root):
    labelled = load_coco(data_root / 'test.json')
    return [read_image(labelled, image) for image in labelled.images]


@pytest.fixture(scope='module')
def exported(trained, xrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exported') / 'plain'
    export_predictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth', folder, xrays)
    return folder


@pytest.fixture
def copy(exported, tmp_path):
    """An export that may be damaged."""
    return shutil.copytree(exported, tmp_path / 'copy')


def load(folder, config=None):
    config = load_config(folder / 'config.py') if config is None else config
    return CephalometricPredictor(config, folder / 'export.json', backend='onnxruntime')


def test_a_batch_gives_what_pytorch_gives(exported, trained, xrays):
    batch = [*xrays, np.zeros_like(xrays[0]), np.repeat(xrays[0][..., None], 3, axis=2)]
    expected = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth').predict_batch(batch)
    found = load(exported).predict_batch(batch)
    assert [prediction.blank for prediction in found] == [prediction.blank for prediction in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.points_px, other.points_px, atol=0.1)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def test_the_graph_normalises_each_channel_as_the_model_does(exported, trained):
    model = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth').models[0]
    torch.manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 64, 64)) // torch.tensor([1, 3, 9]).view(3, 1, 1)
    images = images.to(torch.uint8)
    graph = OnnxNetwork(exported / 'search.onnx')
    with torch.inference_mode():
        inputs = model.data_preprocessor({'inputs': list(images), 'data_samples': None})['inputs']
        expected = model.head(model.extract_feat(inputs))
    swapped = (graph(images.flip(1)) - expected).abs().max()
    assert (graph(images) - expected).abs().max() < swapped / 100


def test_the_recipe_serves_as_well_as_the_exported_config(exported, xrays):
    by_recipe = load(exported, load_config(TINY_RECIPE)).predict(xrays[0])
    np.testing.assert_array_equal(by_recipe.points_px, load(exported).predict(xrays[0]).points_px)


def test_several_exports_are_an_ensemble(exported, xrays):
    files = [exported / 'export.json'] * 2
    prediction = CephalometricPredictor(load_config(TINY_RECIPE), files, backend='onnxruntime').predict(xrays[0])
    assert (prediction.spread_px == 0).all()


def test_another_config_or_landmark_set_is_refused(exported):
    for config in (
        load_config(TINY_RECIPE, options={'codec.sigma': 3}),
        load_config(TINY_RECIPE, landmark_set='isbi2015'),
    ):
        with pytest.raises(InputError, match=r'another config or landmark set .*config\.py'):
            load(exported, config)


def test_a_missing_file_is_named(copy):
    (copy / 'search.onnx').unlink()
    with pytest.raises(InputError, match=r'search\.onnx cannot be read'):
        load(copy)


def test_a_damaged_file_is_named_with_the_remedy(copy):
    content = bytearray((copy / 'search.onnx').read_bytes())
    content[len(content) // 2] ^= 1
    (copy / 'search.onnx').write_bytes(content)
    with pytest.raises(InputError, match=r'search\.onnx is damaged .*cephalometric export'):
        load(copy)


def test_a_graph_that_onnx_runtime_cannot_read_is_refused(copy):
    (copy / 'search.onnx').write_bytes(b'no graph')
    description = json.loads((copy / 'export.json').read_text())
    description['files']['search.onnx'] = sha256(copy / 'search.onnx')
    (copy / 'export.json').write_text(json.dumps(description))
    with pytest.raises(InputError, match=r'search\.onnx: ONNX Runtime .* cannot run it') as error:
        load(copy)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('content', ['{', '[]', '{"format": "another"}', '{"format": "cephalometric export 1"}'])
def test_another_json_file_is_refused(copy, content):
    (copy / 'export.json').write_text(content)
    with pytest.raises(InputError, match=r'export\.json: '):
        load(copy)


def test_weights_are_no_export(trained):
    weights = trained / 'best_model_weight.pth'
    with pytest.raises(InputError, match=r'best_model_weight\.pth is no export: .* export\.json'):
        CephalometricPredictor(load_config(TINY_RECIPE), weights, backend='onnxruntime')


def test_without_onnx_runtime_the_remedy_is_said(exported, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)  # What an import sees where the package is not installed.
    with pytest.raises(InputError, match=r'not installed: .*pip install -r requirements\.txt'):
        load(exported)
