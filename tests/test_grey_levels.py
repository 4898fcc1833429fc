"""Pixel values of any depth as 8 bits."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cephalometric.formats.grey_levels import robust_range, to_uint8

INTEGERS = st.sampled_from([np.uint8, np.int16, np.uint16, np.int32]).flatmap(
    lambda kind: arrays(kind, array_shapes(min_dims=1, max_dims=2, max_side=20))
)
FLOATS = arrays(np.float32, array_shapes(max_dims=2, max_side=20), elements=st.floats(-1e6, 1e6, width=32))
VALUES = INTEGERS | FLOATS
BOUNDS = st.tuples(st.floats(-1e5, 1e5), st.floats(1e-2, 1e5)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(VALUES, BOUNDS)
def test_a_larger_value_never_becomes_a_smaller_one(values, bounds):
    shown = to_uint8(values, *bounds)
    assert shown.dtype == np.uint8 and shown.shape == values.shape
    order = np.argsort(values, axis=None)
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()


@given(VALUES, BOUNDS)
def test_turning_the_values_round_turns_the_picture_round(values, bounds):
    low, high = bounds
    shown = to_uint8(values, low, high).astype(int)
    inverted = to_uint8(-values.astype(float), -high, -low)
    assert np.abs(255 - shown - inverted).max() <= 1  # a half is rounded to even on both ways


@given(st.integers(-(2**15), 2**15), st.integers(1, 2**16))
def test_the_ends_of_the_range_are_black_and_white_and_beyond_it_is_cut_off(low, width):
    values = np.array([low - 1, low, low + width, low + width + 1])
    assert to_uint8(values, low, low + width).tolist() == [0, 0, 255, 255]


@given(arrays(np.uint8, array_shapes(max_dims=2, max_side=20)))
def test_8_bits_over_their_whole_range_stay_as_they_are(values):
    np.testing.assert_array_equal(to_uint8(values, 0, 255), values)


@given(VALUES)
@example(np.array([-1, 32767], np.int16))  # their difference is not an int16
def test_the_range_lies_within_the_values(values):
    low, high = robust_range(values)
    assert values.min() <= low <= high <= values.max()


def test_outliers_do_not_darken_the_picture():
    values = np.random.default_rng(1).integers(1000, 3000, (200, 200)).astype(np.uint16)
    values[0, :10], values[1, :10] = 65535, 0
    low, high = robust_range(values)
    assert 1000 <= low < 1020 and 2980 < high <= 3000


def test_a_mask_and_a_constant_image():
    mask = np.zeros((100, 100), np.uint16)
    mask[0, 0] = 7
    assert robust_range(mask) == (0, 7)
    assert to_uint8(mask, 0, 7).max() == 255
    constant = np.full((4, 5), 1000, np.uint16)
    assert not to_uint8(constant, *robust_range(constant)).any()


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_no_part_of_the_range(bad):
    values = np.array([[1.0, 2.0, 3.0, bad]], np.float32)
    low, high = robust_range(values)
    assert 1 <= low < high <= 3
    assert to_uint8(values, low, high)[0, 3] in (0, 255)
    assert robust_range(np.full((2, 2), bad)) == (0, 0)
