"""process.py and stage_model.py with real models that were trained for seconds, without a container engine."""

import importlib.util
import json
import os
import shutil
import sys
import warnings
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, TINY_RECIPE, run_python

from cephalometric.api import load_model
from cephalometric.errors import InputError
from cephalometric.prediction.model_folder import read_description
from cephalometric.xrays.mha import open_stack, write_stack

STEP6 = ROOT / 'step6_docker_and_upload'


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


def stage(*arguments):
    with pytest.MonkeyPatch.context() as monkeypatch:
        run(monkeypatch, stage_model, *arguments)


@pytest.fixture
def slices(phantom_stack):
    return list(open_stack(phantom_stack / 'train_stack.mha'))[:2]


@pytest.fixture
def job(tmp_path, slices):
    """The arguments for a folder with a stack of two X-rays."""
    (tmp_path / 'input').mkdir()
    write_stack(tmp_path / 'input' / 'stack.mha', slices, len(slices))
    return '--input', tmp_path / 'input', '--output', tmp_path / 'result.json'


@pytest.fixture
def uploaded(tmp_path, monkeypatch):
    """An empty folder in the place of the platform's /opt/ml/model."""
    folder = tmp_path / 'uploaded'
    folder.mkdir()
    monkeypatch.setattr(process, 'UPLOADED_MODEL', folder)
    return folder


def read(path):
    return json.loads(path.read_text())['points']


def check_result(path, model, slices):
    """That the result is what the model says of every slice."""
    expected = np.concatenate([model.predict(image).points_px for image in slices])
    points = read(path)
    np.testing.assert_allclose([point['point'][:2] for point in points], expected, atol=1e-3)
    numbers = [[str(k), n] for n in range(1, len(slices) + 1) for k in range(1, len(model.landmarks) + 1)]
    assert [[point['name'], point['point'][2]] for point in points] == numbers


def test_the_result_is_the_models_for_every_slice(monkeypatch, tmp_path, job, slices, model_folder):
    run(monkeypatch, process, '--model', model_folder, *job)
    check_result(tmp_path / 'result.json', load_model(model_folder), slices)


def test_scores_are_written_when_they_are_asked_for(monkeypatch, tmp_path, job, model_folder):
    run(monkeypatch, process, '--model', model_folder, *job, '--probability')
    points = read(tmp_path / 'result.json')
    assert len(points) == 2 * 38
    assert all(0 <= point['probability'] <= 1 for point in points)


def test_a_blank_slice_costs_a_warning_and_nothing_else(monkeypatch, tmp_path, job, slices, model_folder):
    slices[0] = np.zeros_like(slices[0])
    write_stack(tmp_path / 'input' / 'stack.mha', slices, 2)
    messages = run(monkeypatch, process, '--model', model_folder, *job)
    assert any('slice 1: it is blank' in message for message in messages)
    points = read(tmp_path / 'result.json')
    height, width = slices[0].shape[:2]
    assert {tuple(point['point']) for point in points[:38]} == {((width - 1) / 2, (height - 1) / 2, 1)}
    assert len({tuple(point['point']) for point in points[38:]}) > 1


@pytest.mark.parametrize(('count', 'message'), [(0, r'there are 0 \(none\)'), (2, r'there are 2 \(a.mha, stack.mha\)')])
def test_none_or_two_stacks_are_refused(monkeypatch, tmp_path, job, slices, model_folder, count, message):
    stack = tmp_path / 'input' / 'stack.mha'
    if count:
        write_stack(stack.with_name('a.mha'), slices, 2)
    else:
        stack.unlink()
    with pytest.raises(InputError, match=message):
        run(monkeypatch, process, '--model', model_folder, *job)
    assert not (tmp_path / 'result.json').exists()


def test_an_uploaded_model_takes_the_place_of_the_one_in_the_image(
    monkeypatch, tmp_path, job, uploaded, model_folder, capsys
):
    monkeypatch.setattr(process, 'BUILT_IN_MODEL', model_folder)
    for prepare, used in (
        (uploaded.rmdir, model_folder),
        (uploaded.mkdir, model_folder),
        (lambda: shutil.copytree(model_folder, uploaded, dirs_exist_ok=True), uploaded),
    ):
        prepare()
        run(monkeypatch, process, *job)
        assert f'Model: {used}\n' in capsys.readouterr().out


