"""The lines of an analysis: where they should be, in their colours, and nothing for what cannot be measured."""

from dataclasses import replace

import numpy as np
import pytest

from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import Group, load_analyses
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.analysis_drawing import LANDMARK_COLOUR, LENGTH_COLOUR, LINE_COLOUR, draw_analysis
from cephalometric.reporting.marks import BANNER_COLOUR, FLAGGED_COLOUR
from cephalometric.results.predictions import PredictedXray

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = load_analyses()
STEINER = ANALYSES['steiner']


@pytest.fixture(scope='module')
def phantom():
    return make_phantom(5, 0.25)


@pytest.fixture(scope='module')
def points(phantom):
    """Of a full-size X-ray, where marks are wide enough to be looked up by pixel."""
    return phantom.points_px * 4


def chosen_of(holds):
    """Steiner's analysis with some of its measurements."""
    entries = tuple(entry for entry in STEINER.entries if holds(entry.measurement))
    return replace(STEINER, groups=(Group('some', entries),))


GREY = np.full((2400, 2000), 90, np.uint8)


def xray_of(points, spacing_mm=0.1, **others):
    height, width = GREY.shape
    scores = np.full(len(points), np.nan)
    return PredictedXray('film', 'film.png', None, width, height, spacing_mm, Orientation(), points, scores, **others)


def draw(points, analysis=STEINER, spacing_mm=0.1, image=GREY, **others):
    return draw_analysis(image, LANDMARKS, xray_of(points, spacing_mm, **others), analysis, 'Steiner')


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
    assert (picture[1000:] == 90).all()


def test_values_far_from_the_norm_stand_out(points):
    upright = draw(points, chosen_of(lambda m: m.name == 'SNA'))
    changed = points.copy()
    changed[LANDMARKS.abbreviations.index('A')] += (150, 0)
    protruding = draw(changed, chosen_of(lambda m: m.name == 'SNA'))

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


def flags_of(*names):
    return np.isin(LANDMARKS.abbreviations, names)


def count(picture, colour):
    """Pixels of about a colour: edges of letters and lines are blended."""
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 50).sum())


def test_a_value_that_uses_a_flagged_landmark_is_marked_and_so_is_the_landmark(points):
    chosen = chosen_of(lambda m: m.name in ('SNA', 'SNB'))
    plain, marked = draw(points, chosen, flagged=flags_of()), draw(points, chosen, flagged=flags_of('A'))
    assert count(plain, FLAGGED_COLOUR) == 0
    assert pixel(marked, between(points, 'S', 'N', 0)) == LANDMARK_COLOUR
    assert pixel(marked, between(points, 'A', 'N', 0)) == FLAGGED_COLOUR
    in_list = marked[:400, :900]
    both = draw(points, chosen, flagged=flags_of('A', 'B'))[:400, :900]
    assert 0 < count(in_list, FLAGGED_COLOUR) < count(both, FLAGGED_COLOUR)


def test_a_flagged_landmark_that_no_drawn_value_uses_marks_nothing(points):
    chosen = chosen_of(lambda m: m.name == 'SNA')
    assert (draw(points, chosen, flagged=flags_of('Go')) == draw(points, chosen, flagged=flags_of())).all()


def test_a_prediction_that_was_not_assessed_says_so_and_a_labelled_xray_does_not(points):
    labelled = draw(points)
    predicted = draw_analysis(
        GREY, LANDMARKS, replace(xray_of(points), scores=np.ones(len(points))), STEINER, 'Steiner'
    )
    assert count(labelled, FLAGGED_COLOUR) == 0 and count(predicted, FLAGGED_COLOUR) > 100


@pytest.mark.parametrize('analysis', ANALYSES)
def test_every_analysis_of_a_doubtful_xray_has_a_banner(phantom, points, analysis):
    for scale, image in ((4, GREY), (1, phantom.image)):
        doubtful = {
            'doubtful': True,
            'flagged': flags_of(*LANDMARKS.abbreviations),
            'warnings': ('the model is far less sure than usual: check that it shows a whole head from the side',),
        }
        picture = draw(points * scale / 4, ANALYSES[analysis], 0.1, image, **doubtful)
        assert (picture[5] == BANNER_COLOUR).all()
        assert count(picture, BANNER_COLOUR) > 0.02 * picture.shape[0] * picture.shape[1]
        assert count(picture, FLAGGED_COLOUR) > 100 and count(picture, LANDMARK_COLOUR) == 0


def test_the_reason_why_a_length_is_missing_is_the_spacing_only_where_there_is_none(points):
    lengths = chosen_of(lambda m: m.unit == 'mm')
    together = np.full_like(points, 1200)
    with_spacing, without = draw(together, lengths, 0.1), draw(together, lengths, None)
    assert (with_spacing != without).any()
