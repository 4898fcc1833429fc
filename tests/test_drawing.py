"""Drawings: marks where the landmarks are, in the stated colours, and the X-ray untouched elsewhere."""

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.drawing import JOIN_COLOUR, PREDICTED_COLOUR, TRUE_COLOUR, draw_comparison

LANDMARKS = load_landmark_set('isbi2015')


def draw(shape=(2400, 1900), visible=True):
    count = len(LANDMARKS)
    true = np.stack([np.linspace(300, 1200, count), np.linspace(400, 2100, count)], axis=1)
    predicted = true + (60, -50)
    image = np.full(shape, 90, np.uint8)
    mask = np.full(count, visible)
    picture = draw_comparison(
        image, LANDMARKS, predicted, np.where(mask[:, None], true, np.nan), mask, np.full(count, 1.2), 'title'
    )
    return picture, image, true, predicted


def pixel(picture, point):
    x, y = np.round(point).astype(int)
    return tuple(picture[y, x].tolist())


def test_truth_and_prediction_have_their_colours_and_are_joined():
    picture, _, true, predicted = draw()
    assert {pixel(picture, point) for point in true} == {TRUE_COLOUR}
    assert {pixel(picture, point) for point in predicted} == {PREDICTED_COLOUR}
    assert {pixel(picture, point) for point in (true + predicted) / 2} == {JOIN_COLOUR}


def test_without_truth_the_prediction_stands_alone():
    picture, _, true, predicted = draw(visible=False)
    assert {pixel(picture, point) for point in predicted} == {PREDICTED_COLOUR}
    assert {pixel(picture, point) for point in true} == {(90, 90, 90)}


def test_the_xray_itself_is_not_changed_and_stays_visible():
    picture, image, *_ = draw()
    assert (image == 90).all()
    assert (picture == 90).all(axis=2).mean() > 0.9


@pytest.mark.parametrize('shape', [(240, 190), (2400, 1900, 3)])
def test_small_and_colour_images_are_drawn_too(shape):
    assert draw(shape)[0].shape == (*shape[:2], 3)
