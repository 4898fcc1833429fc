"""Pixels, millimetres and crops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cephalometric.geometry import Crop, content_crop, layout_scale, mean_layout_mm, radial_error_mm

sizes = st.integers(1, 12)
points = arrays(float, (5, 2), elements=st.floats(-1e4, 1e4))


@given(points, st.integers(0, 500), st.integers(0, 500))
def test_points_go_into_a_crop_and_back(points_px, left, top):
    crop = Crop(left, top, 10, 10)
    np.testing.assert_allclose(crop.to_original(crop.to_crop(points_px)), points_px, atol=1e-9)


def test_a_point_keeps_its_pixel_in_the_crop():
    image = np.arange(30).reshape(5, 6)
    crop = Crop(left=2, top=1, width=3, height=4)
    x, y = crop.to_crop([4, 3]).astype(int)
    assert crop.cut(image)[y, x] == image[3, 4]


@given(sizes, sizes, sizes, sizes, st.booleans())
def test_padding_is_removed_at_the_right_and_bottom_alone(width, height, right, below, colour):
    image = np.zeros((height + below, width + right), np.uint8)
    image[height - 1, 0] = image[0, width - 1] = 1  # the last row and the last column that are used
    if colour:
        image = np.stack([np.zeros_like(image), image, np.zeros_like(image)], axis=2)
    assert content_crop(image) == Crop(0, 0, width, height)


def test_black_at_the_left_and_top_stays():
    image = np.zeros((8, 9), np.uint8)
    image[5, 6] = 255
    assert content_crop(image) == Crop(0, 0, 7, 6)


def test_a_blank_image_has_no_content():
    assert content_crop(np.zeros((4, 5, 3), np.uint8)) is None


@given(points, points, st.floats(0.05, 0.5))
def test_the_radial_error_is_the_distance_in_mm(a, b, spacing_mm):
    expected = np.linalg.norm(a - b, axis=1) * spacing_mm
    np.testing.assert_allclose(radial_error_mm(a, b, spacing_mm), expected, rtol=1e-9, atol=1e-9)


def test_each_image_has_its_own_spacing():
    predicted, true = np.zeros((2, 3, 2)), np.full((2, 3, 2), [3.0, 4.0])
    np.testing.assert_allclose(radial_error_mm(predicted, true, np.array([[0.1], [0.2]])), [[0.5] * 3, [1.0] * 3])


coordinates = st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3))
layouts = arrays(float, (6, 2), elements=coordinates).filter(lambda points: points.std(axis=0).min() > 1)
angles = st.floats(-3, 3)
scales = st.floats(0.1, 20)


def moved(points: np.ndarray, angle: float, scale: float, offset: float = 0) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + offset


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


@given(layouts, angles, scales, coordinates)
def test_the_scale_is_that_of_the_similarity(layout, angle, scale, offset):
    assert layout_scale(layout, moved(layout, angle, scale, offset)) == pytest.approx(scale, rel=1e-6)


@given(layouts, angles, scales, st.integers(0, 5))
def test_a_missing_landmark_changes_nothing_where_the_layout_fits(layout, angle, scale, missing):
    points = moved(layout, angle, scale)
    points[missing] = np.nan
    if np.nanstd(points, axis=0).min() > 0.1:
        assert layout_scale(layout, points) == pytest.approx(scale, rel=1e-6)


def test_there_is_no_scale_without_two_different_landmarks():
    layout = np.array([[0.0, 0], [10, 0], [0, 10]])
    assert layout_scale(layout, np.full((3, 2), np.nan)) == 0
    assert layout_scale(layout, np.array([[5.0, 5], [np.nan] * 2, [np.nan] * 2])) == 0
    assert layout_scale(layout, np.full((3, 2), 7.0)) == 0


@given(layouts, st.lists(st.tuples(angles, coordinates), min_size=2, max_size=5), st.floats(0.05, 0.5))
def test_the_mean_of_turned_copies_is_the_layout_itself_in_millimetres(layout, motions, spacing):
    copies = np.stack([moved(layout, angle, 1, offset) for angle, offset in motions])
    mean = mean_layout_mm(copies, np.full(len(motions), spacing))
    assert distances(mean) == pytest.approx(distances(layout) * spacing, abs=1e-6)
    assert mean.mean(axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_x_rays_of_different_spacing_agree_in_millimetres():
    layout = np.array([[0.0, 0], [60, 5], [20, 90], [70, 80]])
    mean = mean_layout_mm(np.stack([layout / 0.1, moved(layout, 0.2, 1 / 0.125)]), np.array([0.1, 0.125]))
    assert distances(mean) == pytest.approx(distances(layout))


def test_the_mean_layout_does_without_missing_landmarks():
    layout = np.array([[0.0, 0], [60, 5], [20, 90], [70, 80]])
    incomplete = np.stack([layout, moved(layout, 0.3, 1, 5), layout + 3])
    incomplete[0, 1] = incomplete[2, 3] = np.nan
    incomplete[:, 2] = np.nan
    mean = mean_layout_mm(incomplete, np.ones(3))
    known = [0, 1, 3]
    assert distances(mean[known]) == pytest.approx(distances(layout[known]), abs=1e-6)
    assert np.isnan(mean[2]).all()
