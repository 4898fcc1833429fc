"""Measurements: known values on simple heads, and what errors of landmarks do to them and to their classes."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import (
    class_successes,
    faces_right,
    load_measurements,
    measure,
    measure_all,
    measurement_errors,
    measurements_for,
)
from cephalometric.phantom.anatomy import sample_head

LANDMARKS = load_landmark_set('cldetection2023')
MEASUREMENTS = measurements_for(LANDMARKS)


def points_of(positions):
    """Shape (K, 2), NaN where no position is given."""
    return np.array([positions.get(name, (np.nan, np.nan)) for name in LANDMARKS.abbreviations], float)


def down(degrees, length):
    """A step straight down, tipped backwards by an angle."""
    return length * np.array([-np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])


def made_head():
    """A head with the Frankfort horizontal level, A straight below nasion, and angles that one can add up."""
    nasion, gonion, sella = np.array([85.0, -30.0]), np.array([5.0, 60.0]), np.array([15.0, -20.0])
    lower_tip = nasion + down(5, 80) + 4 * np.array([np.cos(np.deg2rad(5)), np.sin(np.deg2rad(5))])
    upper_apex = np.array([80.0, 25.0])
    return {
        'Po': (0, 0),
        'Or': (80, 0),
        'S': sella,
        'N': nasion,
        'A': nasion + down(0, 60),
        'B': nasion + down(5, 100),
        'Pog': nasion + down(3, 115),
        'Go': gonion,
        'Me': gonion + down(-65, 70),
        'Gn': sella + down(-30, 110),
        'U1A': upper_apex,
        'U1': upper_apex + down(-22, 25),
        'L1': lower_tip,
        'L1A': lower_tip + down(30, 22),
        'PNS': (30, 20),
        'ANS': (80, 20 + 50 * np.tan(np.deg2rad(-2))),
    }


def test_angles_of_a_made_head():
    values = measure(points_of(made_head()), LANDMARKS, 1.0)
    expected = {
        'ANB': 5,
        'U1_NA': 22,
        'U1_NA_mm': 80 + 25 * np.sin(np.deg2rad(22)) - 85,
        'L1_NB': 25,
        'L1_NB_mm': 4,
        'interincisal': 180 - 5 - 22 - 25,
        'facial_angle': 87,
        'Y_axis': 60,
        'FMA': 25,
        'FMIA': 60,
        'IMPA': 95,
        'palatal_plane': -2,
        'SNA': 90 - np.degrees(np.arctan2(10, 70)),
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_indicators_of_a_made_head_add_up():
    values = measure(points_of(made_head()), LANDMARKS, 1.0)
    behind = np.degrees(np.arctan2(100 * np.sin(np.deg2rad(5)), 100 * np.cos(np.deg2rad(5)) - 60))
    assert values['AB_plane'] == pytest.approx(3 - behind)
    assert values['APDI'] == pytest.approx(87 + (3 - behind) - 2)
    assert values['ODI'] == pytest.approx(90 + behind - 25 - 2)
    assert values['convexity'] > 0 and values['A_NPog_mm'] > 0


def test_bite_and_wits_along_a_level_occlusal_plane():
    positions = {'U6': (50, 61), 'L6': (50, 59), 'U1': (90, 62), 'L1': (88, 58), 'A': (86, 30), 'B': (84, 90)}
    values = measure(points_of(positions | {'Po': (0, 0), 'Or': (80, 0)}), LANDMARKS, 0.5)
    assert values['wits'] == pytest.approx(1)
    assert values['overjet'] == values['overjet_FH'] == pytest.approx(1)
    assert values['overbite'] == values['overbite_FH'] == pytest.approx(2)
    assert values['MW'] == pytest.approx(np.hypot(2, 4) / 2)


def test_cross_bite_and_open_bite_are_negative():
    positions = {'U6': (50, 61), 'L6': (50, 59), 'U1': (87, 57), 'L1': (90, 63), 'Po': (0, 0), 'Or': (80, 0)}
    values = measure(points_of(positions), LANDMARKS, 1.0)
    assert values['overjet_FH'] == pytest.approx(-3) and values['overbite_FH'] == pytest.approx(-6)
    assert values['overjet'] < 0 and values['overbite'] < 0 and values['MW'] < 0


def test_lips_behind_the_line_are_negative():
    values = measure(points_of({'Prn': (100, 20), "Pog'": (100, 99), 'UL': (96, 50), 'LL': (101, 70)}), LANDMARKS, 1.0)
    assert (values['UL_E_mm'], values['LL_E_mm']) == pytest.approx((-4, 1))


def test_facial_heights_need_no_spacing():
    values = measure(points_of({'S': (0, 0), 'Go': (0, 78), 'N': (70, 0), 'Me': (70, 120)}), LANDMARKS, None)
    assert (values['FHI'], values['jarabak_ratio']) == pytest.approx((0.65, 65))


@cache
def grown_head(seed):
    return points_of(sample_head(np.random.default_rng(seed)).landmarks)


def head_points(seed):
    return grown_head(seed).copy()


@given(
    st.integers(0, 30),
    st.floats(-180, 180),
    st.floats(0.2, 20),
    st.booleans(),
)
def test_tilt_size_and_side_of_the_picture_do_not_matter(seed, tilt, scale, mirror):
    points = head_points(seed)
    turn = np.array(
        [[np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))], [-np.sin(np.deg2rad(tilt)), np.cos(np.deg2rad(tilt))]]
    )
    moved = scale * points * (-1 if mirror else 1, 1) @ turn + (300, -40)
    assert faces_right(moved, LANDMARKS) != mirror
    expected = measure(points, LANDMARKS, 0.1, MEASUREMENTS)
    assert measure(moved, LANDMARKS, 0.1 / scale, MEASUREMENTS) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('seed', range(5))
def test_angles_that_belong_together_add_up(seed):
    values = measure(head_points(seed), LANDMARKS, None)
    assert values['FMA'] + values['FMIA'] + values['IMPA'] == pytest.approx(180)
    assert values['ANB'] + values['U1_NA'] + values['L1_NB'] + values['interincisal'] == pytest.approx(180)
    assert values['SNA'] - values['SNB'] == pytest.approx(values['ANB'])


def between(a, b):
    return np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))


def crosses(a, b):
    return np.sign(a[0] * b[1] - a[1] * b[0])


@pytest.mark.parametrize('seed', range(5))
def test_the_benchmark_s_own_words_give_the_same(seed):
    """ODI, APDI and FMA as the benchmark says them: angles between vectors, with a sign by their cross product."""
    points = dict(zip(LANDMARKS.abbreviations, head_points(seed), strict=True))
    frankfort, palate = points['Or'] - points['Po'], points['ANS'] - points['PNS']
    facial, ab = points['Pog'] - points['N'], points['B'] - points['A']
    palatal = between(frankfort, palate) * crosses(frankfort, palate)
    expected = {
        'ODI': between(points['Go'] - points['Me'], -ab) + palatal,
        'APDI': between(-frankfort, facial) - between(facial, ab) * crosses(facial, ab) + palatal,
        'FMA_ISBI': between(points['N'] - points['S'], points['Gn'] - points['Go']),
        'MW': np.linalg.norm(points['U1'] - points['L1']),
    }
    values = measure(points_of(points), LANDMARKS, 1.0)
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_grown_heads_lie_around_the_norms():
    points = np.stack([head_points(seed) for seed in range(20)])
    values = measure_all(points, LANDMARKS, np.ones(20), MEASUREMENTS)  # The heads are in millimetres.
    for measurement, mean in zip(MEASUREMENTS, values.mean(axis=0), strict=True):
        if measurement.norm is not None and measurement.norm.sd is not None:
            assert abs(measurement.norm.deviation_sd(mean)) < 4, measurement.name


def test_a_missing_landmark_takes_only_what_needs_it():
    points = head_points(1)
    points[LANDMARKS.abbreviations.index('S')] = np.nan
    values = measure(points, LANDMARKS, 0.1)
    for measurement in MEASUREMENTS:
        assert np.isnan(values[measurement.name]) == ('S' in measurement.landmarks), measurement.name


def test_without_a_spacing_only_millimetres_are_missing():
    values = measure(head_points(1), LANDMARKS, None)
    for measurement in MEASUREMENTS:
        assert np.isnan(values[measurement.name]) == (measurement.unit == 'mm'), measurement.name


def test_a_measurement_that_the_set_cannot_give_is_nan_when_asked_for():
    small = load_landmark_set('isbi2015')
    points = head_points(1)[: len(small)]
    values = measure(points, small, 0.1, load_measurements())
    assert np.isnan(values['wits']) and np.isfinite(values['SNA'])
    assert 'wits' not in measure(points, small, 0.1)


def test_each_image_has_its_own_spacing_and_side():
    points = np.stack([head_points(1), head_points(1) * (-1, 1), head_points(2)])
    values = measure_all(points, LANDMARKS, np.array([0.1, 0.2, np.nan]), MEASUREMENTS)
    column = [measurement.name for measurement in MEASUREMENTS].index('U1_NA_mm')
    assert values[1, column] == pytest.approx(2 * values[0, column])
    assert np.isnan(values[2, column])
    assert measure_all(points, LANDMARKS, np.ones(3), []).shape == (3, 0)


def test_a_laboratory_s_own_entry_is_measured(tmp_path):
    path = tmp_path / 'ours.json'
    entry = {'name': 'half', 'title': 'Half', 'unit': '%', 'sign': '-', 'definition': '-', 'source': '-'}
    entry['formula'] = {'ratio': [{'distance': ['S', 'N']}, {'distance': ['S', 'Me']}]}
    path.write_text(json.dumps({'measurements': [entry]}))
    values = measure(points_of({'S': (0, 0), 'N': (3, 4), 'Me': (0, 10)}), LANDMARKS, None, load_measurements(path))
    assert values['half'] == pytest.approx(50)


SOME_LANDMARKS = load_landmark_set('isbi2015')
BY_NAME = {measurement.name: measurement for measurement in load_measurements()}
SNA, SNB, ANB, MW = (BY_NAME[name] for name in ('SNA', 'SNB', 'ANB', 'MW'))
CHOSEN = [SNA, SNB, ANB, MW]


def heads(*a_angles, tip_px=30.0):
    """Heads with SNB 78 and the given SNA, 1000 pixels high, the upper incisor in front of the lower one."""
    points = np.full((len(a_angles), len(SOME_LANDMARKS), 2), np.nan)
    place = {name: index for index, name in enumerate(SOME_LANDMARKS.abbreviations)}
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
    errors = by_name(measurement_errors(predicted, true, SOME_LANDMARKS, np.full(3, 0.1), CHOSEN))
    assert errors['SNA'].count == 3
    assert (errors['SNA'].mean_absolute, errors['SNA'].bias) == pytest.approx((1, -1 / 3))
    assert errors['SNA'].sd == pytest.approx(np.std([1, 2, 0]))
    assert errors['ANB'].mean_absolute == pytest.approx(1)
    assert errors['SNB'].mean_absolute == pytest.approx(0, abs=1e-9)


def test_lengths_are_in_millimetres_and_need_a_spacing():
    spacings = np.array([0.1, 0.2, np.nan])
    true, predicted = heads(80, 80, 80), heads(80, 80, 80, tip_px=40.0)
    error = by_name(measurement_errors(predicted, true, SOME_LANDMARKS, spacings, CHOSEN))['MW']
    assert (error.count, error.mean_absolute, error.bias) == pytest.approx((2, 1.5, 1.5))


def test_images_without_the_landmark_do_not_count():
    true = heads(80, 82)
    true[1, SOME_LANDMARKS.abbreviations.index('A')] = np.nan
    errors = by_name(measurement_errors(heads(81, 90), true, SOME_LANDMARKS, np.full(2, 0.1), CHOSEN))
    assert (errors['SNA'].count, errors['SNB'].count) == (1, 2)
    assert errors['SNA'].mean_absolute == pytest.approx(1)
    rates = by_name(class_successes(heads(81, 90), true, SOME_LANDMARKS, np.full(2, 0.1), CHOSEN))
    assert (rates['SNA'].count, rates['SNA'].success_percent) == (1, 100)


def test_without_any_value_there_is_no_mean():
    nothing = np.full((2, len(SOME_LANDMARKS), 2), np.nan)
    error = measurement_errors(nothing, heads(80, 80), SOME_LANDMARKS, np.full(2, 0.1), [SNA])[0]
    rate = class_successes(nothing, heads(80, 80), SOME_LANDMARKS, np.full(2, 0.1), [SNA])[0]
    assert error.count == rate.count == 0
    assert np.isnan([error.mean_absolute, error.sd, error.bias, rate.success_percent]).all()


def test_the_share_of_images_that_keep_their_class():
    true = heads(79, 80, 83, 85)  # retrognathic, normal, normal, prognathic
    predicted = heads(78, 83, 83.5, 80)
    rates = by_name(class_successes(predicted, true, SOME_LANDMARKS, np.full(4, 0.1), CHOSEN))
    assert rates['SNA'].success_percent == 50
    assert rates['SNB'].success_percent == 100
    assert (rates['SNA'].count, rates['MW'].success_percent) == (4, 100)


def test_by_default_everything_that_the_set_allows_is_compared():
    true = heads(80, 82)
    names = by_name(measurement_errors(true, true, SOME_LANDMARKS, np.full(2, 0.1)))
    assert 'SNA' in names and 'wits' not in names
    assert all(rate.measurement.classes for rate in class_successes(true, true, SOME_LANDMARKS, np.full(2, 0.1)))
