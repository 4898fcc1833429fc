"""Pixels, millimetres and crops."""

import hypothesis.extra.numpy as arrays
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.geometry import Crop, content_crop, radial_error_mm

sizes = st.integers(1, 12)
points = arrays.arrays(float, (5, 2), elements=st.floats(-1e4, 1e4))


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
