"""Two films of one patient on each other, and the differences of their values."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import ANYBODY, analyses_for, assess
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.superimposition import (
    BASES,
    differences,
    points_in_mm,
    superimpose,
)
from cephalometric.reporting.tracing_page import PageFacts
from cephalometric.results.predictions import PredictedXray

LANDMARKS = load_landmark_set('cldetection2023')
POINTS = make_phantom(5, 0.25).points_px * 4
STEINER = analyses_for(LANDMARKS)['steiner']
FACTS = PageFacts('a model', date(2026, 11, 25), ANYBODY)


def xray(points=POINTS, spacing_mm=0.1, name='film'):
    return PredictedXray(
        name, 'film.png', None, 2000, 2400, spacing_mm, Orientation(), points, np.full(len(points), np.nan)
    )


def assessed(film, expected_mm=None):
    expected = None if expected_mm is None else np.full(len(LANDMARKS), expected_mm)
    return assess(film.points_px, LANDMARKS, film.spacing_mm, STEINER, expected_error_mm=expected)


@given(st.floats(-180, 180), st.floats(-500, 500), st.floats(-500, 500), st.sampled_from(BASES))
def test_a_head_that_was_turned_and_moved_lies_on_itself(degrees, x, y, base):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = superimpose(POINTS @ turn.T + (x, y), POINTS, LANDMARKS, base)
    np.testing.assert_allclose(moved, POINTS, atol=1e-6)


def test_lengths_are_kept_and_the_base_agrees_in_its_point_and_direction():
    larger = POINTS * 1.1
    base = BASES[0]
    moved = superimpose(larger, POINTS, LANDMARKS, base)
    at, to = (LANDMARKS.abbreviations.index(name) for name in (base.point, base.towards))
    np.testing.assert_allclose(moved[at], POINTS[at])
    way, other = moved[to] - moved[at], POINTS[to] - POINTS[at]
    assert np.linalg.norm(way) == pytest.approx(1.1 * np.linalg.norm(other))
    assert way @ other == pytest.approx(np.linalg.norm(way) * np.linalg.norm(other))


def test_a_base_that_is_not_known_superimposes_nothing():
    missing = POINTS.copy()
    missing[LANDMARKS.abbreviations.index('S')] = np.nan
    assert superimpose(missing, POINTS, LANDMARKS, BASES[0]) is None
    assert superimpose(POINTS[:19], POINTS[:19], load_landmark_set('isbi2015'), BASES[1]) is not None


def test_spacing_and_the_side_that_a_face_looks_to_do_not_matter():
    mirrored = xray(np.stack([2000 - POINTS[:, 0], POINTS[:, 1]], axis=1))
    finer = xray(POINTS * 2, 0.05)
    for base in BASES:
        for film in (mirrored, finer):
            moved = superimpose(points_in_mm(film, LANDMARKS), points_in_mm(xray(), LANDMARKS), LANDMARKS, base)
            np.testing.assert_allclose(moved, POINTS * 0.1, atol=1e-6)
    with pytest.raises(InputError, match=r'film: .*spacing is not known: give --spacing'):
        points_in_mm(xray(spacing_mm=None), LANDMARKS)


def test_differences_are_after_minus_before_and_their_errors_add_up():
    changed = POINTS.copy()
    changed[LANDMARKS.abbreviations.index('A')] += (30, 0)
    before, after = assessed(xray(), 1.0), assessed(xray(changed), 2.0)
    found = {d.before.measurement.name: d for d in differences(before, after)}
    assert found['SNA'].change == pytest.approx(found['SNA'].after.value - found['SNA'].before.value)
    assert found['SNA'].change > 0 and found['SNB'].change == 0
    errors = [d.standard_error for d in (found['SNA'].before, found['SNA'].after)]
    assert found['SNA'].standard_error == pytest.approx(np.hypot(*errors))
    assert found['SNB'].is_clear is False
    assert differences(assessed(xray()), assessed(xray()))[0].is_clear is None
