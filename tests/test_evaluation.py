"""A predictor against the ground truth: errors, scores, order."""

import dataclasses
import json

import numpy as np
import pytest
from conftest import TINY_RECIPE

from cephalometric.errors import InputError
from cephalometric.formats.coco import load_coco
from cephalometric.prediction.evaluation import Evaluation, evaluate
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
    assert evaluation.overall().mre_mm == pytest.approx(evaluation.errors_mm.mean())
    assert evaluation.per_landmark()[4].mre_mm == pytest.approx(evaluation.errors_mm[:, 4].mean())


def test_the_worst_image_comes_first_and_one_without_truth_last(labelled):
    errors_mm = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, 2.0]])
    evaluation = Evaluation(labelled.images, np.zeros((3, 2, 2)), np.zeros((3, 2)), errors_mm)
    assert evaluation.worst_first() == [2, 0, 1]
    assert evaluation.overall().mre_mm == 2.0
    assert [scores.count for scores in evaluation.per_landmark()] == [2, 1]


def test_records_are_plain_json_with_null_where_there_is_no_truth(evaluation):
    errors_mm = evaluation.errors_mm.copy()
    errors_mm[0, 0] = np.nan
    records = json.loads(json.dumps(dataclasses.replace(evaluation, errors_mm=errors_mm).as_records(), allow_nan=False))
    assert records[0]['errors_mm'][0] is None and records[0]['errors_mm'][1] > 0
    np.testing.assert_allclose(records[2]['points'], evaluation.points_px[2])


def test_other_landmarks_are_refused(trained, labelled):
    predictor = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth')
    other = dataclasses.replace(labelled, abbreviations=labelled.abbreviations[:19], landmark_set='isbi2015')
    with pytest.raises(InputError, match='--landmarks isbi2015'):
        evaluate(predictor, other)
