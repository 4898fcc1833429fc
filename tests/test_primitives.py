"""Geometric primitives: values and signs in all quadrants, and what turning, scaling and mirroring does to them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cephalometric.measurements.primitives import Along, Angle, Distance, Offset, SignedDistance, Turn

P, Q, R, S, T = (('P',), ('Q',), ('R',), ('S',), ('T',))
EVERY_WAY = range(0, 360, 30)
LENGTHS = (Distance(P, Q), Along(P, Q, (R, S)), SignedDistance(P, Q, (R, S)), Offset(P, (R, S)))
ANGLES = (Angle(P, Q, R), Turn((P, Q), (R, S)))
MIRRORED_SIGN = (Turn, Offset)


def towards(degrees, length=1.0):
    """A step in a direction: 0 is to the right, 90 is down, as on a screen."""
    return length * np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


def at(**positions):
    return {name: np.asarray(position, float) for name, position in positions.items()}


@pytest.mark.parametrize('start', EVERY_WAY)
@pytest.mark.parametrize('turn', range(-135, 181, 45))
def test_turn_and_angle_in_all_quadrants(start, turn):
    corner = np.array([3.0, -2.0])
    positions = at(
        P=corner, Q=corner + towards(start, 4), R=corner, S=corner + towards(start + turn, 7), T=corner + towards(90)
    )
    found = Turn((P, Q), (R, S)).evaluate(positions)
    assert (found - turn + 180) % 360 - 180 == pytest.approx(0, abs=1e-9)
    assert -180 <= found <= 180
    assert Angle(Q, P, S).evaluate(positions) == pytest.approx(abs(turn))


def test_turning_down_at_the_face_is_positive():
    positions = at(P=(0, 0), Q=(1, 0), R=(0, 0), S=(1, 1))
    assert Turn((P, Q), (R, S)).evaluate(positions) == pytest.approx(45)


@pytest.mark.parametrize('direction', EVERY_WAY)
def test_offset_is_positive_on_the_left_of_the_way(direction):
    start = np.array([-5.0, 8.0])
    beside = start + towards(direction, 20) + towards(direction - 90, 3)
    positions = at(R=start, S=start + towards(direction, 6), P=beside, Q=start)
    assert Offset(P, (R, S)).evaluate(positions) == pytest.approx(3)
    assert Offset(P, (S, R)).evaluate(positions) == pytest.approx(-3)


def test_offset_is_positive_in_front_of_a_line_down_and_above_a_line_forwards():
    assert Offset(P, (R, S)).evaluate(at(P=(2, 5), R=(0, 0), S=(0, 9))) == pytest.approx(2)
    assert Offset(P, (R, S)).evaluate(at(P=(5, -2), R=(0, 0), S=(9, 0))) == pytest.approx(2)


@pytest.mark.parametrize('direction', EVERY_WAY)
def test_ways_along_a_line(direction):
    step = towards(direction, 4) + towards(direction + 90, 3)
    positions = at(P=(1, 1), Q=(1, 1) + step, R=(50, 2), S=(50, 2) + towards(direction, 0.5))
    assert Along(P, Q, (R, S)).evaluate(positions) == pytest.approx(4)
    assert Along(Q, P, (R, S)).evaluate(positions) == pytest.approx(-4)
    assert Distance(P, Q).evaluate(positions) == pytest.approx(5)
    assert SignedDistance(P, Q, (R, S)).evaluate(positions) == pytest.approx(5)
    assert SignedDistance(Q, P, (R, S)).evaluate(positions) == pytest.approx(-5)


def test_a_point_of_two_landmarks_lies_between_them():
    assert Distance(('P', 'Q'), R).evaluate(at(P=(0, 0), Q=(4, 0), R=(2, 7))) == pytest.approx(7)


coordinates = st.integers(-50, 50)
quadruples = st.lists(st.tuples(coordinates, coordinates), min_size=4, max_size=4, unique=True)


@pytest.mark.parametrize('formula', ANGLES + LENGTHS, ids=lambda formula: type(formula).__name__)
@given(quadruples, st.floats(-180, 180), st.floats(0.1, 10), st.booleans())
def test_turned_scaled_and_mirrored(formula, points, turn, scale, mirror):
    before = np.array(points, float)
    # Square to its line, a signed distance has its sign by rounding alone.
    assume(not isinstance(formula, SignedDistance) or (before[1] - before[0]) @ (before[3] - before[2]) != 0)
    matrix = scale * np.array([towards(turn), towards(turn + 90)])
    after = before * (-1 if mirror else 1, 1) @ matrix + (12, -7)
    old = formula.evaluate(dict(zip('PQRS', before, strict=True)))
    new = formula.evaluate(dict(zip('PQRS', after, strict=True)))
    expected = old * (scale if formula in LENGTHS else 1) * (-1 if mirror and isinstance(formula, MIRRORED_SIGN) else 1)
    difference = new - expected
    if formula in ANGLES:
        difference = (difference + 180) % 360 - 180
    assert difference == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    'formula',
    [
        Angle(P, Q, R),
        Turn((P, Q), (R, S)),
        Along(R, S, (P, Q)),
        SignedDistance(R, S, (P, Q)),
        Offset(R, (P, Q)),
    ],
    ids=lambda formula: type(formula).__name__,
)
def test_a_line_without_a_direction_has_no_value(formula):
    assert np.isnan(formula.evaluate(at(P=(1, 1), Q=(1, 1), R=(5, 2), S=(4, 4))))


@pytest.mark.parametrize('formula', ANGLES + LENGTHS, ids=lambda formula: type(formula).__name__)
def test_many_at_once_and_missing_ones(formula):
    random = np.random.default_rng(3)
    many = {name: random.normal(0, 20, (5, 2)) for name in 'PQRS'}
    one_by_one = [float(formula.evaluate({name: points[n] for name, points in many.items()})) for n in range(5)]
    assert formula.evaluate(many) == pytest.approx(one_by_one)
    needed = next(iter(formula.landmarks()))
    many[needed][2] = np.nan
    assert np.isnan(formula.evaluate(many)).tolist() == [False, False, True, False, False]


def test_segments_lead_from_the_point_to_its_foot_on_the_line():
    positions = at(P=(3, 12), R=(0, 0), S=(0, 10))
    segments = {segment.role: segment for segment in Offset(P, (R, S)).segments(positions)}
    assert segments['line'].end.tolist() == [0, 10]
    assert segments['length'].start.tolist() == [3, 12]
    assert segments['length'].end == pytest.approx((0, 12))
    assert segments['extension'].start.tolist() == [0, 10] and segments['extension'].end == pytest.approx((0, 12))
