"""Predictions drawn: where they are, and flagged ones visibly different."""

import numpy as np
import pytest
from test_predictions import COUNT, LANDMARKS, predicted

from cephalometric.reporting.marks import PREDICTED_COLOUR
from cephalometric.reporting.prediction_drawing import FLAGGED_COLOUR, draw_prediction

SHADE = 90


@pytest.fixture
def xray():
    drawn = predicted()
    drawn.points_px[:] = np.stack([np.linspace(300, 1600, COUNT), np.linspace(500, 2200, COUNT)], axis=1)
    return drawn


def draw(xray, shape=(2400, 1900)):
    return draw_prediction(np.full(shape, SHADE, np.uint8), LANDMARKS, xray)


def colour_at(picture, point):
    x, y = np.round(point).astype(int)
    return tuple(picture[y, x].tolist())


def test_flagged_landmarks_have_another_colour_and_a_ring_of_their_expected_error(xray):
    picture = draw(xray)
    for k in range(COUNT):
        expected = FLAGGED_COLOUR if xray.flagged[k] else PREDICTED_COLOUR
        assert colour_at(picture, xray.points_px[k]) == expected
    radius_px = xray.expected_errors_mm[-1] / xray.spacing_mm
    assert colour_at(picture, xray.points_px[-1] + (0, radius_px)) == FLAGGED_COLOUR


def test_without_a_calibration_no_landmark_is_flagged_and_the_picture_says_why(xray):
    xray.flagged[:] = False
    plain = draw(xray)
    uncalibrated = predicted(calibrated=False)
    uncalibrated.points_px[:] = xray.points_px
    picture = draw(uncalibrated)
    assert {colour_at(picture, point) for point in xray.points_px} == {PREDICTED_COLOUR}
    differing = np.argwhere((picture != plain).any(axis=2))
    assert len(differing) and differing[:, 0].max() < 300


def test_missing_landmarks_are_left_out(xray):
    xray.points_px[:] = np.nan
    assert (draw(xray)[400:] == SHADE).all()


@pytest.mark.parametrize('shape', [(240, 190), (2400, 1900, 3)])
def test_small_and_colour_images_are_drawn_without_a_spacing_too(shape):
    assert draw(predicted(spacing_mm=None), shape).shape == (*shape[:2], 3)
