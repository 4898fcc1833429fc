"""The command calibrate by real command lines on a trained model."""

import shutil

import pytest
from command_lines import call

from cephalometric.annotations.coco import load_coco
from cephalometric.api import load_model
from cephalometric.prediction.data_sets import evaluate


@pytest.fixture
def folder(model_folder, tmp_path):
    copied = shutil.copytree(model_folder, tmp_path / 'm')
    (copied / 'calibration.json').unlink()
    return copied


def test_the_calibration_lies_in_the_folder_and_expects_what_was_observed(data_root, folder):
    status, stdout, _ = call('calibrate', data_root / 'train.json', '--model', folder)
    assert status == 0 and 'expected mm' in stdout
    assert 'Calibration by 6 X-rays, which is few' in stdout and str(folder / 'calibration.json') in stdout
    evaluation = evaluate(load_model(folder), load_coco(data_root / 'train.json'))
    assert evaluation.expected_errors_mm.mean() == pytest.approx(evaluation.errors_mm.mean(), rel=0.1)


def test_a_model_trained_on_everything_learns_from_the_folds_of_a_cross_validation(trained, folder):
    results = trained / 'report_valid' / 'results.json'
    status, stdout, _ = call('calibrate', '--results', results, results, '--model', folder)
    assert status == 0 and 'Calibration by 4 X-rays' in stdout
    assert load_model(folder).calibration.images == 4


def test_that_of_an_ensemble_goes_where_the_user_says(data_root, folder, other_model, tmp_path):
    before = {path.name for path in (*folder.iterdir(), *other_model.iterdir())}
    arguments = ('calibrate', data_root / 'valid.json', '--model', folder, other_model)
    status, _, stderr = call(*arguments)
    assert status == 2 and '--out' in stderr
    assert call(*arguments, '--out', tmp_path / 'both.json')[0] == 0
    assert {path.name for path in (*folder.iterdir(), *other_model.iterdir())} == before
    assert load_model(folder, other_model).calibration is None
    model = load_model(other_model, folder, calibration=tmp_path / 'both.json')
    assert model.calibration.images == 2 and model.calibration.spread_knots_mm


def test_mistakes_end_with_status_2_and_no_calibration(data_root, folder):
    for arguments, words in (
        ((data_root / 'missing.json',), 'missing.json cannot be read'),
        ((), 'say what to learn from'),
        (('--results', data_root / 'valid.json'), 'not a results file'),
        ((data_root / 'valid.json', '--calibration', 'x.json'), 'leave it out'),
    ):
        status, _, stderr = call('calibrate', *arguments, '--model', folder)
        assert status == 2 and words in stderr
    assert not (folder / 'calibration.json').exists()
