"""Errors of measurements and of classes, on landmarks that were moved by known amounts."""

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import class_successes, load_measurements, measurement_errors

LANDMARKS = load_landmark_set('isbi2015')
BY_NAME = {measurement.name: measurement for measurement in load_measurements()}
SNA, SNB, ANB, MW = (BY_NAME[name] for name in ('SNA', 'SNB', 'ANB', 'MW'))
CHOSEN = [SNA, SNB, ANB, MW]


def heads(*a_angles, tip_px=30.0):
    """Heads with SNB 78 and the given SNA, 1000 pixels high, the upper incisor in front of the lower one."""
    points = np.full((len(a_angles), len(LANDMARKS), 2), np.nan)
    place = {name: index for index, name in enumerate(LANDMARKS.abbreviations)}
    for head, a_angle in zip(points, a_angles, strict=True):
        head[place['S']], head[place['N']], head[place['Me']] = (0, 0), (700, 0), (500, 1000)
        head[place['Po']], head[place['Or']] = (-100, 200), (600, 200)
        for name, degrees in (('A', a_angle), ('B', 78)):
            head[place[name]] = 700 - 600 * np.cos(np.deg2rad(degrees)), 600 * np.sin(np.deg2rad(degrees))
        head[place['L1']], head[place['U1']] = (650, 700), (650 + tip_px, 700)
    return points


def by_name(results):
    return {result.measurement.name: result for result in results}


def test_errors_are_averaged_with_and_without_their_sign():
    true, predicted = heads(80, 80, 80), heads(81, 78, 80)
    errors = by_name(measurement_errors(predicted, true, LANDMARKS, np.full(3, 0.1), CHOSEN))
    assert errors['SNA'].count == 3
    assert (errors['SNA'].mean_absolute, errors['SNA'].bias) == pytest.approx((1, -1 / 3))
    assert errors['SNA'].sd == pytest.approx(np.std([1, 2, 0]))
    assert errors['ANB'].mean_absolute == pytest.approx(1)
    assert errors['SNB'].mean_absolute == pytest.approx(0, abs=1e-9)


def test_lengths_are_in_millimetres_and_need_a_spacing():
    spacings = np.array([0.1, 0.2, np.nan])
    true, predicted = heads(80, 80, 80), heads(80, 80, 80, tip_px=40.0)
    error = by_name(measurement_errors(predicted, true, LANDMARKS, spacings, CHOSEN))['MW']
    assert (error.count, error.mean_absolute, error.bias) == pytest.approx((2, 1.5, 1.5))


def test_images_without_the_landmark_do_not_count():
    true = heads(80, 82)
    true[1, LANDMARKS.abbreviations.index('A')] = np.nan
    errors = by_name(measurement_errors(heads(81, 90), true, LANDMARKS, np.full(2, 0.1), CHOSEN))
    assert (errors['SNA'].count, errors['SNB'].count) == (1, 2)
    assert errors['SNA'].mean_absolute == pytest.approx(1)
    rates = by_name(class_successes(heads(81, 90), true, LANDMARKS, np.full(2, 0.1), CHOSEN))
    assert (rates['SNA'].count, rates['SNA'].success_percent) == (1, 100)


def test_without_any_value_there_is_no_mean():
    nothing = np.full((2, len(LANDMARKS), 2), np.nan)
    error = measurement_errors(nothing, heads(80, 80), LANDMARKS, np.full(2, 0.1), [SNA])[0]
    rate = class_successes(nothing, heads(80, 80), LANDMARKS, np.full(2, 0.1), [SNA])[0]
    assert error.count == rate.count == 0
    assert np.isnan([error.mean_absolute, error.sd, error.bias, rate.success_percent]).all()


def test_the_share_of_images_that_keep_their_class():
    true = heads(79, 80, 83, 85)  # retrognathic, normal, normal, prognathic
    predicted = heads(78, 83, 83.5, 80)
    rates = by_name(class_successes(predicted, true, LANDMARKS, np.full(4, 0.1), CHOSEN))
    assert rates['SNA'].success_percent == 50
    assert rates['SNB'].success_percent == 100
    assert (rates['SNA'].count, rates['MW'].success_percent) == (4, 100)


def test_by_default_everything_that_the_set_allows_is_compared():
    true = heads(80, 82)
    names = by_name(measurement_errors(true, true, LANDMARKS, np.full(2, 0.1)))
    assert 'SNA' in names and 'wits' not in names
    assert all(rate.measurement.classes for rate in class_successes(true, true, LANDMARKS, np.full(2, 0.1)))
