"""What the readers of X-ray files share."""

import warnings
from pathlib import Path

import pytest

from cephalometric.errors import InputError
from cephalometric.formats.frames import MOST_PIXELS, check_size, decoding

FILE = Path('film.png')


def test_sizes_of_x_rays_pass_and_others_are_refused():
    check_size(FILE, 2880, 2400)
    check_size(FILE, MOST_PIXELS, 1)
    for width, height in [(MOST_PIXELS + 1, 1), (20000, 20000), (0, 5)]:
        with pytest.raises(InputError, match=f'film.png: {width} x {height} pixels.*80 million'):
            check_size(FILE, width, height)


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
