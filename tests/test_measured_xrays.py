"""Many X-rays measured at once give what each gives by itself."""

from dataclasses import replace

import numpy as np
import pytest
from test_predictions import COUNT, LANDMARKS, predicted

from cephalometric.measurements import analyses_for, errors_of_xray, measure, measurements_for
from cephalometric.results.measured_xrays import assess_xray, assess_xrays, measure_xrays

MEASUREMENTS = measurements_for(LANDMARKS)
STEINER = analyses_for(LANDMARKS)['steiner']
POINTS = np.random.default_rng(0).uniform(100, 1500, (3, COUNT, 2))
XRAYS = [
    replace(predicted('calibrated'), points_px=POINTS[0]),
    replace(predicted('without a spacing', spacing_mm=None), points_px=POINTS[1]),
    replace(predicted('not calibrated', calibrated=False), points_px=POINTS[2]),
]


def test_values_and_errors_are_those_of_one_xray():
    for xray, measured in zip(XRAYS, measure_xrays(XRAYS, LANDMARKS, MEASUREMENTS), strict=True):
        expected = measure(xray.points_px, LANDMARKS, xray.spacing_mm, MEASUREMENTS)
        assert measured.measurements == pytest.approx(expected, nan_ok=True)
        errors = errors_of_xray(xray.points_px, xray.expected_error_mm, LANDMARKS, xray.spacing_mm, MEASUREMENTS)
        for name, error in errors.items():
            assert measured.measurement_errors[name] == pytest.approx(error, rel=1e-6, nan_ok=True)
        assert replace(measured, measurements={}, measurement_errors={}, flagged_measurements=frozenset()) is not xray


def test_what_uses_a_flagged_landmark_is_flagged():
    only_a = np.array(LANDMARKS.abbreviations) == 'A'
    (measured,) = measure_xrays([replace(XRAYS[0], flagged=only_a)], LANDMARKS, MEASUREMENTS)
    assert 'SNA' in measured.flagged_measurements and 'SNB' not in measured.flagged_measurements


def test_an_analysis_of_many_is_that_of_each():
    for xray, together in zip(XRAYS, assess_xrays(XRAYS, LANDMARKS, STEINER), strict=True):
        alone = assess_xray(xray, LANDMARKS, STEINER)
        for one, other in zip(alone.values, together.values, strict=True):
            assert one.value == pytest.approx(other.value, nan_ok=True) and one.class_name == other.class_name
            assert (one.standard_error is None) == (other.standard_error is None) and one.flagged == other.flagged
    assert assess_xrays([], LANDMARKS, STEINER) == []
    assert measure_xrays([], LANDMARKS, MEASUREMENTS) == []
