"""A predictor against the ground truth. Weights against labelled X-rays: what is noted, and what the model expected."""

import dataclasses
import shutil

import numpy as np
import pytest
from conftest import TINY_RECIPE

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.assessment import assess, evaluate, with_expected_errors
from cephalometric.training.config import load_config


@pytest.fixture(scope='module')
def labelled(data_root):
    return load_coco(data_root / 'test.json')


@pytest.fixture(scope='module')
def evaluation(trained, labelled):
    predictor = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth')
    return evaluate(predictor, labelled)


def test_errors_are_distances_in_mm(evaluation, labelled):
    image = labelled.images[1]
    expected = np.linalg.norm(evaluation.points_px[1] - image.points_px, axis=1) * image.spacing_mm
    np.testing.assert_allclose(evaluation.errors_mm[1], expected)
    assert evaluation.landmarks.abbreviations == labelled.abbreviations
    assert all((evaluation.image_folder / image.file_name).is_file() for image in evaluation.images)


def test_the_spread_of_an_ensemble_is_in_mm(trained, labelled, evaluation):
    assert evaluation.spread_mm is None
    predictor = CephalometricPredictor(load_config(TINY_RECIPE), [trained / 'epoch_2.pth', trained / 'epoch_3.pth'])
    ensemble = evaluate(predictor, labelled)
    image = read_image(labelled, labelled.images[1])
    expected = predictor.predict(image).spread_px * labelled.images[1].spacing_mm
    np.testing.assert_allclose(ensemble.spread_mm[1], expected, atol=1e-4)


def test_other_landmarks_are_refused(trained, labelled):
    predictor = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth')
    other = dataclasses.replace(labelled, abbreviations=labelled.abbreviations[:19], landmark_set='isbi2015')
    with pytest.raises(InputError, match='--landmarks isbi2015'):
        evaluate(predictor, other)


@pytest.fixture(scope='module')
def assessed(trained, data_root):
    config = load_config(TINY_RECIPE, str(data_root))
    return assess(config, [trained / 'best_model_weight.pth'], data_root / 'test.json', 'cpu')


def test_what_was_run_is_noted(assessed, data_root):
    provenance = assessed.provenance
    counts = {str(data_root / name): count for name, count in (('train.json', 6), ('valid.json', 2), ('test.json', 3))}
    assert provenance.image_counts == counts
    assert provenance.annotation_file == str(data_root / 'test.json')
    assert (provenance.config_name, provenance.device) == (str(TINY_RECIPE), 'cpu')
    assert 'max_epochs=3' in provenance.config_text and 'torch' in provenance.versions
    assert len(provenance.training_curves) == 3


def test_expected_errors_come_from_the_calibration_beside_the_weights(assessed, trained, tmp_path):
    expected_mm = with_expected_errors(assessed, [trained / 'best_model_weight.pth']).expected_errors_mm
    assert expected_mm.shape == assessed.errors_mm.shape and (expected_mm > 0).all()
    assert np.isfinite(expected_mm).all()
    lonely = shutil.copy(trained / 'best_model_weight.pth', tmp_path)
    assert with_expected_errors(assessed, [lonely]).expected_errors_mm is None


def test_a_calibration_of_other_weights_is_refused(assessed, trained, tmp_path):
    shutil.copy(trained / 'best_model_weight.calibration.json', tmp_path)
    shutil.copy(trained / 'epoch_2.pth', tmp_path / 'best_model_weight.pth')
    with pytest.raises(InputError, match='other weights'):
        with_expected_errors(assessed, [tmp_path / 'best_model_weight.pth'])
