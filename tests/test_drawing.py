"""Drawings: marks where the landmarks are, in the stated colours, and the X-ray untouched elsewhere.

The gallery of test images: the worst first, readable again, and no window where there is no display.

Predictions drawn: where they are, and flagged ones visibly different.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_predictions import COUNT, LANDMARKS, predicted

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.geometry import radial_error_mm
from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.drawing import (
    JOIN_COLOUR,
    TRUE_COLOUR,
    draw_comparison,
    draw_images,
    draw_prediction,
    save_picture,
    show_picture,
)
from cephalometric.reporting.marks import BANNER_COLOUR, FLAGGED_COLOUR, PREDICTED_COLOUR


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
    assert {pixel(picture, point - (9, 0)) for point in true} == {TRUE_COLOUR}  # A ring, told apart without colours.
    assert {pixel(picture, point - (5, 0)) for point in true} == {(90, 90, 90)}
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


def test_files_sort_by_falling_error_and_say_it(data_root, tmp_path):
    labelled, landmarks = load_coco(data_root / 'test.json'), load_landmark_set('cldetection2023')
    true = np.stack([image.points_px for image in labelled.images])
    points_px = true + np.array([1.0, 5.0, 3.0])[:, None, None]
    errors_mm = np.stack(
        [radial_error_mm(points_px[n], true[n], image.spacing_mm) for n, image in enumerate(labelled.images)]
    )
    for name, picture in draw_images(labelled, landmarks, points_px, errors_mm, order=[1, 2, 0]):
        save_picture(picture, tmp_path / name)
    names = sorted(path.name for path in tmp_path.iterdir())
    for name, n in zip(names, [1, 2, 0], strict=True):
        assert f'MRE-{errors_mm[n].mean():.2f}mm' in name
        image = labelled.images[n]
        assert cv2.imread(str(tmp_path / name)).shape == (image.height, image.width, 3)


@pytest.mark.parametrize(
    ('name', 'signature'), [('a.png', b'\x89PNG'), ('a.JPG', b'\xff\xd8\xff'), ('a.jpeg', b'\xff\xd8\xff')]
)
def test_the_end_of_a_name_says_how_a_picture_is_written(tmp_path, name, signature):
    picture = np.full((40, 30, 3), (10, 200, 120), np.uint8)
    save_picture(picture, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(signature)
    assert np.abs(cv2.imread(str(tmp_path / name)).astype(int) - picture).max() < 5


@pytest.mark.parametrize('name', ['a', 'a.tif', 'png'])
def test_pictures_of_other_kinds_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r'\.png, \.jpg, \.jpeg'):
        save_picture(np.zeros((4, 3, 3), np.uint8), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_window_needs_a_display(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    monkeypatch.setattr('sys.platform', 'linux')
    with pytest.raises(InputError, match='--show-dir'):
        show_picture('window', np.zeros((4, 4, 3), np.uint8), 1)


SHADE = 90


@pytest.fixture
def xray():
    drawn = predicted()
    drawn.points_px[:] = np.stack([np.linspace(300, 1600, COUNT), np.linspace(500, 2200, COUNT)], axis=1)
    return drawn


def draw_one(xray, shape=(2400, 1900)):
    return draw_prediction(np.full(shape, SHADE, np.uint8), LANDMARKS, xray)


def colour_at(picture, point):
    x, y = np.round(point).astype(int)
    return tuple(picture[y, x].tolist())


def test_flagged_landmarks_have_another_colour_and_a_ring_of_their_expected_error(xray):
    picture = draw_one(xray)
    for k in range(COUNT):
        expected = FLAGGED_COLOUR if xray.flagged[k] else PREDICTED_COLOUR
        assert colour_at(picture, xray.points_px[k]) == expected
    radius_px = xray.expected_error_mm[-1] / xray.spacing_mm
    assert colour_at(picture, xray.points_px[-1] + (0, radius_px)) == FLAGGED_COLOUR


def test_without_a_calibration_no_landmark_is_flagged_and_the_picture_says_why(xray):
    xray.flagged[:] = False
    plain = draw_one(xray)
    uncalibrated = predicted(calibrated=False)
    uncalibrated.points_px[:] = xray.points_px
    picture = draw_one(uncalibrated)
    assert {colour_at(picture, point) for point in xray.points_px} == {PREDICTED_COLOUR}
    differing = np.argwhere((picture != plain).any(axis=2))
    assert len(differing) and differing[:, 0].max() < 300


def test_missing_landmarks_are_left_out(xray):
    xray.points_px[:] = np.nan
    assert (draw_one(xray)[400:] == SHADE).all()


@pytest.mark.parametrize('shape', [(240, 190), (2400, 1900, 3)])
def test_small_and_colour_images_are_drawn_without_a_spacing_too(shape):
    assert draw_one(predicted(spacing_mm=None), shape).shape == (*shape[:2], 3)


@pytest.mark.parametrize('shape', [(2400, 1900), (600, 480)])
@pytest.mark.parametrize('calibrated', [True, False])
def test_a_doubtful_xray_has_a_banner_and_all_landmarks_flagged(xray, shape, calibrated):
    doubts = ('it is blank: its landmarks are put at its centre', 'it is coloured')
    xray.points_px[:] *= shape[0] / 2400
    doubtful = replace(
        xray,
        doubtful=True,
        warnings=doubts,
        flagged=np.ones(COUNT, bool),
        expected_error_mm=xray.expected_error_mm if calibrated else None,
    )
    picture = draw_one(doubtful, shape)
    across = (picture[5] == BANNER_COLOUR).all(axis=1)
    assert across.all()
    assert (picture == BANNER_COLOUR).all(axis=2).mean() > 0.02
    lower = [point for point in xray.points_px if point[1] > shape[0] / 3]
    assert {colour_at(picture, point) for point in lower} == {FLAGGED_COLOUR}
    other = draw_one(replace(doubtful, warnings=('the model is far less sure than usual',)), shape)
    assert (other != picture).any()


def test_an_xray_that_is_not_doubtful_has_no_banner(xray):
    assert not (draw_one(xray) == BANNER_COLOUR).all(axis=2).any()


def test_long_names_do_not_run_out_of_the_picture(xray):
    names = ('film', 'a_long_name_' * 12)
    short, long = (draw_one(replace(xray, name=name, points_px=xray.points_px * np.nan)) for name in names)
    assert (short != long).any()
    assert (long[:, 1500:] == SHADE).all()
