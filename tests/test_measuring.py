"""Measurements: known values on simple heads, and each a second time by other maths."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from second_measurements import HEAD, second_values

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import (
    faces_right,
    load_measurements,
    measure,
    measure_all,
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


# Of the head made by hand; the whole numbers can be read off its coordinates.
BY_HAND = {
    'wits': 7, 'overjet': 3, 'overbite': 2, 'A_Nperp_mm': -1, 'Pog_Nperp_mm': -6, 'U1_Avert_mm': 5,
    'porion_location_mm': -38, 'superior_sulcus_mm': 3, 'nose_prominence_mm': 13, 'chin_thickness_mm': 14,
    'FH_occlusal': 0, 'overjet_FH': 3, 'overbite_FH': 2, 'MW': 13**0.5, 'S_N_mm': (71**2 + 9**2) ** 0.5,
    'FMA': 29.13, 'SNA': 81.80, 'SNB': 78.16, 'interincisal': 130.11, 'U1_PP': 111.13, 'IMPA': 88.51,
    'jarabak_ratio': 63.52, 'bjork_sum': 396.36, 'facial_axis': 88.76, 'hasund_index': 83.89, 'LAFH_Eastman': 54.45,
    'H_angle': 13.39, 'nasolabial': 112.75, 'N_A_HP_mm': -1.23, 'ANS_Gn_HP_mm': 62.95, 'maxillary_height': 58.67,
}  # fmt: skip
QUADRANTS = range(0, 360, 45)


def turned(points, degrees, mirror=False, scale=1.0):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return scale * points * (-1 if mirror else 1, 1) @ turn + (300, -40)


@pytest.mark.parametrize('mirror', [False, True])
@pytest.mark.parametrize('degrees', QUADRANTS)
def test_every_measurement_of_a_head_made_by_hand_in_all_quadrants(degrees, mirror):
    values = measure(turned(points_of(HEAD), degrees, mirror, 7.0), LANDMARKS, 1 / 7, MEASUREMENTS)
    expected = second_values(HEAD)
    assert values.keys() == expected.keys()
    assert values == pytest.approx(expected, abs=1e-4)
    assert {name: values[name] for name in BY_HAND} == pytest.approx(BY_HAND, abs=0.006)


@pytest.mark.parametrize('seed', range(12))
def test_every_measurement_agrees_with_its_second_implementation(seed):
    head = dict(zip(LANDMARKS.abbreviations, head_points(seed), strict=True))
    assert measure(head_points(seed), LANDMARKS, 1.0) == pytest.approx(second_values(head), abs=1e-4)


@pytest.mark.parametrize('missing', LANDMARKS.abbreviations)
def test_without_any_one_landmark_the_rest_is_the_same(missing):
    head = points_of({name: point for name, point in HEAD.items() if name != missing})
    whole, values = measure(points_of(HEAD), LANDMARKS, 1.0), measure(head, LANDMARKS, 1.0)
    for measurement in MEASUREMENTS:
        value = values[measurement.name]
        assert np.isnan(value) if missing in measurement.landmarks else value == whole[measurement.name]


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
