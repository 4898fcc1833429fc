"""process.py and stage_model.py with a real, untrained model, without a container engine."""

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpose.models import build_pose_estimator

from cephalometric.errors import InputError
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.config import load_config
from cephalometric.xrays.mha import write_stack

ROOT = Path(__file__).parents[1]
STEP6 = ROOT / 'step6_docker_and_upload'
RECIPE = ROOT / 'cldetection_configs' / 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py'


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, STEP6 / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


process, stage_model = load_script('process'), load_script('stage_model')


def run(monkeypatch, script, *arguments):
    """Call a script's main function as its command line would."""
    monkeypatch.setattr(sys, 'argv', [script.__file__, *map(str, arguments)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        script.main()
    return [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """What training leaves: untrained weights for isbi2015 and the state of an optimizer."""
    path = tmp_path_factory.mktemp('run') / 'epoch_1.pth'
    torch.manual_seed(3)
    model = build_pose_estimator(load_config(RECIPE, landmark_set='isbi2015').model)
    meta = {'epoch': 1, 'dataset_meta': {'keypoint_id2name': {0: 'S'}}}
    torch.save({'state_dict': model.state_dict(), 'optimizer': {'state': torch.zeros(1000)}, 'meta': meta}, path)
    return path


@pytest.fixture(scope='module')
def model(checkpoint, tmp_path_factory):
    """The folder that the image would hold."""
    out = tmp_path_factory.mktemp('staged') / 'model'
    with pytest.MonkeyPatch.context() as monkeypatch:
        arguments = '--config', RECIPE, '--checkpoint', checkpoint, '--landmarks', 'isbi2015', '--out', out
        run(monkeypatch, stage_model, *arguments)
    return out


@pytest.fixture
def slices():
    return np.random.default_rng(5).integers(1, 256, (3, 60, 50, 3), dtype=np.uint8)


@pytest.fixture
def job(tmp_path, slices, model):
    """The arguments for a folder with a stack of three X-rays."""
    (tmp_path / 'input').mkdir()
    write_stack(tmp_path / 'input' / 'stack.mha', slices, 3)
    return '--model', model, '--input', tmp_path / 'input', '--output', tmp_path / 'result.json'


def read(path):
    return json.loads(path.read_text())['points']


def test_the_result_is_the_predictors_for_every_slice(monkeypatch, tmp_path, job, slices, model):
    run(monkeypatch, process, *job)
    predictor = CephalometricPredictor(load_config(model / 'config.py'), model / 'weights.pth')
    expected = [
        {'name': str(k), 'point': [*point, number]}
        for number, image in enumerate(slices, start=1)
        for k, point in enumerate(predictor.predict(image).points_px.tolist(), start=1)
    ]
    assert read(tmp_path / 'result.json') == expected


def test_scores_are_written_when_they_are_asked_for(monkeypatch, tmp_path, job):
    run(monkeypatch, process, *job, '--probability')
    points = read(tmp_path / 'result.json')
    assert len(points) == 3 * 19
    assert all(0 <= point['probability'] <= 1 for point in points)


def test_a_blank_slice_costs_a_warning_and_nothing_else(monkeypatch, tmp_path, job, slices):
    slices[1] = 0
    write_stack(tmp_path / 'input' / 'stack.mha', slices, 3)
    messages = run(monkeypatch, process, *job)
    assert any('slice 2 is blank' in message for message in messages)
    points = read(tmp_path / 'result.json')
    assert len(points) == 3 * 19
    assert {tuple(point['point']) for point in points[19:38]} == {(24.5, 29.5, 2)}


@pytest.mark.parametrize(('count', 'message'), [(0, r'there are 0 \(none\)'), (2, r'there are 2 \(a.mha, stack.mha\)')])
def test_none_or_two_stacks_are_refused(monkeypatch, tmp_path, job, slices, count, message):
    stack = tmp_path / 'input' / 'stack.mha'
    if count:
        write_stack(stack.with_name('a.mha'), slices, 3)
    else:
        stack.unlink()
    with pytest.raises(InputError, match=message):
        run(monkeypatch, process, *job)
    assert not (tmp_path / 'result.json').exists()


def test_an_uploaded_model_takes_the_place_of_the_one_in_the_image(monkeypatch, tmp_path, job, model, capsys):
    uploaded = tmp_path / 'uploaded'
    monkeypatch.setattr(process, 'UPLOADED_MODEL', uploaded)
    monkeypatch.setattr(process, 'BUILT_IN_MODEL', model)
    for prepare, used in (
        (lambda: None, model),
        (uploaded.mkdir, model),
        (lambda: [(uploaded / path.name).write_bytes(path.read_bytes()) for path in model.iterdir()], uploaded),
    ):
        prepare()
        run(monkeypatch, process, *job[2:])
        assert f'Model: {used}\n' in capsys.readouterr().out


def test_an_incomplete_uploaded_model_is_refused(monkeypatch, tmp_path, job, model):
    monkeypatch.setattr(process, 'UPLOADED_MODEL', tmp_path)
    with pytest.raises(InputError, match=r'config\.py: no such config'):
        run(monkeypatch, process, *job[2:])


def test_the_script_is_silent_on_stderr_and_one_line_says_what_is_wrong(tmp_path, job):
    environment = {
        **os.environ,
        'PYTHONPATH': os.pathsep.join([str(ROOT / 'mmpose_package'), str(ROOT), os.environ.get('PYTHONPATH', '')]),
    }
    command = [sys.executable, process.__file__, *map(str, job)]
    good = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (good.returncode, good.stderr) == (0, '')
    (tmp_path / 'input' / 'stack.mha').write_bytes(b'no stack')
    bad = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert bad.returncode == 2
    assert bad.stderr.startswith('error: ') and 'stack.mha' in bad.stderr and bad.stderr.count('\n') == 1


def test_the_staged_model_holds_the_weights_alone_and_nothing_of_the_training(model, checkpoint):
    assert sorted(path.name for path in model.iterdir()) == ['config.py', 'weights.pth']
    content = torch.load(model / 'weights.pth', weights_only=True)
    assert sorted(content) == ['meta', 'state_dict']
    config = load_config(model / 'config.py')
    assert config.landmark_set == 'isbi2015'
    assert not {'train_dataloader', 'optim_wrapper', 'work_dir', 'load_from'} & set(config)


def test_a_landmark_set_of_ones_own_goes_with_the_model(monkeypatch, tmp_path, job, checkpoint, model):
    table = ROOT / 'mmpose_package' / 'cephalometric' / 'landmark_sets' / 'isbi2015.json'
    own = tmp_path / 'own.json'
    own.write_bytes(table.read_bytes())
    out = tmp_path / 'model'
    run(monkeypatch, stage_model, '--config', RECIPE, '--checkpoint', checkpoint, '--landmarks', own, '--out', out)
    own.unlink()
    run(monkeypatch, process, '--model', out, *job[2:])
    assert len(read(tmp_path / 'result.json')) == 3 * 19


def test_a_checkpoint_for_other_landmarks_is_refused_before_the_build(monkeypatch, tmp_path, checkpoint):
    with pytest.raises(InputError, match='does not fit'):
        run(monkeypatch, stage_model, '--config', RECIPE, '--checkpoint', checkpoint, '--out', tmp_path / 'model')
    assert not (tmp_path / 'model').exists()


def test_the_default_is_the_best_model_of_the_last_run(monkeypatch, tmp_path, checkpoint, model, capsys):
    work_dirs = tmp_path / 'work_dirs'
    for age, name in enumerate(['last', 'first']):
        (work_dirs / name).mkdir(parents=True)
        weights = work_dirs / name / 'best_model_weight.pth'
        weights.write_bytes((model / 'weights.pth').read_bytes())
        (work_dirs / name / 'recipe.py').write_bytes((model / 'config.py').read_bytes())
        os.utime(weights, (1e9 - age, 1e9 - age))
    run(monkeypatch, stage_model, '--work-dirs', work_dirs, '--out', tmp_path / 'model')
    assert f'Weights: {work_dirs / "last" / "best_model_weight.pth"}' in capsys.readouterr().out


def test_without_any_run_the_message_says_what_to_do(monkeypatch, tmp_path):
    with pytest.raises(InputError, match='train a model with step 3, or say --checkpoint'):
        run(monkeypatch, stage_model, '--work-dirs', tmp_path, '--out', tmp_path / 'model')


def requirements(path):
    lines = (line.split('#')[0].strip() for line in path.read_text().splitlines())
    return dict((*line.split('=='), None)[:2] for line in lines if line)


def test_every_package_of_the_image_has_the_version_that_the_toolkit_is_tested_with():
    pinned = requirements(ROOT / 'requirements.txt') | requirements(ROOT / 'requirements-mmpose.txt')
    names = requirements(STEP6 / 'requirements.txt') | requirements(STEP6 / 'requirements-no-deps.txt')
    assert names.pop('opencv-python-headless') == pinned['opencv-python']
    assert {name for name in names if not pinned.get(name)} == set()
    assert set(names.values()) == {None}
