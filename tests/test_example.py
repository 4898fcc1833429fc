"""Modules of one's own: projects/example goes the whole way, and so does a network that has no ONNX graph."""

import json
import sys

import numpy as np
import pytest
import torch
from command_lines import call
from conftest import ROOT, run_python
from test_documentation import start
from test_process import process, run

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.api import load_model
from cephalometric.prediction.model_folder import read_description
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model
from cephalometric.xrays.mha import open_stack, write_stack

RECIPE = ROOT / 'projects' / 'example' / 'configs' / 'example.py'
SMALL = {'codec.input_size': '(64,64)', 'codec.heatmap_size': '(16,16)', 'train_cfg.max_epochs': '2'}
SMALL |= {'train_cfg.val_interval': '1', 'model.backbone.channels': '16'}
SMALL |= {f'{part}_dataloader.num_workers': '0' for part in ('train', 'val')}
PACKAGES = ['cephalometric.training', 'cephalometric.models', 'projects.example']
STEP_4, STEP_5 = 'step4_test_and_visualize.py', 'step5_predict_expected_output.py'


def run_step(*words):
    """Run a step in this process and in the current folder, and insist that it ends well."""
    try:
        start([str(word) for word in words])
    except SystemExit as ended:
        assert not ended.code, words


@pytest.fixture(autouse=True)
def paths_of_python():
    """What a program adds to Python's path goes with the test."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture(scope='module')
def work_dir(data_root, tmp_path_factory):
    """The example, trained by step 3."""
    folder = tmp_path_factory.mktemp('run') / 'example'
    options = [f'{name}={value}' for name, value in SMALL.items()]
    words = (RECIPE, '--data-root', data_root, '--work-dir', folder, '--seed', '1', '--cfg-options', *options)
    run_python('step3_train_and_evaluation.py', *words)
    return folder


@pytest.fixture
def stack(phantom_stack, tmp_path):
    """The path of a stack of two X-rays, in a folder of its own as the container has it."""
    folder = tmp_path / 'input'
    folder.mkdir()
    write_stack(folder / 'stack.mha', list(open_stack(phantom_stack / 'train_stack.mha'))[:2], 2)
    return folder / 'stack.mha'


def go_on_with(model, how, stack, data_root, folder):
    """Steps 4 and 5 and the container's program on a model; returns the points that step 5 has found."""
    run_step(STEP_4, *how, '--data-root', data_root, '--report', folder / 'report')
    results = json.loads((folder / 'report' / 'results.json').read_text())
    assert len(results['images']) == 3 and (folder / 'report' / 'report.html').is_file()
    run_step(STEP_5, '--model', model, '--load_mha_path', stack, '--save_json_path', folder / 'expected.json')
    with pytest.MonkeyPatch.context() as monkeypatch:
        run(monkeypatch, process, '--model', model, '--input', stack.parent, '--output', folder / 'result.json')
    found = [json.loads((folder / name).read_text())['points'] for name in ('expected.json', 'result.json')]
    assert [each['point'] for each in found[0]] == [each['point'] for each in found[1]] and len(found[0]) == 2 * 38
    return np.array([each['point'][:2] for each in found[0]])


def test_the_example_is_trained_tested_predicted_and_exported(work_dir, data_root, stack, tmp_path):
    assert len(RECIPE.read_text().splitlines()) <= 20
    model = work_dir / 'model'
    description = read_description(model)
    assert description.networks == ('search.onnx',), description.why_no_networks
    assert description.coarse.decoding['kind'] == 'heatmaps'
    found = go_on_with(model, ['--model', work_dir], stack, data_root, tmp_path)
    assert found.std(axis=0).min() > 1, 'all landmarks in one place'
    status, out, err = call('export', work_dir / 'best_model_weight.pth', '--out', tmp_path / 'again')
    assert status == 0 and 'ONNX Runtime and PyTorch find the landmarks within' in out, err
    (xray, *_) = open_stack(stack)
    by_torch = load_model(tmp_path / 'again', backend='torch').answers(
        [xray[..., 0] if xray.ndim > 2 else xray], [None]
    )
    np.testing.assert_allclose(by_torch[0].points_px, found[:38], atol=0.1)


