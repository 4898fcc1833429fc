"""Which spacing is trusted."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.xrays.spacing import check_spacing, chosen_spacing, file_spacing

FILE = Path('film.dcm')


@given(st.floats(0.011, 0.99), st.floats(-0.009, 0.009))
def test_square_pixels_of_a_plausible_size_are_trusted(size, difference):
    spacing_mm, warnings = file_spacing(FILE, 'PixelSpacing', (size, size * (1 + difference)))
    assert spacing_mm == pytest.approx(size, rel=0.01) and warnings == ()


def test_one_is_the_placeholder_of_programs_that_do_not_know():
    assert file_spacing(FILE, 'ElementSpacing', (1, 1)) == (None, ())


@pytest.mark.parametrize('size', [0.005, 1.5, 100, 0, -0.1, math.nan, math.inf])
def test_a_size_that_no_pixel_has_is_not_used_and_named(size):
    spacing_mm, (warning,) = file_spacing(FILE, 'PixelSpacing', (size, size))
    assert spacing_mm is None
    assert f'PixelSpacing = {size:g}' in warning


@given(st.floats(0.02, 0.9), st.floats(1.02, 3))
def test_pixels_that_are_not_square_are_refused_either_way_round(size, ratio):
    for pair in [(size, size * ratio), (size * ratio, size)]:
        with pytest.raises(InputError, match=r'film\.dcm: PixelSpacing = .*not square.*resample'):
            file_spacing(FILE, 'PixelSpacing', pair)


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
