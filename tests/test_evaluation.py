"""A predictor against the ground truth."""

import dataclasses

import numpy as np
import pytest
from conftest import TINY_RECIPE

from cephalometric.errors import InputError
from cephalometric.formats.coco import load_coco
from cephalometric.formats.images import read_image
from cephalometric.prediction.evaluation import evaluate
from cephalometric.prediction.predictor import CephalometricPredictor
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
