"""What the readers of X-ray files share.

Pixel values of any depth as 8 bits.

Which spacing is trusted.
"""

import math
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cephalometric.errors import InputError
from cephalometric.xrays.frames import (
    MOST_PIXELS,
    check_size,
    check_spacing,
    chosen_spacing,
    decoding,
    file_spacing,
    grey_levels,
    is_dicom,
    robust_range,
    to_uint8,
)

FILE = Path('film.png')


def test_sizes_of_x_rays_pass_and_others_are_refused():
    check_size(FILE, 2400, 2880)
    check_size(FILE, 1, MOST_PIXELS)
    check_size(FILE, 8000, 10000, bytes_per_pixel=3)
    for rows, columns in [(1, MOST_PIXELS + 1), (20000, 20000), (5, 0), (0, 5), (-5, -4)]:
        with pytest.raises(InputError, match=f'film.png: {columns} x {rows} pixels.*80 million'):
            check_size(FILE, rows, columns)


def test_one_limit_of_memory_for_all_frames_that_are_unpacked_at_once():
    check_size(FILE, 2400, 2880, 10, 3)
    with pytest.raises(InputError, match=r'film\.png: 2880 x 2400 pixels, 400 frames with 3 bytes each.*256 MB'):
        check_size(FILE, 2400, 2880, 400, 3)
    with pytest.raises(InputError, match=r'film\.png: 10000 x 8000 pixels, 8 bytes each'):
        check_size(FILE, 8000, 10000, bytes_per_pixel=8)


@pytest.mark.parametrize('error', [KeyError('tag'), ValueError('two\nlines'), MemoryError(), AssertionError()])
def test_what_a_decoder_raises_is_about_the_file(error):
    with (
        pytest.raises(InputError, match=rf'film\.png: cannot be decoded.*{type(error).__name__}') as caught,
        decoding(FILE),
    ):
        raise error
    assert caught.value.__cause__ is error
    assert '\n' not in str(caught.value)


def test_what_a_decoder_says_can_be_left_out():
    with pytest.raises(InputError, match='because') as caught, decoding(FILE, 'its header'):
        raise ValueError('Doe^Jane')
    assert 'its header' in str(caught.value) and 'Doe' not in str(caught.value)


def test_messages_that_are_clear_already_stay_and_interrupts_pass():
    with pytest.raises(InputError, match=r'^clear$'), decoding(FILE):
        raise InputError('clear')
    with pytest.raises(KeyboardInterrupt), decoding(FILE):
        raise KeyboardInterrupt


def test_what_a_decoder_warns_of_is_not_printed(recwarn):
    with decoding(FILE):
        warnings.warn('corrupt EXIF data', stacklevel=1)
    assert not recwarn


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


def test_the_preamble_and_its_absence():
    assert is_dicom(bytes(128) + b'DICM')
    assert is_dicom(b'\x08\0\x05\0CS' + bytes(200))


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'\x89PNG\r\n\x1a\n',
        b'ObjectType = Image',
        b'II*\0',
        bytes(200),
        b'\x08\0\x10\0\x18\0\x20\0',
        b'text ' * 50,
    ],
)
def test_other_files_are_not_taken_for_dicom(content):
    assert not is_dicom(content)


def test_other_x_rays_are_read_without_the_dicom_libraries():
    code = 'import sys, cephalometric.xrays.reading; sys.exit("pydicom" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0


DICOM_FILE = Path('film.dcm')


@given(st.floats(0.011, 0.99), st.floats(-0.009, 0.009))
def test_square_pixels_of_a_plausible_size_are_trusted(size, difference):
    spacing_mm, warnings = file_spacing(DICOM_FILE, 'PixelSpacing', (size, size * (1 + difference)))
    assert spacing_mm == pytest.approx(size, rel=0.01) and warnings == ()


def test_one_is_the_placeholder_of_programs_that_do_not_know():
    assert file_spacing(DICOM_FILE, 'ElementSpacing', (1, 1)) == (None, ())


@pytest.mark.parametrize('size', [0.005, 1.5, 100, 0, -0.1, math.nan, math.inf])
def test_a_size_that_no_pixel_has_is_not_used_and_named(size):
    spacing_mm, (warning,) = file_spacing(DICOM_FILE, 'PixelSpacing', (size, size))
    assert spacing_mm is None
    assert f'PixelSpacing = {size:g}' in warning


@given(st.floats(0.02, 0.9), st.floats(1.02, 3))
def test_pixels_that_are_not_square_are_refused_either_way_round(size, ratio):
    for pair in [(size, size * ratio), (size * ratio, size)]:
        with pytest.raises(InputError, match=r'film\.dcm: PixelSpacing = .*not square.*resample'):
            file_spacing(DICOM_FILE, 'PixelSpacing', pair)


@pytest.mark.parametrize(
    ('file_mm', 'asked_mm', 'used_mm', 'warned'),
    [
        (None, None, None, False),
        (0.1, None, 0.1, False),
        (None, 0.2, 0.2, False),
        (0.1, 0.104, 0.104, False),
        (0.1, 0.106, 0.106, True),
        (0.1, 0.094, 0.094, True),
    ],
)
def test_the_user_is_right_and_told_of_a_contradiction(file_mm, asked_mm, used_mm, warned):
    spacing_mm, warnings = chosen_spacing(file_mm, asked_mm)
    assert spacing_mm == used_mm
    assert bool(warnings) == warned
    assert all(f'{asked_mm:g}' in warning and f'{file_mm:g}' in warning for warning in warnings)


@pytest.mark.parametrize('asked', [0, -0.1, math.nan, math.inf])
def test_a_spacing_asked_for_is_a_positive_number(asked):
    with pytest.raises(InputError, match='cannot be used'):
        check_spacing(asked)
    check_spacing(None)
    check_spacing(0.1)


EIGHT = np.random.default_rng(4).integers(0, 256, (30, 40), dtype=np.uint8)
EIGHT[0, :2] = 0, 255


@pytest.mark.parametrize('kind', [np.uint16, np.int16, np.int32, np.uint32, np.float16, np.float32, np.float64])
def test_8_bits_in_a_wider_type_stay_what_they_are(kind):
    np.testing.assert_array_equal(grey_levels(EIGHT.astype(kind)), EIGHT)
    if np.issubdtype(kind, np.floating):
        np.testing.assert_array_equal(grey_levels((EIGHT / 255).astype(kind)), EIGHT)
    elif kind != np.int16:
        np.testing.assert_array_equal(grey_levels(EIGHT.astype(kind) * 257), EIGHT)
        np.testing.assert_array_equal(grey_levels(EIGHT.astype(kind) * 256), EIGHT)


def test_deeper_values_are_mapped_from_between_their_percentiles():
    deep = np.linspace(100, 4000, 1200).astype(np.uint16)
    np.testing.assert_array_equal(grey_levels(deep), to_uint8(deep, *robust_range(deep)))
    exposed = np.arange(1200) >= 600
    np.testing.assert_array_equal(grey_levels(deep, exposed), to_uint8(deep, *robust_range(deep[600:])))
    assert not grey_levels(np.full((2, 2), np.nan)).any()


@given(VALUES)
def test_the_range_is_that_of_numpys_percentiles(values):
    low, high = np.percentile(values.astype(float), [0.1, 99.9])
    if low < high:
        assert robust_range(values) == pytest.approx((low, high), rel=1e-9, abs=1e-9)
