"""The command calibrate by real command lines on a trained model."""

import shutil

import pytest
from command_lines import call
from conftest import TINY_RECIPE

from cephalometric.annotations.coco import load_coco
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.calibration import calibration_path, load_calibration
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.assessment import evaluate
from cephalometric.training.config import load_config


@pytest.fixture
def weights(trained, tmp_path):
    return shutil.copy(trained / 'best_model_weight.pth', tmp_path)


def test_the_calibration_lies_beside_the_weights_and_expects_what_was_observed(data_root, weights):
    flags = ('--config', TINY_RECIPE, '--checkpoint', weights)
    status, stdout, _ = call('calibrate', data_root / 'train.json', *flags)
    assert status == 0 and 'Calibration by 6 X-rays' in stdout and 'expected mm' in stdout
    calibration = load_calibration([weights], load_landmark_set('cldetection2023'))
    evaluation = evaluate(
        CephalometricPredictor(load_config(TINY_RECIPE), weights), load_coco(data_root / 'train.json')
    )
    expected_mm = calibration.expected_error_mm(evaluation.landmark_scores)
    assert expected_mm.mean() == pytest.approx(evaluation.errors_mm.mean(), rel=0.1)


def test_mistakes_end_with_status_2_and_no_calibration(data_root, weights, tmp_path):
    for file, more, words in (
        (data_root / 'missing.json', (), 'missing.json cannot be read'),
        (data_root / 'valid.json', ('--config', 'missing.py'), 'no such config'),
    ):
        status, _, stderr = call('calibrate', file, '--config', TINY_RECIPE, '--checkpoint', weights, *more)
        assert status == 2 and words in stderr
    assert not calibration_path([weights]).exists()