OWN_MODULE = '''"""A backbone that no exporter knows."""
import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS


@MODELS.register_module(force=True)
class Waves(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = torch.nn.Conv2d(3, 8, 4, stride=4)

    def forward(self, images):
        features = self.layer(images)
        return (torch.fft.irfft2(torch.fft.rfft2(features), s=features.shape[-2:]),)
'''


def test_a_network_without_a_graph_in_the_current_folder_stays_with_pytorch(data_root, stack, tmp_path, monkeypatch):
    """It needs no PYTHONPATH: neither the command nor the steps are started from the toolkit's folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'my_waves.py').write_text(OWN_MODULE)
    (tmp_path / 'recipe.py').write_text(
        f'_base_ = {str(RECIPE)!r}\n'
        f'custom_imports = dict(imports={[*PACKAGES, "my_waves"]})\n'
        'codec = dict(input_size=(64, 64), heatmap_size=(16, 16))\n'
        "model = dict(backbone=dict(_delete_=True, type='Waves'))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(ROOT))
    torch.manual_seed(0)
    torch.save({'state_dict': build_model(load_config('recipe.py')).state_dict()}, 'weights.pth')
    sys.path[:] = [place for place in sys.path if place not in ('', str(tmp_path))]
    del sys.modules['my_waves']
    status, out, err = call('export', 'weights.pth', '--config', 'recipe.py', '--out', 'model')
    assert status == 0 and 'run by PyTorch alone: they cannot be exported' in out, err
    assert str(tmp_path) in sys.path
    description = read_description(tmp_path / 'model')
    assert not description.networks and description.coarse.decoding['kind'] == 'heatmaps'
    found = go_on_with('model', ['recipe.py', 'weights.pth'], stack, data_root, tmp_path)
    assert found.std(axis=0).min() > 1
    del sys.modules['my_waves']
    (tmp_path / 'my_waves.py').unlink()
    status, _, err = call('predict', 'input', '--model', 'model')
    assert status == 2 and err.count('\n') == 1
    assert 'custom_imports: my_waves: ModuleNotFoundError' in err and 'PYTHONPATH' in err


def test_the_regression_of_an_mmpose_recipe_is_tested_by_a_checkpoint(tmp_path, data_root, monkeypatch):
    """MMPose's own head in the example's recipe: its scores are all alike, and calibration and report take them."""
    monkeypatch.syspath_prepend(str(ROOT))
    recipe = tmp_path / 'recipe.py'
    recipe.write_text(
        f'_base_ = {str(RECIPE)!r}\n'
        "codec = dict(_delete_=True, type='RegressionLabel', input_size=(64, 64))\n"
        "model = dict(neck=dict(type='GlobalAveragePooling'), head=dict(_delete_=True, type='RegressionHead'))\n"
    )
    config = load_config(recipe, str(data_root))
    torch.save({'state_dict': build_model(config).state_dict()}, tmp_path / 'weights.pth')
    run_step(STEP_4, recipe, tmp_path / 'weights.pth', '--data-root', data_root, '--report', tmp_path / 'report')
    results = tmp_path / 'report' / 'results.json'
    assert len(json.loads(results.read_text())['images']) == 3
    status, _, err = call('export', tmp_path / 'weights.pth', '--config', recipe, '--out', tmp_path / 'model')
    assert status == 0, err
    status, _, err = call('calibrate', '--results', results, '--model', tmp_path / 'model')
    assert status == 0, err
    labelled = load_coco(data_root / 'test.json')
    image = read_image(labelled, labelled.images[0])
    (answer,) = load_model(tmp_path / 'model').answers([image], [None])
    assert np.isfinite(answer.expected_error_mm).all() and (answer.scores == 1).all()
