"""CephalometricMetric: the keys, and the same numbers as the pure functions."""

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from cephalometric.geometry import radial_error_mm
from cephalometric.scores import score
from cephalometric.training.metric import CephalometricMetric


def samples(count, landmarks=4):
    random = np.random.default_rng(0)
    for number in range(count):
        truth = random.uniform(0, 500, (1, landmarks, 2))
        yield {
            'img_id': number,
            'spacing': (0.1, 0.125)[number % 2],
            'pred_instances': {'keypoints': truth + random.normal(0, 20, truth.shape)},
            'gt_instances': {'keypoints': truth, 'keypoints_visible': random.integers(0, 2, (1, landmarks))},
        }


def evaluate(data_samples):
    metric = CephalometricMetric()
    metric.process(None, data_samples)
    return metric.evaluate(size=len(data_samples))


def test_the_scores_are_those_of_the_visible_landmarks_in_mm():
    data = list(samples(6))
    errors = [
        radial_error_mm(d['pred_instances']['keypoints'], d['gt_instances']['keypoints'], d['spacing']) for d in data
    ]
    visible = np.concatenate([d['gt_instances']['keypoints_visible'] for d in data]).astype(bool)
    assert evaluate(data) == pytest.approx(score(np.concatenate(errors), visible).as_metrics())


def test_the_keys_are_exactly_these():
    assert list(evaluate(list(samples(3)))) == ['MRE', 'SDR 2.0mm', 'SDR 2.5mm', 'SDR 3.0mm', 'SDR 4.0mm']


def test_an_image_seen_twice_counts_once():
    data = list(samples(3))
    assert evaluate([*data, data[0]]) == pytest.approx(evaluate(data))


def test_it_is_found_by_name():
    evaluator = Evaluator({'type': 'mmpose.CephalometricMetric'})
    assert isinstance(evaluator.metrics[0], CephalometricMetric)