def test_a_folder_of_several_models_is_an_ensemble(
    monkeypatch, tmp_path, job, slices, uploaded, model_folder, other_model, capsys
):
    members = [shutil.copytree(model_folder, uploaded / 'a'), shutil.copytree(other_model, uploaded / 'b')]
    run(monkeypatch, process, *job)
    assert f'Model: {members[0]}, {members[1]}\n' in capsys.readouterr().out
    check_result(tmp_path / 'result.json', load_model(model_folder, other_model), slices)
    found = read(tmp_path / 'result.json')
    run(monkeypatch, process, '--model', *members, *job)
    assert read(tmp_path / 'result.json') == found
    run(monkeypatch, process, '--model', members[0], *job)
    assert read(tmp_path / 'result.json') != found


def test_the_calibration_of_an_ensemble_lies_beside_its_members(monkeypatch, job, uploaded, model_folder, other_model):
    shutil.copytree(model_folder, uploaded / 'a')
    shutil.copytree(other_model, uploaded / 'b')
    shutil.copy(model_folder / 'calibration.json', uploaded)  # It is used, and so it is refused.
    with pytest.raises(InputError, match='made for other models than these'):
        run(monkeypatch, process, *job)


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        (['weights.pth'], r'holds no model\.json'),
        (['config.py', 'weights.pth'], r'config\.py, as models did before .* "cephalometric export weights\.pth'),
        (['a/config.json'], r'/a holds no model\.json'),
    ],
)
def test_an_upload_that_is_no_model_is_refused_with_the_remedy(
    monkeypatch, tmp_path, job, uploaded, model_folder, names, message
):
    for name in names:
        (uploaded / name).parent.mkdir(exist_ok=True)
        (uploaded / name).touch()
    if names == ['a/config.json']:
        shutil.copytree(model_folder, uploaded / 'b')
    with pytest.raises(InputError, match=message):
        run(monkeypatch, process, *job)
    assert not (tmp_path / 'result.json').exists()


WITHOUT_PYTORCH = (
    'import runpy, sys; sys.modules["torch"] = None; sys.argv.pop(0); runpy.run_path(sys.argv[0], run_name="__main__")'
)


@pytest.mark.parametrize('start', [[], ['-c', WITHOUT_PYTORCH]], ids=['PyTorch', 'no PyTorch'])
def test_warnings_alone_are_on_stderr_and_one_line_says_what_is_wrong(tmp_path, job, model_folder, slices, start):
    paths = [str(ROOT / 'mmpose_package'), str(ROOT), os.environ.get('PYTHONPATH', '')]
    how = {'fresh': bool(start), 'environment': {'PYTHONPATH': os.pathsep.join(paths)}}
    command = [*start, process.__file__, '--model', model_folder, *job]
    good = run_python(*command, **how)
    assert all(line.startswith('warning: ') and 'slice' in line for line in good.stderr.splitlines())
    assert len(read(tmp_path / 'result.json')) == 2 * 38
    (tmp_path / 'input' / 'stack.mha').write_bytes(b'no stack')
    bad = run_python(*command, check=2, **how)
    assert bad.stderr.startswith('error: ') and 'stack.mha' in bad.stderr and bad.stderr.count('\n') == 1


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_one_model_is_staged_as_one_folder(trained, model_folder, tmp_path):
    stage('--model', trained, '--out', tmp_path / 'model')
    assert names_in(tmp_path / 'model') == names_in(model_folder)
    assert read_description(tmp_path / 'model') == read_description(model_folder)


def test_several_models_are_staged_as_process_reads_them(monkeypatch, tmp_path, job, slices, trained, other_model):
    stage('--model', trained, other_model, '--out', tmp_path / 'model')
    assert names_in(tmp_path / 'model') == [f'01_{trained.name}', f'02_{other_model.name}']
    monkeypatch.setattr(process, 'BUILT_IN_MODEL', tmp_path / 'model')
    run(monkeypatch, process, *job)
    check_result(tmp_path / 'result.json', load_model(trained, other_model), slices)


def test_a_calibration_is_staged_if_it_belongs_to_the_models(tmp_path, model_folder, other_model):
    bare = shutil.copytree(model_folder, tmp_path / 'bare')
    calibration = (bare / 'calibration.json').rename(tmp_path / 'calibration.json')
    stage('--model', bare, '--calibration', calibration, '--out', tmp_path / 'model')
    assert load_model(tmp_path / 'model').calibration is not None
    with pytest.raises(InputError, match='made for other models'):
        stage('--model', bare, other_model, '--calibration', calibration, '--out', tmp_path / 'models')


def test_a_checkpoint_becomes_a_model_folder(monkeypatch, tmp_path, job, trained, model_folder):
    checkpoint = trained / 'best_model_weight.pth'
    stage('--config', TINY_RECIPE, '--checkpoint', checkpoint, '--out', tmp_path / 'model')
    assert read_description(tmp_path / 'model').weights_id == read_description(model_folder).weights_id
    run(monkeypatch, process, '--model', tmp_path / 'model', *job)
    assert len(read(tmp_path / 'result.json')) == 2 * 38


