"""Weights against labelled X-rays: what is noted, and what the model expected."""

import shutil

import numpy as np
import pytest
from conftest import TINY_RECIPE

from cephalometric.errors import InputError
from cephalometric.prediction.assessment import assess, with_expected_errors
from cephalometric.training.config import load_config


@pytest.fixture(scope='module')
def evaluation(trained, data_root):
    config = load_config(TINY_RECIPE, str(data_root))
    return assess(config, [trained / 'best_model_weight.pth'], data_root / 'test.json', 'cpu')


def test_what_was_run_is_noted(evaluation, data_root):
    provenance = evaluation.provenance
    counts = {str(data_root / name): count for name, count in (('train.json', 6), ('valid.json', 2), ('test.json', 3))}
    assert provenance.image_counts == counts
    assert provenance.annotation_file == str(data_root / 'test.json')
    assert (provenance.config_name, provenance.device) == (str(TINY_RECIPE), 'cpu')
    assert 'max_epochs=3' in provenance.config_text and 'torch' in provenance.versions
    assert len(provenance.training_curves) == 3


def test_expected_errors_come_from_the_calibration_beside_the_weights(evaluation, trained, tmp_path):
    expected_mm = with_expected_errors(evaluation, [trained / 'best_model_weight.pth']).expected_errors_mm
    assert expected_mm.shape == evaluation.errors_mm.shape and (expected_mm > 0).all()
    assert np.isfinite(expected_mm).all()
    lonely = shutil.copy(trained / 'best_model_weight.pth', tmp_path)
    assert with_expected_errors(evaluation, [lonely]).expected_errors_mm is None


def test_a_calibration_of_other_weights_is_refused(evaluation, trained, tmp_path):
    shutil.copy(trained / 'best_model_weight.calibration.json', tmp_path)
    shutil.copy(trained / 'epoch_2.pth', tmp_path / 'best_model_weight.pth')
    with pytest.raises(InputError, match='other weights'):
        with_expected_errors(evaluation, [tmp_path / 'best_model_weight.pth'])
