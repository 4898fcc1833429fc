"""Writing model folders, for each kind of model: complete, checked, data alone, or nothing at all."""

import json
import re
import shutil

import numpy as np
import onnx
import pytest
import torch
from command_lines import call
from conftest import ROOT, TINY_COARSE_TO_FINE, TINY_RECIPE, run_python
from mmpose.apis import init_model

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.geometry import mean_layout_mm
from cephalometric.landmarks import landmark_table, load_landmark_set
from cephalometric.prediction.model_folder import read_description
from cephalometric.prediction.predict_onnx import Model as StandAlone
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.training.model_writing import _clear_leftovers, largest_distance_px, weights_id, write_model
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model

RTMPOSE = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'
NEVER = re.compile('|'.join([re.escape(str(ROOT)), r'(^|")/\w+/', r'/tmp/', r'/home/', r'/root/']))


@pytest.fixture(scope='module')
def labelled(data_root):
    return load_coco(data_root / 'test.json')


@pytest.fixture(scope='module')
def xrays(labelled):
    return [read_image(labelled, image) for image in labelled.images]


def at_random(config, labelled=None, seed=0):
    """A checkpoint of weights at random; with a true mean layout patches lie where those of a trained model lie."""
    torch.manual_seed(seed)
    model = build_model(config)
    if labelled is not None:
        points_px = np.stack([image.points_px for image in labelled.images])
        model.set_mean_layout(mean_layout_mm(points_px, np.array([image.spacing_mm for image in labelled.images])))
    return {'state_dict': model.state_dict()}


@pytest.fixture(scope='module')
def coarse_to_fine(labelled, xrays, tmp_path_factory):
    config = load_config(TINY_COARSE_TO_FINE)
    folder = tmp_path_factory.mktemp('written') / 'coarse_to_fine'
    write_model(config, at_random(config, labelled), folder, check_on=xrays)
    return folder


def test_a_coarse_to_fine_model_has_a_graph_for_each_look_and_is_the_same_by_both(coarse_to_fine, xrays):
    description = read_description(coarse_to_fine)
    assert description.networks == ('search.onnx', 'refine_1.onnx', 'refine_2.onnx')
    assert {path.name for path in coarse_to_fine.iterdir()} == {
        *description.networks, 'model.json', 'config.json', 'weights.pth', 'predict_onnx.py'
    }  # fmt: skip
    assert largest_distance_px(coarse_to_fine, xrays) < 0.1
    assert description.provenance['onnx_against_pytorch']['xrays'] == len(xrays)


def test_a_simcc_model_is_the_same_by_both(xrays, tmp_path):
    options = {'codec.input_size': (64, 64), 'model.backbone.deepen_factor': 0.17, 'model.backbone.widen_factor': 0.25}
    config = load_config(RTMPOSE, options=options | {'model.head.in_channels': 256})
    description = write_model(config, at_random(config), tmp_path / 'm', check_on=xrays[:1])
    assert description.networks == ('search.onnx',) and description.coarse.decoding['split_ratio'] == 2
    assert largest_distance_px(tmp_path / 'm', xrays) < 0.1


def test_the_lines_of_the_folder_itself_predict_the_same(coarse_to_fine, model_folder, xrays):
    found = 0
    for folder in (coarse_to_fine, model_folder):
        if not read_description(folder).networks:
            continue
        model, alone = TrainedModel([folder], backend='onnxruntime', calibration=False), StandAlone(folder)
        for image in (*xrays, np.repeat(xrays[0][..., None], 3, axis=2)):
            points = model.predictor.predict(image).points_px
            distances = np.linalg.norm(np.array(list(alone.predict(image).values())) - points, axis=1)
            # Weights at random have no clear maxima: a grey level that is rounded otherwise moves some of them.
            assert np.median(distances) < 0.001 and distances.max() < 1
            found += 1
    assert found >= 4


def test_nothing_of_the_machine_is_in_it(coarse_to_fine, model_folder):
    for folder in (coarse_to_fine, model_folder):
        for name in ('model.json', 'config.json'):
            text = (folder / name).read_text()
            assert not NEVER.search(text), NEVER.search(text)
        assert not {'work_dir', 'launcher', 'model_wrapper_cfg'} & set(json.loads((folder / 'config.json').read_text()))


@pytest.mark.parametrize('recipe', sorted((ROOT / 'cldetection_configs').glob('cpu_*.py')), ids=lambda path: path.stem)
def test_mmpose_opens_the_folder(recipe, tmp_path):
    config = load_config(recipe, landmark_set='isbi2015')
    checkpoint = at_random(config)
    write_model(config, checkpoint, tmp_path / 'm', check_on=None)
    model = init_model(str(tmp_path / 'm/config.json'), str(tmp_path / 'm/weights.pth'), device='cpu')
    assert weights_id(model.state_dict()) == weights_id(checkpoint['state_dict'])
    assert weights_id(model.state_dict()) == read_description(tmp_path / 'm').weights_id
    names = model.dataset_meta['keypoint_id2name']
    assert [names[index] for index in sorted(names)] == list(load_landmark_set('isbi2015').abbreviations)


def test_weights_that_are_not_finite_are_refused(trained, tmp_path):
    checkpoint = torch.load(trained / 'best_model_weight.pth', weights_only=True)
    next(iter(checkpoint['state_dict'].values()))[0] = float('nan')
    with pytest.raises(InputError, match='not finite: the training diverged'):
        write_model(load_config(TINY_RECIPE), checkpoint, tmp_path / 'm')
    assert not list(tmp_path.iterdir())