def test_a_checkpoint_for_other_landmarks_is_refused_before_the_build(tmp_path, trained):
    checkpoint = trained / 'best_model_weight.pth'
    with pytest.raises(InputError, match='does not fit'):
        stage('--checkpoint', checkpoint, '--landmarks', 'isbi2015', '--out', tmp_path / 'model')
    assert not (tmp_path / 'model').exists()


def test_the_default_is_the_model_of_the_newest_run(tmp_path, model_folder, capsys):
    work_dirs = tmp_path / 'work_dirs'
    for age, name in enumerate(['last', 'first']):
        folder = shutil.copytree(model_folder, work_dirs / name / 'model')
        os.utime(folder / 'model.json', (1e9 - age, 1e9 - age))
    stage('--work-dirs', work_dirs, '--out', tmp_path / 'model')
    assert f'Model: {work_dirs / "last" / "model"}\n' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'train a model with step 3, or say --model'),
        (['--model', 'a', '--checkpoint', 'b.pth'], 'but not both'),
        (['--model', 'a', '--landmarks', 'isbi2015'], 'belong to a --checkpoint'),
        (['--model', 'no_such_model'], 'no_such_model: there is no such model folder'),
    ],
)
def test_what_names_no_model_is_refused_with_the_remedy(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        stage('--work-dirs', tmp_path, '--out', tmp_path / 'model', *arguments)


def requirements(*paths):
    """Names and versions; what a line says of versions of Python stands in both files."""
    lines = [line.split('#')[0].strip() for path in paths for line in Path(path).read_text().splitlines()]
    return dict((*line.partition(';')[0].strip().split('=='), None)[:2] for line in lines if line)


PINNED = requirements(ROOT / 'requirements.txt', ROOT / 'requirements-mmpose.txt')
WITHOUT_PYTORCH_ALONE = requirements(STEP6 / 'packages' / 'common.txt', STEP6 / 'packages' / 'onnxruntime.txt')


def test_every_package_of_the_images_has_the_version_that_the_toolkit_is_tested_with():
    names = requirements(*(path for path in (STEP6 / 'packages').glob('*.txt') if path.name != 'onnxruntime-gpu.txt'))
    assert names.pop('opencv-python-headless') == PINNED['opencv-python']
    assert {name for name in names if not PINNED.get(name)} == set()
    assert set(names.values()) == {None}
    for_gpus = requirements(STEP6 / 'packages' / 'onnxruntime-gpu.txt')
    assert for_gpus.pop('onnxruntime-gpu') == PINNED['onnxruntime']
    asked = dict((*line.partition(';')[0].strip().split('=='), None)[:2] for line in metadata.requires('torch'))
    # PyTorch's builds for CPUs ask for none of them.
    assert {name: version for name, version in for_gpus.items() if asked.get(name, version) != version} == {}


# Modules that an image does not have cannot be imported: all that are installed here but those of its packages.
ONLY_SOME_PACKAGES = """
import runpy, sys
from importlib import metadata
allowed = set(sys.argv[1].split(','))
class Refuse:
    def find_spec(self, name, path=None, target=None):
        owners = {owner.lower().replace('_', '-') for owner in OWNERS.get(name, ())}
        if owners and not owners & allowed:
            raise ModuleNotFoundError(f'{name} is not in the image', name=name)
OWNERS = metadata.packages_distributions()
sys.meta_path.insert(0, Refuse())
del sys.argv[:2]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def run_with_packages(names, *arguments, check=0):
    return run_python('-c', ONLY_SOME_PACKAGES, ','.join(names), process.__file__, *arguments, check=check, fresh=True)


def test_the_image_without_pytorch_has_all_that_a_job_imports(tmp_path, job, slices, model_folder):
    """An ensemble, a blank slice, a mirrored one: nothing imports more than the packages of that image."""
    blank, mirrored = np.zeros_like(slices[0]), np.ascontiguousarray(slices[1][:, ::-1])
    write_stack(tmp_path / 'input' / 'stack.mha', [slices[0], blank, mirrored], 3)
    names = {name.replace('opencv-python-headless', 'opencv-python') for name in WITHOUT_PYTORCH_ALONE}
    names |= {'opencv-python-headless', 'cephalometric'}
    run_with_packages(names, '--model', model_folder, model_folder, *job, '--probability')
    assert len(read(tmp_path / 'result.json')) == 3 * 38
    refused = run_with_packages(names - {'waitress'}, '--model', model_folder, *job, check=1)
    assert 'waitress is not in the image' in refused.stderr
