"""The lines of an analysis: where they should be, in their colours, and nothing for what cannot be measured."""

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import analyses_of, load_measurements
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.analysis_drawing import LANDMARK_COLOUR, LENGTH_COLOUR, LINE_COLOUR, draw_analysis

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = analyses_of(load_measurements())
STEINER = ANALYSES['steiner']


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(5, 0.25)


@pytest.fixture(scope='module')
def points(phantom):
    """Of a full-size X-ray, where marks are wide enough to be looked up by pixel."""
    return phantom.points_px * 4


GREY = np.full((2400, 2000), 90, np.uint8)


def draw(points, measurements=STEINER, spacing_mm=0.1, image=GREY):
    return draw_analysis(image, LANDMARKS, points, spacing_mm, measurements, 'Steiner')


def pixel(picture, point):
    x, y = np.round(point).astype(int)
    return tuple(picture[y, x].tolist())


def between(points, first, second, share=0.5):
    start, end = (points[LANDMARKS.abbreviations.index(name)] for name in (first, second))
    return start + share * (end - start)


def test_lines_run_between_their_landmarks_and_a_little_on(points):
    picture = draw(points)
    for first, second in (('S', 'N'), ('Go', 'Gn')):
        for share in (-0.05, 0.3, 0.5, 1.05):
            assert pixel(picture, between(points, first, second, share)) == LINE_COLOUR
        assert pixel(picture, between(points, first, second, 1.2)) == (90, 90, 90)


def test_landmarks_and_measured_lengths_are_marked(points):
    picture = draw(points)
    assert pixel(picture, between(points, 'S', 'N', 0)) == LANDMARK_COLOUR
    picture = draw(points, ANALYSES['jarabak'])
    assert pixel(picture, between(points, 'N', 'Me')) == LENGTH_COLOUR


def test_the_xray_is_not_changed_and_stays_visible(points):
    picture = draw(points)
    assert (GREY == 90).all()
    assert picture.shape == (2400, 2000, 3)
    assert (picture == 90).all(axis=2).mean() > 0.8


def test_what_misses_a_landmark_is_not_drawn_but_named(points):
    missing = points.copy()
    missing[LANDMARKS.abbreviations.index('Gn')] = np.nan
    picture = draw(missing)
    assert pixel(picture, between(points, 'Go', 'Gn')) == (90, 90, 90)
    assert pixel(picture, between(points, 'S', 'N')) == LINE_COLOUR
    corner = np.s_[:600, :900]
    assert (picture[corner] != draw(points)[corner]).any()


def test_nothing_at_all_leaves_the_list_alone(points):
    picture = draw(np.full_like(points, np.nan))
    assert (picture[700:] == 90).all()


def test_values_far_from_the_norm_stand_out(points):
    upright = draw(points, [next(m for m in STEINER if m.name == 'SNA')])
    changed = points.copy()
    changed[LANDMARKS.abbreviations.index('A')] += (150, 0)
    protruding = draw(changed, [next(m for m in STEINER if m.name == 'SNA')])

    def coloured(picture):
        corner = picture[:300, :900].astype(int)
        return (np.ptp(corner, axis=2) > 60).sum()

    assert coloured(upright) == 0 and coloured(protruding) > 200


@pytest.mark.parametrize('analysis', ANALYSES)
def test_every_analysis_is_drawn_on_a_phantom_with_and_without_a_spacing(phantom, analysis):
    for spacing_mm in (phantom.spacing_mm, None):
        picture = draw(phantom.points_px, ANALYSES[analysis], spacing_mm, phantom.image)
        assert picture.shape == (*phantom.image.shape, 3)
        assert (picture != phantom.image[:, :, None]).any(axis=2).mean() > 0.02