def test_graphs_that_differ_are_left_out_and_the_folder_says_so(trained, xrays, tmp_path, monkeypatch):
    """A graph in which the last layer has other weights, as a faulty exporter would write it."""
    import cephalometric.training.torch_networks as graphs

    genuine = graphs._write

    def faulty(network, example, path, input_name, outputs):
        genuine(network, example, path, input_name, outputs)
        model = onnx.load(path)
        last = [value for value in model.graph.initializer if len(value.dims) == 4][-1]
        mixed = np.random.default_rng(0).permuted(onnx.numpy_helper.to_array(last), axis=0)
        last.CopyFrom(onnx.numpy_helper.from_array(mixed, last.name))
        onnx.save(model, path)

    monkeypatch.setattr(graphs, '_write', faulty)
    checkpoint = torch.load(trained / 'best_model_weight.pth', weights_only=True)
    description = write_model(load_config(TINY_RECIPE), checkpoint, tmp_path / 'm', check_on=xrays)
    assert not description.networks and 'pixels from where PyTorch finds it' in description.why_no_networks
    assert not list((tmp_path / 'm').glob('*.onnx'))


def test_a_landmark_set_of_the_users_own_goes_along(trained, tmp_path):
    own = tmp_path / 'own.json'
    own.write_text(json.dumps(landmark_table(load_landmark_set('cldetection2023'))))
    checkpoint = torch.load(trained / 'best_model_weight.pth', weights_only=True)
    write_model(load_config(TINY_RECIPE, landmark_set=str(own)), checkpoint, tmp_path / 'm', check_on=None)
    own.unlink()
    assert len(TrainedModel([tmp_path / 'm']).landmarks) == len(load_landmark_set('cldetection2023'))
    assert len(load_landmark_set(load_config(tmp_path / 'm/config.json').landmark_set)) == 38


def test_an_earlier_model_is_replaced_and_other_folders_are_not(trained, tmp_path):
    config, checkpoint = load_config(TINY_RECIPE), torch.load(trained / 'best_model_weight.pth', weights_only=True)
    folder = tmp_path / 'm'
    write_model(config, checkpoint, folder, check_on=None)
    (folder / 'calibration.json').write_text('{}')
    write_model(config, checkpoint, folder, check_on=None)
    assert not (folder / 'calibration.json').exists()
    mine = tmp_path / 'mine'
    mine.mkdir()
    (mine / 'notes.txt').write_text('keep me')
    with pytest.raises(InputError, match='is no model folder'):
        write_model(config, checkpoint, mine, check_on=None)
    assert (mine / 'notes.txt').read_text() == 'keep me'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['m', 'mine']


def test_a_transform_that_prediction_does_not_know_is_named(trained, tmp_path):
    config = load_config(TINY_RECIPE)
    config.test_pipeline.insert(1, {'type': 'RandomFlip', 'prob': 0.5})
    checkpoint = torch.load(trained / 'best_model_weight.pth', weights_only=True)
    with pytest.raises(InputError, match='does not know RandomFlip'):
        write_model(config, checkpoint, tmp_path / 'm', check_on=None)


def test_the_command_makes_a_folder_of_an_earlier_checkpoint(trained, labelled, tmp_path):
    film = labelled.image_path(labelled.images[0])
    # A process of its own: ONNX Runtime and the exporter write to stderr past Python.
    done = run_python(
        '-m', 'cephalometric', 'export', trained / 'epoch_2.pth', '--out', tmp_path / 'm', '--check', film
    )
    assert f'Model: {tmp_path / "m"}' in done.stdout and done.stderr == ''
    assert read_description(tmp_path / 'm').provenance['recipe'] == TINY_RECIPE.stem


def test_mistakes_of_the_command_end_with_status_2_and_no_folder(trained, tmp_path):
    weights, out = trained / 'best_model_weight.pth', tmp_path / 'out'
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'mine.txt').write_text('mine')
    lonely = shutil.copy(weights, tmp_path / 'lonely.pth')
    for arguments, words in (
        (('missing.pth', '--out', out), 'no such checkpoint'),
        ((lonely, '--out', out), 'name the config'),
        ((weights, '--config', RTMPOSE, '--out', out), 'does not fit'),
        ((weights, '--landmarks', 'isbi2015', '--out', out), 'does not fit'),
        ((weights, '--out', tmp_path / 'full'), 'not empty'),
        ((weights, '--out', out, '--check', 'no.png'), 'no.png'),
    ):
        status, _, stderr = call('export', *arguments)
        assert status == 2 and words in stderr, stderr
        assert stderr.count('\n') == 1
        assert not out.exists()


def test_what_killed_runs_left_goes_and_a_model_in_their_hands_comes_back(trained, tmp_path):
    config, folder = load_config(TINY_RECIPE), tmp_path / 'm'
    checkpoint = torch.load(trained / 'best_model_weight.pth', weights_only=True)
    write_model(config, checkpoint, folder, check_on=None)
    (tmp_path / '.m.abcd1234.model-partial').mkdir()
    (tmp_path / '.m.abcd5678.model-partial').mkdir()
    folder.replace(tmp_path / '.m.abcd5678.model-partial' / 'm')  # Killed while it made way for a new one.
    (tmp_path / '.m.mine').mkdir()
    before = sorted(tmp_path.iterdir())
    _clear_leftovers(folder)
    assert len(before) == 3 and sorted(path.name for path in tmp_path.iterdir()) == ['.m.mine', 'm']
    assert read_description(folder).weights_id == weights_id(checkpoint['state_dict'])
    write_model(config, checkpoint, folder, check_on=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.m.mine', 'm']
