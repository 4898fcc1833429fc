import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.annotations.annotation import (
    Annotation,
    AnnotationBuilder,
    finite_number,
    is_normalised,
    mean_annotation,
    short,
    without_origin,
)
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set

LANDMARKS = load_landmark_set('isbi2015')


def report(problems):
    with pytest.raises(InputError) as caught:
        problems.raise_if_any('bad')
    return str(caught.value)


def builder():
    problems = Problems()
    return AnnotationBuilder(LANDMARKS, 'film.png', problems), problems


def test_points_go_to_the_places_of_their_landmarks():
    collected, problems = builder()
    collected.add_point('N', '3.5', 4)
    collected.add_spacing('0.1')
    collected.add_spacing('')
    annotation = collected.build()
    assert np.flatnonzero(annotation.visible).tolist() == [1]
    assert annotation.points_px[1].tolist() == [3.5, 4]
    assert annotation.spacing_mm == 0.1
    assert problems.count == 0


def test_every_problem_of_a_point_is_noted():
    collected, problems = builder()
    collected.add_point('Zyg', 1, 2)
    collected.add_point('S', 1, 'two')
    collected.add_point('N', 1, math.inf)
    collected.add_point('A', 1, 2)
    collected.add_point('A', 3, 4)
    collected.add_spacing('0.1')
    collected.add_spacing(0.2)
    collected.add_spacing('-1')
    annotation = collected.build()
    assert np.flatnonzero(annotation.visible).tolist() == [4] and annotation.points_px[4].tolist() == [1, 2]
    message = report(problems)
    assert problems.count == 6
    assert 'names outside the landmark set isbi2015' in message and '--landmarks' in message
    for detail in ('"Zyg": film.png', 'S at (1, "two")', 'N at (1, Infinity)', 'A: film.png', '0.1, 0.2', '"-1"'):
        assert detail in message


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_and_texts_of_numbers_are_numbers(value):
    assert finite_number(value) == finite_number(repr(value)) == value


@given(
    st.none()
    | st.booleans()
    | st.sampled_from(
        ['', 'nan', '-inf', '1e999', '1,5', 10**400, math.nan, [1], {}, '1_2', '1_2_2.0', '\u0661', '0x10', 'infinity']
    )
)
def test_anything_else_is_none(value):
    assert finite_number(value) is None


def test_the_mean_of_two_doctors():
    first = np.arange(38, dtype=float).reshape(19, 2)
    second = first + 3
    second[4] = np.nan
    mean = mean_annotation([Annotation(first, math.nan), Annotation(second, 0.1)], 'film.png', Problems())
    expected = first + 1.5
    expected[4] = np.nan
    np.testing.assert_array_equal(mean.points_px, expected)
    assert mean.spacing_mm == 0.1


def test_doctors_who_differ_about_the_spacing():
    problems, points = Problems(), np.zeros((19, 2))
    mean_annotation([Annotation(points, 0.2), Annotation(points, 0.1)], 'film.png', problems)
    assert 'differing spacings of one image:\n    0.1, 0.2: film.png' in report(problems)


@given(st.text() | st.lists(st.text()))
def test_quotations_are_short(value):
    assert len(short(value)) <= 80


def test_points_at_the_origin_are_no_points_of_the_mean_either():
    points = np.full((19, 2), 8.0)
    points[3] = 0
    annotations = [without_origin(Annotation(points, 0.1)), without_origin(Annotation(np.full((19, 2), 4.0), 0.1))]
    assert annotations[0].at_origin == {3} and annotations[1].at_origin == set()
    mean = mean_annotation(annotations, 'film.png', Problems())
    assert mean.at_origin == {3} and np.flatnonzero(~mean.visible).tolist() == [3] and mean.points_px[0, 0] == 6


def test_coordinates_from_0_to_1():
    assert is_normalised(np.array([[0.2, 0.9], [np.nan, np.nan], [1, 0]]))
    assert not is_normalised(np.array([[0.2, 0.9], [30, 0.4]])) and not is_normalised(np.full((2, 2), np.nan))


def test_sizes_of_several_people_are_kept():
    collected, problems = builder()
    collected.add_size(200, None)
    other, _ = builder()
    other.add_size('100', 50.0)
    third, _ = builder()
    third.add_size(None, None)
    annotations = [one.build() for one in (collected, other, third)]
    assert mean_annotation(annotations, 'film.png', problems).sizes == {(200, None), (100, 50)}
    collected.add_size(0, 5)
    assert 'sizes of images that are not two whole numbers:\n    0 x 5: film.png' in report(problems)
