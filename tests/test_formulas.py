"""Formulas read from JSON: what they amount to, and the message for those that are none."""

import numpy as np
import pytest

from cephalometric.measurements.formulas import parse_formula

POSITIONS = {
    'A': np.array([0.0, 0.0]),
    'B': np.array([4.0, 0.0]),
    'C': np.array([4.0, 3.0]),
    "D'": np.array([0.0, 6.0]),
}
KNOWN = {'length': parse_formula({'distance': ['A', 'B']}, {}), 'right': parse_formula({'angle': ['A', 'B', 'C']}, {})}


@pytest.mark.parametrize(
    ('content', 'value', 'dimension'),
    [
        ({'angle': ['A', 'B', 'C']}, 90, 'angle'),
        ({'turn': [['A', 'B'], ['B', 'C']]}, 90, 'angle'),
        ({'distance': ['A', 'C']}, 5, 'length'),
        ({'signed_distance': ['C', 'A', ['A', 'B']]}, -5, 'length'),
        ({'along': ['A', 'C', ['A', 'B']]}, 4, 'length'),
        ({'offset': ['C', ['A', 'B']]}, -3, 'length'),
        ({'offset': [{'midpoint': ['C', "D'"]}, ['A', 'B']]}, -4.5, 'length'),
        ({'ratio': [{'distance': ['B', 'C']}, 'length']}, 0.75, 'number'),
        ({'sum': ['length', {'minus': {'distance': ['B', 'C']}}]}, 1, 'length'),
        ({'sum': [180, {'minus': 'right'}]}, 90, 'angle'),
        ({'times': [0.5, 'right']}, 45, 'angle'),
        ({'sum': [{'times': [-2, 'length']}, 3]}, -5, 'length'),
        ({'distance': [{'crossing': [['A', 'C'], ['B', "D'"]]}, 'A']}, 10 / 3, 'length'),
        ({'distance': [{'foot': ['C', ['A', 'B']]}, 'C']}, 3, 'length'),
        ({'distance': [{'midpoint': ['A', {'foot': ['C', ['A', 'B']]}]}, 'B']}, 2, 'length'),
        ('right', 90, 'angle'),
    ],
)
def test_values(content, value, dimension):
    formula = parse_formula(content, KNOWN)
    assert formula.evaluate(POSITIONS) == pytest.approx(value)
    assert formula.dimension == dimension


def test_landmarks_are_found_wherever_they_stand():
    content = {'sum': [{'offset': [{'midpoint': ['C', "D'"]}, ['A', 'B']]}, {'minus': 'length'}]}
    assert set(parse_formula(content, KNOWN).landmarks()) == {'A', 'B', 'C', "D'"}


def test_a_ratio_to_nothing_has_no_value():
    content = {'ratio': [{'distance': ['A', 'B']}, {'distance': ['C', 'C']}]}
    assert np.isnan(parse_formula(content, {}).evaluate(POSITIONS))


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('unknown', "no earlier measurement 'unknown'"),
        ({'sine': ['A', 'B']}, "'sine' is none of angle, turn"),
        ({'angle': ['A', 'B']}, '"angle" takes 3 arguments, not 2'),
        ({'angle': 'ABC'}, '"angle" takes a list'),
        ({'offset': ['A', 'B']}, "'B' is not a line"),
        ({'distance': ['A', ['B']]}, "['B'] is not a point"),
        ({'distance': ['A', {'midpoint': []}]}, 'is not a point'),
        ({'angle': [1, 2, 3]}, '1 is not a point'),
        ({}, 'is not a formula'),
        ({'angle': [], 'turn': []}, 'is not a formula'),
        (None, 'None is not a formula'),
        (True, 'True is not a formula'),
        ({'sum': ['length', 'right']}, '"sum" adds angles to angles'),
        ({'sum': [1, 2]}, '"sum" adds angles to angles'),
        ({'sum': []}, '"sum" adds angles to angles'),
        ({'ratio': ['right', 'length']}, '"ratio" divides one length by another'),
        ({'ratio': ['length']}, '"ratio" takes 2 arguments'),
    ],
)
def test_what_is_no_formula_says_why(content, words):
    with pytest.raises(ValueError) as caught:
        parse_formula(content, KNOWN)
    assert words in str(caught.value)
