"""Constructed points: where they lie in all quadrants, what they need, and how they are drawn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cephalometric.measurements.points import Crossing, Foot, Middle, Turned, abbreviations, at, constructions

P, Q, R, S = ('P',), ('Q',), ('R',), ('S',)
PLACES = st.tuples(*[st.floats(-1000, 1000)] * 2).map(np.array)


def positions(*places):
    return dict(zip('PQRS', (np.asarray(place, float) for place in places), strict=False))


def test_lines_meet_also_beyond_their_ends():
    crossing = Crossing((P, Q), (R, S))
    assert crossing.at(positions((0, 0), (1, 0), (5, 3), (5, 2))) == pytest.approx([5, 0])


def test_parallel_lines_meet_nowhere_and_a_point_is_no_line():
    assert np.isnan(Crossing((P, Q), (R, S)).at(positions((0, 0), (1, 0), (0, 3), (9, 3)))).all()
    assert np.isnan(Crossing((P, Q), (R, S)).at(positions((0, 0), (0, 0), (0, 3), (9, 4)))).all()


@given(PLACES, PLACES, PLACES, PLACES)
def test_a_crossing_lies_on_both_lines(p, q, r, s):
    slope = np.cross(np.append(q - p, 0), np.append(s - r, 0))[2]
    assume(np.linalg.norm(q - p) > 1 and np.linalg.norm(s - r) > 1)
    assume(abs(slope) > 0.05 * np.linalg.norm(q - p) * np.linalg.norm(s - r))
    place = Crossing((P, Q), (R, S)).at(positions(p, q, r, s))
    for start, end in ((p, q), (r, s)):
        way, line = place - start, (end - start) / np.linalg.norm(end - start)
        assert way[0] * line[1] - way[1] * line[0] == pytest.approx(0, abs=1e-6)


@given(PLACES, PLACES, PLACES)
def test_a_foot_lies_on_its_line_below_its_point(p, q, r):
    assume(np.linalg.norm(r - q) > 1)
    place = Foot(P, (Q, R)).at(positions(p, q, r))
    assert (place - p) @ (r - q) == pytest.approx(0, abs=1e-6 * np.linalg.norm(r - q) * 2000)
    assert np.linalg.norm(place - p) <= min(np.linalg.norm(q - p), np.linalg.norm(r - p)) + 1e-6


@pytest.mark.parametrize('degrees', range(-180, 181, 30))
def test_a_turned_point_goes_clockwise_about_its_pivot(degrees):
    place = Turned(P, Q, degrees).at(positions((5, 3), (2, 3)))
    assert place == pytest.approx([2 + 3 * np.cos(np.deg2rad(degrees)), 3 + 3 * np.sin(np.deg2rad(degrees))])


def test_points_are_built_on_others_and_many_heads_go_at_once():
    deep = Middle((Crossing((P, Q), (R, S)), P))
    one = positions((0, 0), (1, 0), (5, 3), (5, 2))
    many = {name: np.stack([place, 2 * place]) for name, place in one.items()}
    assert at(many, deep) == pytest.approx(np.array([[2.5, 0], [5, 0]]))
    assert set(abbreviations(deep)) == {'P', 'Q', 'R', 'S'}
    assert [type(part) for part in constructions((deep,))] == [Crossing, Middle]


def test_it_is_drawn_how_a_point_is_found():
    crossing = list(Crossing((P, Q), (R, S)).segments(positions((0, 0), (1, 0), (5, 3), (5, 2))))
    assert all(segment.role == 'extension' for segment in crossing)
    assert any(segment.end.tolist() == [5, 0] for segment in crossing)
    roles = [segment.role for segment in Foot(P, (Q, R)).segments(positions((2, 5), (0, 0), (1, 0)))]
    assert 'foot' in roles and list(Middle((P, Q)).segments({})) == []
    assert len(list(Turned(P, Q, 7.0).segments(positions((5, 3), (2, 3))))) == 1
