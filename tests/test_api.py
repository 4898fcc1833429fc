"""The API as a notebook uses it, and in a process in which nothing of PyTorch can be imported."""

import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
from conftest import ROOT

import cephalometric as ceph
from cephalometric.annotations.coco import load_coco
from cephalometric.xrays.mha import write_stack

WITHOUT_PYTORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {'torch', 'torchvision', 'mmengine', 'mmcv', 'mmpose'}:
            raise ModuleNotFoundError(f'{name} was imported', name=name)
sys.meta_path.insert(0, Refuse())
"""
SCRIPT = """
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""
COMMANDS = """
import contextlib
from cephalometric.__main__ import main
for line in sys.argv[1:]:
    sys.argv[1:] = line.split(chr(9))
    with contextlib.suppress(SystemExit):
        main()
"""
API = """
import cephalometric as ceph
assert not {'cv2', 'scipy', 'matplotlib', 'onnxruntime'} & set(sys.modules)
model = ceph.load_model()
result = model.predict(sys.argv[1], spacing_mm=0.5)
result.draw(sys.argv[2])
print(len(result.landmarks), result.expected_error_mm is not None)
"""


@pytest.fixture(scope='module')
def film(data_root):
    labelled = load_coco(data_root / 'test.json')
    return labelled.image_path(labelled.images[0])


@pytest.fixture(scope='module')
def model():
    return ceph.load_model()


