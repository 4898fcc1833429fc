"""An analysis as a picture: the tracing, and beside it the values, which cover nothing of the X-ray."""

from dataclasses import replace

import numpy as np
import pytest

from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import analyses_for, assess
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.analysis_drawing import draw_analysis
from cephalometric.reporting.tracing import FLAGGED
from cephalometric.reporting.tracing_page import WARNING
from cephalometric.results.predictions import PredictedXray

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = analyses_for(LANDMARKS)
PHANTOM = make_phantom(5, 0.5)
HEIGHT, WIDTH = PHANTOM.image.shape[:2]
DOUBT = {
    'doubtful': True,
    'flagged': np.ones(len(LANDMARKS), bool),
    'warnings': ('the model is far less sure than usual: check that it shows a whole head from the side',),
}


def xray_of(points=PHANTOM.points_px, spacing_mm=PHANTOM.spacing_mm, **others):
    scores = np.full(len(points), np.nan)
    return PredictedXray('film', 'film.png', None, WIDTH, HEIGHT, spacing_mm, Orientation(), points, scores, **others)


def draw(analysis='steiner', image=PHANTOM.image, xray=None, **others):
    xray = xray_of(**others) if xray is None else xray
    assessed = assess(xray.points_px, LANDMARKS, xray.spacing_mm, ANALYSES[analysis], flagged=xray.flagged)
    return draw_analysis(image, LANDMARKS, xray, assessed)


def count(picture, colour):
    """Pixels of about a colour, which is RGB: edges are blended."""
    return int((np.abs(picture[..., ::-1].astype(int) - np.array(colour) * 255).max(axis=2) < 50).sum())


def panel(picture):
    return picture[:, WIDTH + 5 :]


@pytest.mark.parametrize('analysis', ANALYSES)
def test_the_xray_keeps_its_size_and_the_list_stands_beside_it(analysis):
    picture = draw(analysis)
    assert picture.shape[0] == HEIGHT and picture.shape[1] > 1.3 * WIDTH
    of_the_film = np.abs(picture[:, :WIDTH, 0].astype(int) - PHANTOM.image) < 12
    assert of_the_film.mean() > 0.85
    letters = (panel(picture).min(axis=2) > 200).any(axis=1)
    assert letters.any() and not letters[-5:].any()


def test_a_small_xray_is_drawn_large_enough_for_letters():
    small = make_phantom(5, 0.1)
    xray = replace(xray_of(small.points_px, small.spacing_mm), width=small.image.shape[1], height=small.image.shape[0])
    assert draw(image=small.image, xray=xray).shape[0] == 1200


def test_values_far_from_the_norm_stand_out():
    changed = PHANTOM.points_px.copy()
    changed[LANDMARKS.abbreviations.index('A')] += (60, 0)
    usual, unusual = (panel(draw(points=points)) for points in (PHANTOM.points_px, changed))
    assert (unusual.min(axis=2) > 200).sum() > (usual.min(axis=2) > 200).sum()


def test_what_uses_a_flagged_landmark_is_explained():
    flagged = np.isin(LANDMARKS.abbreviations, ['A'])
    assert count(panel(draw(flagged=flagged)), FLAGGED) > 20
    assert count(panel(draw(flagged=np.zeros(len(LANDMARKS), bool))), FLAGGED) == 0
    others = np.isin(LANDMARKS.abbreviations, ["Me'"])
    assert count(draw(flagged=others), FLAGGED) == 0


def test_a_prediction_that_was_not_assessed_says_so_and_a_labelled_xray_does_not():
    labelled = xray_of()
    predicted = replace(labelled, scores=np.ones(len(LANDMARKS)))
    assert count(panel(draw(xray=labelled)), FLAGGED) == 0 and count(panel(draw(xray=predicted)), FLAGGED) > 20


@pytest.mark.parametrize('analysis', ANALYSES)
def test_a_doubtful_xray_has_a_bar_above_it_that_covers_nothing(analysis):
    plain, doubtful = draw(analysis), draw(analysis, **DOUBT)
    bar = doubtful.shape[0] - plain.shape[0]
    assert bar > 40
    assert count(doubtful[:bar], WARNING) > 0.6 * bar * doubtful.shape[1]
    assert count(doubtful[bar:], WARNING) == 0
    film = doubtful[bar : bar + 60, :WIDTH, 0].astype(int)
    assert np.abs(film - PHANTOM.image[:60]).mean() < 5


def test_the_reason_why_a_value_is_missing_is_said():
    together = np.full_like(PHANTOM.points_px, 300)
    with_spacing, without = draw(points=together), draw(points=together, spacing_mm=None)
    assert (panel(with_spacing)[100:] != panel(without)[100:]).any()
    missing = PHANTOM.points_px.copy()
    missing[LANDMARKS.abbreviations.index('Gn')] = np.nan
    assert (panel(draw(points=missing)) != panel(draw())).any()
