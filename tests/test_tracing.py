"""The lines of an analysis on its X-ray, and the values where they are measured."""

import numpy as np
import pytest

from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import analyses_for, assess, load_measurements
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.marks import FLAGGED_COLOUR, PREDICTED_COLOUR
from cephalometric.reporting.paper import Paper, to_pixels
from cephalometric.reporting.tracing import CONSTRUCTED, FLAGGED, FOUND, Tracing, short_name
from cephalometric.results.predictions import PredictedXray

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = analyses_for(LANDMARKS)
PHANTOM = make_phantom(5, 0.25)
POINTS = PHANTOM.points_px * 4
HEIGHT, WIDTH = 2400, 2000
GREY = np.full((HEIGHT, WIDTH), 90, np.uint8)


def xray_of(points=POINTS, flagged=None):
    return PredictedXray(
        'film', 'film.png', None, WIDTH, HEIGHT, 0.1, Orientation(), points, np.ones(len(points)), flagged=flagged
    )


def trace(analysis='steiner', points=POINTS, flagged=None, image=GREY):
    """The tracing alone at the X-ray's own size, in RGB order."""
    xray = xray_of(points, flagged)
    paper = Paper(WIDTH, HEIGHT, 25.4 / 72)
    assessed = assess(points, LANDMARKS, 0.1, ANALYSES[analysis], flagged=flagged)
    Tracing(paper, 0, 0, WIDTH, HEIGHT, image, sharp=True).draw(LANDMARKS, xray, assessed)
    return to_pixels(paper.pdf(), 1.0)[..., ::-1]


def is_near(picture, point, colour):
    x, y = np.round(point).astype(int)
    patch = picture[y - 2 : y + 3, x - 2 : x + 3].astype(int)
    return bool((np.abs(patch - np.array(colour) * 255).max(axis=2) < 30).any())


def between(first, second, share):
    start, end = (POINTS[LANDMARKS.abbreviations.index(name)] for name in (first, second))
    return start + share * (end - start)


def test_lines_run_between_their_landmarks_and_a_little_on():
    picture = trace()
    for share in (-0.05, 0.2, 0.75, 1.05):
        assert is_near(picture, between('S', 'N', share), CONSTRUCTED), share
    assert not is_near(picture, between('S', 'N', 1.25), CONSTRUCTED)


def test_landmarks_are_at_their_pixel_and_flagged_ones_have_a_ring():
    flagged = np.isin(LANDMARKS.abbreviations, ['A'])
    plain, marked = trace(), trace(flagged=flagged)
    assert is_near(plain, between('A', 'N', 0), FOUND) and is_near(marked, between('A', 'N', 0), FLAGGED)
    assert is_near(marked, between('S', 'N', 0), FOUND)

    def magenta(picture):
        return (np.abs(picture.astype(int) - np.array(FLAGGED) * 255).max(axis=2) < 40).sum()

    assert magenta(plain) == 0 and magenta(marked) > 400


def test_what_misses_a_landmark_is_not_drawn():
    missing = POINTS.copy()
    missing[LANDMARKS.abbreviations.index('Gn')] = np.nan
    assert is_near(trace(), between('Go', 'Gn', 0.2), CONSTRUCTED)
    picture = trace(points=missing)
    assert not is_near(picture, between('Go', 'Gn', 0.2), CONSTRUCTED)
    assert is_near(picture, between('S', 'N', 0.2), CONSTRUCTED)
    assert abs(trace(points=np.full_like(POINTS, np.nan)).astype(int) - 90).max() <= 2


def test_the_xray_stays_visible():
    assert (np.abs(trace().astype(int) - 90) <= 2).all(axis=2).mean() > 0.85


@pytest.mark.parametrize('name', ANALYSES)
def test_every_analysis_is_drawn_in_black_and_white_too(name):
    """Light marks with dark rims: on black, on white and on grey something of both is seen."""
    for level in (0, 90, 255):
        picture = trace(name, image=np.full_like(GREY, level)).astype(int).mean(axis=2)
        changed = np.abs(picture - level) > 60
        assert changed.mean() > 0.001, level


def test_measurements_are_called_as_people_do():
    measurements = {measurement.name: measurement for measurement in load_measurements()}
    assert short_name(measurements['U1_NA_mm']) == 'U1-NA' and short_name(measurements['SNA']) == 'SNA'


def test_colours_mean_the_same_as_in_the_other_drawings():
    assert [tuple(round(part * 255) for part in colour) for colour in (FOUND, FLAGGED)] == [
        PREDICTED_COLOUR[::-1],
        FLAGGED_COLOUR[::-1],
    ]