def python(*arguments):
    done = subprocess.run([sys.executable, '-c', *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def test_without_pytorch_the_api_answers_and_importing_it_loads_next_to_nothing(film, tmp_path):
    done = python(WITHOUT_PYTORCH + API, film, tmp_path / 'overlay.jpg')
    assert done.stdout.split() == ['19', 'True'] and cv2.imread(str(tmp_path / 'overlay.jpg')) is not None


def test_without_pytorch_all_commands_but_export_work(film, trained, data_root, tmp_path):
    lines = [
        ('predict', film, '--out', tmp_path / 'p', '--spacing', '0.5'),
        ('measure', tmp_path / 'p' / 'predictions.json', '--out', tmp_path / 'm'),
        ('report', trained / 'report_valid' / 'results.json', '--out', tmp_path / 'r'),
        ('models',),
        ('phantom', tmp_path / 'x', '--count', '1', '--size-scale', '0.1'),
    ]
    done = python(WITHOUT_PYTORCH + COMMANDS, *('\t'.join(map(str, line)) for line in lines))
    assert 'was imported' not in done.stderr
    for path in (
        'p/overlays',
        'p/landmarks.csv',
        'm/measurements.csv',
        'm/analyses',
        'r/report.html',
        'x/train-gt.json',
    ):
        assert (tmp_path / path).exists(), (path, done.stderr)
    assert 'isbi2015 (the default of predict)' in done.stdout


def test_what_needs_pytorch_says_what_is_missing(other_model, film):
    program = WITHOUT_PYTORCH + (
        'import cephalometric as ceph\ntry:\n    ceph.load_model(sys.argv[1])\nexcept ceph.InputError as error:\n'
        '    print(error)'
    )
    stdout = python(program, other_model).stdout
    assert (
        'no graphs were asked for' in stdout and 'install what training needs' in stdout and '\n' not in stdout.strip()
    )


@pytest.mark.parametrize(
    'arguments', [('step3_train_and_evaluation.py', 'CONFIG'), ('step4_test_and_visualize.py', '--model', 'isbi2015')]
)
def test_steps_that_need_pytorch_say_in_one_line_what_is_missing(arguments):
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT_PYTORCH + SCRIPT, *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 2 and done.stderr.count('\n') == 1
    assert re.match(r'error: (mmengine|torch) is missing: .*installation\.md', done.stderr)


def test_step5_needs_no_pytorch_for_a_model_folder(phantom_stack, tmp_path):
    stack, result = phantom_stack / 'train_stack.mha', tmp_path / 'result.json'
    arguments = ('--model', 'isbi2015', '--load_mha_path', stack, '--save_json_path', result)
    command = [sys.executable, '-c', WITHOUT_PYTORCH + SCRIPT, 'step5_predict_expected_output.py', *map(str, arguments)]
    assert subprocess.run(command, capture_output=True, text=True, cwd=ROOT).returncode == 0
    assert len(json.loads(result.read_text())['points']) == 11 * 19


def test_a_path_an_array_and_an_xray_are_the_same(model, film):
    pixels = cv2.imread(str(film), cv2.IMREAD_UNCHANGED)
    (xray,) = ceph.read_xrays(film, 0.5)
    results = [
        model.predict(film, 0.5),
        model.predict(str(film), spacing_mm=0.5),
        model.predict(pixels, 0.5),
        model.predict(np.stack([pixels] * 3, axis=2), 0.5),
        model.predict(xray),
        *model.predict_batch([pixels, xray])[1:],
    ]
    for result in results:
        np.testing.assert_allclose(result.points_px, results[0].points_px, atol=0.01)
        assert result.spacing_mm == 0.5


def test_many_at_once_are_what_each_is_alone_in_their_order(model, film):
    pixels = cv2.imread(str(film), cv2.IMREAD_UNCHANGED)
    upside_down = pixels[::-1].copy()
    alone = [model.predict(xray) for xray in (film, pixels, upside_down)]
    for workers in (1, 3):
        together = list(model.predict_many([film, pixels, upside_down], workers=workers))
        assert [result.name for result in together] == [result.name for result in alone]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(one.points_px, other.points_px)
    waiting = model.predict_many(iter([film, 'gone.png', film]), workers=2)
    assert next(waiting).name == alone[0].name
    with pytest.raises(ceph.InputError, match=r'gone\.png'):
        next(waiting)


def test_a_result_has_what_the_documentation_says(model, film, tmp_path):
    result = model.predict(film, spacing_mm=0.5)
    count = len(model.landmarks)
    assert result.points_px.shape == (count, 2) and result.landmarks.keys() == result.landmarks_mm.keys()
    assert result.expected_error_mm.shape == result.flagged.shape == result.scores.shape == (count,)
    x, y = result.landmarks['S']
    np.testing.assert_allclose(result.landmarks_mm['S'], (x / 2, y / 2))
    assert np.isfinite(result.measurements['SNA']) and isinstance(result.warnings, tuple)
    content = json.loads(json.dumps(result.to_json()))
    assert content['landmarks'][0]['x_px'] == pytest.approx(x)
    assert result.draw(tmp_path / 'overlay.png').is_file()
    without = model.predict(film)
    assert without.landmarks_mm is None and np.isnan(without.measurements['U1_NA_mm'])


def test_an_analysis_has_values_with_norms_classes_and_standard_errors(model, film):
    result = model.predict(film, spacing_mm=0.1)
    assert result.measurement_errors.keys() == result.measurements.keys()
    found = result.analysis('mcnamara', sex='female')
    values = {value.measurement.name: value for value in found.values}
    assert values['SNA'].mean == 82.4 and values['SNA'].value == result.measurements['SNA']
    assert values['SNA'].standard_error == pytest.approx(result.measurement_errors['SNA'])
    assert values['SNA'].flagged == ('SNA' in result.flagged_measurements)
    assert result.analysis('mcnamara').values[0].norm is None
    for arguments, words in (
        ({'name': 'nothing'}, 'the landmarks allow steiner'),
        ({'sex': 'x'}, "sex 'x': write female or male"),
        ({'age': -1}, 'give years'),
        ({'norms': 'nobody'}, 'no norm has that name'),
    ):
        with pytest.raises(ceph.InputError, match=words):
            result.analysis(**arguments)


def test_flags_follow_the_threshold_and_measurements_follow_the_flags(model, film):
    everything, nothing = (model.predict(film, 0.5, flag_mm=mm) for mm in (1e-6, 1e6))
    assert everything.flagged.all() and everything.flagged_measurements == {*everything.measurements}
    assert nothing.doubtful or (not nothing.flagged.any() and not nothing.flagged_measurements)


def test_a_doubtful_xray_has_all_its_landmarks_flagged_also_without_a_calibration(model, other_model):
    noise = np.random.default_rng(0).integers(1, 255, (300, 240), np.uint8)
    for one in (model, ceph.load_model(other_model)):
        result = one.predict(np.zeros((300, 240), np.uint8), 0.5, flag_mm=1e6)
        assert result.doubtful and result.flagged.all() and result.warnings
    assert model.predict(noise, 0.5, flag_mm=1e6).doubtful


def test_mistakes_are_said(model, film, tmp_path):
    write_stack(tmp_path / 'stack.mha', [np.full((20, 20), 9, np.uint8)] * 2, count=2)
    (xray,) = ceph.read_xrays(film)
    for call, error, words in (
        (lambda: model.predict(tmp_path / 'no.png'), ceph.InputError, 'no.png'),
        (lambda: model.predict(tmp_path / 'stack.mha'), ceph.InputError, 'several X-rays'),
        (lambda: model.predict(film, spacing_mm=-1), ceph.InputError, '-1'),
        (lambda: model.predict(film, flag_mm=0), ceph.InputError, 'flag_mm'),
        (lambda: model.predict(xray, spacing_mm=0.5), ceph.InputError, 'read_xrays'),
        (lambda: model.predict(np.ones((4, 4))), TypeError, 'uint8'),
        (lambda: model.predict(3), TypeError, 'int'),
        (lambda: ceph.load_model(tmp_path / 'no'), ceph.InputError, 'no such model folder'),
        (lambda: ceph.load_model(backend='x'), ceph.InputError, 'choose one of'),
        (lambda: ceph.nothing, AttributeError, 'nothing'),
    ):
        with pytest.raises(error, match=words):
            call()
