"""PNG files of all kinds: the same film gives the same grey levels, whatever else is in the file."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.xrays.frames import grey_levels
from cephalometric.xrays.pictures import read_picture
from cephalometric.xrays.png_chunks import read_chunks

ROWS, COLUMNS = 21, 26
FILM = np.add.outer(np.arange(ROWS) * 90, np.arange(COLUMNS) * 80).astype(np.uint16)  # 12 bits
FILM[5:9, 7:20] += np.random.default_rng(1).integers(0, 90, (4, 13), dtype=np.uint16)
PASSES = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
SIGNATURE = b'\x89PNG\r\n\x1a\n'


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def packed_rows(values, depth):
    """Rows of (H, W, channels), each with the filter 0, as PNG packs them."""
    if depth == 16:
        return b''.join(b'\0' + row.astype('>u2').tobytes() for row in values)
    bits = (values.reshape(len(values), -1, 1) >> np.arange(depth)[::-1]) & 1
    return b''.join(b'\0' + np.packbits(row.ravel().astype(np.uint8)).tobytes() for row in bits)


def png(values, depth, colours, interlaced=False, before=b'', after=b''):
    """A PNG file written by hand, of values of shape (H, W, channels)."""
    header = struct.pack('>IIBBBBB', values.shape[1], values.shape[0], depth, colours, 0, 0, interlaced)
    parts = [values[y::rows, x::columns] for y, x, rows, columns in PASSES] if interlaced else [values]
    pixels = zlib.compress(b''.join(packed_rows(part, depth) for part in parts if part.size))
    half = len(pixels) // 2
    data = chunk(b'IDAT', pixels[:half]) + chunk(b'IDAT', pixels[half:])
    return SIGNATURE + chunk(b'IHDR', header) + before + data + after + chunk(b'IEND', b'')


def read(folder, content):
    path = folder / 'film.png'
    path.write_bytes(content)
    (frame,) = read_picture(path)
    return frame


def grey_of(image):
    if image.ndim == 2:
        return image.astype(int)
    assert (image == image[..., :1]).all()
    return image[..., 0].astype(int)


COLOURS = {0: 1, 2: 3, 4: 2, 6: 4}
EXTRAS = {
    'nothing': b'',
    'large text': chunk(b'zTXt', b'Comment\0\0' + zlib.compress(bytes(3_000_000))),
    'international text': chunk(b'iTXt', b'Comment\0\1\0\0\0' + zlib.compress(bytes(3_000_000))),
    'broken text': chunk(b'zTXt', b'Comment\0\0no zlib'),
    'wrong checksum': chunk(b'tEXt', b'Comment\0hello')[:-1] + b'x',
    'large profile': chunk(b'iCCP', b'icc\0\0' + zlib.compress(bytes(5_000_000))),
    'broken profile': chunk(b'iCCP', b'icc\0\0nothing'),
    'short gamma': chunk(b'gAMA', b'\1'),
    'broken EXIF': chunk(b'eXIf', b'II*\0\xff\xff\xff\xff'),
    'large profile of ImageMagick': chunk(b'zTXt', b'Raw profile type exif\0\0' + zlib.compress(bytes(3_000_000))),
    'broken profile of ImageMagick': chunk(b'tEXt', b'Raw profile type exif\0\nexif\n   9\nnothing'),
    'animation': chunk(b'acTL', struct.pack('>II', 2, 0)),
    'unknown': chunk(b'vpAg', bytes(9)),
}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    depth=st.sampled_from([8, 16]),
    colours=st.sampled_from(sorted(COLOURS)),
    interlaced=st.booleans(),
    before=st.sampled_from(sorted(EXTRAS)),
    after=st.sampled_from(sorted(EXTRAS)),
    key=st.booleans(),
)
def test_the_same_film_gives_the_same_picture(tmp_path, depth, colours, interlaced, before, after, key):
    film = FILM if depth == 16 else FILM >> 4
    channels = [film] * (3 if colours in (2, 6) else 1)
    if colours in (4, 6):
        channels += [np.full_like(film, 2**depth - 1)]
    # A transparent value that no pixel has.
    unused = chunk(b'tRNS', struct.pack('>H', 2**depth - 1) * len(channels)) if key and colours in (0, 2) else b''
    frame = read(
        tmp_path,
        png(np.stack(channels, axis=2), depth, colours, interlaced, EXTRAS[before] + unused, EXTRAS[after]),
    )
    expected = grey_levels(FILM) if depth == 16 else film
    np.testing.assert_allclose(grey_of(frame.image), expected.astype(int), atol=1)
    assert frame.warnings == ()


@pytest.mark.parametrize('depth', [1, 2, 4])
@pytest.mark.parametrize('interlaced', [False, True])
@pytest.mark.parametrize('key', [False, True])
def test_few_grey_levels(tmp_path, depth, interlaced, key):
    film = (FILM >> (12 - depth))[..., None]
    expected = film[..., 0].astype(int) * (255 // (2**depth - 1))
    transparent = chunk(b'tRNS', struct.pack('>H', 1)) if key else b''
    frame = read(tmp_path, png(film, depth, 0, interlaced, transparent))
    np.testing.assert_array_equal(grey_of(frame.image), np.where((film[..., 0] == 1) & key, 0, expected))
    assert bool(frame.warnings) == key


@pytest.mark.parametrize('depth', [1, 2, 4, 8])
def test_palettes_with_and_without_transparent_entries(tmp_path, depth):
    levels = np.linspace(10, 250, 2**depth).astype(np.uint8)
    palette = chunk(b'PLTE', np.repeat(levels, 3).tobytes())
    indices = (FILM >> (12 - depth))[..., None]
    frame = read(tmp_path, png(indices, depth, 3, before=palette))
    np.testing.assert_array_equal(grey_of(frame.image), levels[indices[..., 0]])
    frame = read(tmp_path, png(indices, depth, 3, before=palette + chunk(b'tRNS', b'\0')))
    np.testing.assert_array_equal(grey_of(frame.image), np.where(indices[..., 0], levels[indices[..., 0]], 0))
    assert 'transparent' in frame.warnings[0]


@pytest.mark.parametrize('colours', [0, 2])
def test_a_deep_value_that_is_transparent_is_black_and_counts_for_nothing(tmp_path, colours):
    film = FILM.copy()
    film[:6] = 40000  # The surround, in a value that no tissue has.
    values = np.stack([film] * COLOURS[colours], axis=2)
    key = chunk(b'tRNS', struct.pack('>H', 40000) * COLOURS[colours])
    frame = read(tmp_path, png(values, 16, colours, before=key))
    assert not frame.image[:6].any() and 'transparent' in frame.warnings[0]
    np.testing.assert_allclose(grey_of(frame.image)[6:], grey_levels(FILM[6:]).astype(int), atol=1)


@pytest.mark.parametrize('colours', [4, 6])
def test_transparent_parts_of_deep_films_are_black(tmp_path, colours):
    alpha = np.full_like(FILM, 65535)
    alpha[:6], alpha[6] = 0, 32768
    values = np.stack([FILM] * (COLOURS[colours] - 1) + [alpha], axis=2)
    frame = read(tmp_path, png(values, 16, colours))
    assert not frame.image[:6].any() and 'transparent' in frame.warnings[0]
    expected = grey_levels(FILM[6:]).astype(int)
    np.testing.assert_allclose(grey_of(frame.image)[7:], expected[1:], atol=1)
    np.testing.assert_allclose(grey_of(frame.image)[6], expected[0] / 2, atol=1)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('colours', [0, 6])
@pytest.mark.parametrize('place', ['EXIF', 'XMP'])
def test_deep_films_are_turned_upright(tmp_path, orientation, colours, place):
    if place == 'EXIF':
        tag = struct.pack('<HHIHH', 274, 3, 1, orientation, 0)
        where = chunk(b'eXIf', b'II*\0' + struct.pack('<IH', 8, 1) + tag + bytes(4))
    else:
        text = f'<rdf:Description tiff:Orientation="{orientation}"/>'
        where = chunk(b'iTXt', b'XML:com.adobe.xmp\0\0\0\0\0' + text.encode())
    eight = read(tmp_path, png((FILM >> 4)[..., None], 8, 0, before=where))
    values = [FILM >> 4] * (COLOURS[colours] - (colours == 6)) + [np.full_like(FILM, 255)] * (colours == 6)
    deep = read(tmp_path, png(np.stack(values, axis=2) * 257, 16, colours, before=where))
    np.testing.assert_array_equal(grey_of(deep.image), grey_of(eight.image))
    assert deep.warnings == eight.warnings and len(deep.warnings) == (orientation != 1)


def test_what_opencv_writes(tmp_path):
    for channels in (1, 3, 4):
        values = np.stack([FILM] * min(channels, 3) + [np.full_like(FILM, 65535)] * (channels == 4), axis=2)
        cv2.imwrite(str(tmp_path / 'film.png'), values)
        (frame,) = read_picture(tmp_path / 'film.png')
        np.testing.assert_allclose(grey_of(frame.image), grey_levels(FILM).astype(int), atol=1)


def test_the_chunks_are_described(tmp_path):
    path = tmp_path / 'film.png'
    path.write_bytes(png(FILM[..., None], 16, 0, before=chunk(b'tRNS', b'\1\2') + EXTRAS['large text']))
    with open(path, 'rb') as file:
        chunks = read_chunks(path, file)
    assert (chunks.rows, chunks.columns, chunks.depth, chunks.colours, chunks.key) == (ROWS, COLUMNS, 16, 0, (258,))
    assert chunks.content == chunks.plain == png(FILM[..., None], 16, 0)


WHOLE = {depth: png(np.stack([FILM >> (16 - depth) // 2] * 3, axis=2), depth, 2) for depth in (8, 16)}


@pytest.mark.parametrize('depth', WHOLE)
def test_truncated_anywhere(tmp_path, depth):
    content = WHOLE[depth]
    for length in range(8, len(content) - 12, 7):
        with pytest.raises(InputError, match=r'film\.png: cannot be decoded') as caught:
            read(tmp_path, content[:length])
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('depth', WHOLE)
def test_pixels_that_end_too_early_inside_of_sound_chunks(tmp_path, depth):
    header = struct.pack('>IIBBBBB', COLUMNS, ROWS, depth, 2, 0, 0, 0)
    pixels = zlib.compress(packed_rows(np.stack([FILM >> 4] * 3, axis=2), depth))
    for length in (0, 1, 50, len(pixels) // 2):
        content = SIGNATURE + chunk(b'IHDR', header) + chunk(b'IDAT', pixels[:length]) + chunk(b'IEND', b'')
        with pytest.raises(InputError, match=r'film\.png: cannot be decoded'):
            read(tmp_path, content)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (SIGNATURE + chunk(b'IDAT', b''), 'header is missing'),
        (SIGNATURE + chunk(b'IHDR', b'\0' * 12), 'header is of a wrong form'),
        (png(FILM[..., None], 16, 0).replace(b'IDAT', b'IDOT'), 'pixels are missing'),
        (png(FILM[..., None], 16, 0, before=chunk(b'tRNS', b'\1')), 'transparent colour'),
        (png(FILM[..., None], 16, 0, before=b'\0\0\0\1\0\1\2\3'), 'chunks are of a wrong form'),
        (png(FILM[..., None], 16, 0)[:8] + chunk(b'IHDR', struct.pack('>IIBBBBB', 9, 9, 9, 0, 0, 0, 0)), 'wrong form'),
        (SIGNATURE + chunk(b'IHDR', struct.pack('>IIBBBBB', 9000, 8000, 16, 6, 0, 0, 0)), '9000 x 8000 pixels'),
        (SIGNATURE + chunk(b'IHDR', struct.pack('>IIBBBBB', 2**32 - 1, 2**32 - 1, 8, 0, 0, 0, 0)), 'pixels'),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, message):
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, content)
    assert 'film.png' in str(caught.value)
