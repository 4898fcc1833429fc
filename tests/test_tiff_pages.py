"""TIFF files of all kinds: the same film gives the same grey levels, or the kind is named."""

import io
import struct

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cephalometric.errors import InputError
from cephalometric.xrays.frames import grey_levels
from cephalometric.xrays.pictures import read_picture
from cephalometric.xrays.tiff_pages import tiff_pages

ROWS, COLUMNS = 40, 48
FILM = np.add.outer(np.arange(ROWS) * 40, np.arange(COLUMNS) * 50).astype(np.uint16)  # 12 bits
FILM[5:9, 7:20] += np.random.default_rng(1).integers(0, 200, (4, 13), dtype=np.uint16)
EXPECTED = grey_levels(FILM)
TYPES = {
    'u1': FILM >> 4,
    **dict.fromkeys(('u2', 'i2', 'u4', 'i4'), FILM),
    'f2': FILM / 4096,
    'f4': FILM / 4096,
    'f8': FILM * 3.0,
}


def frames_of(path):
    return list(read_picture(path))


def read_or_refused(path, expected):
    """One frame like ``expected`` and True, or False with the kind named."""
    try:
        (frame,) = frames_of(path)
    except InputError as error:
        assert 'film.tif: a TIFF of a kind that is not supported' in str(error) and '\n' not in str(error)
        assert 'save it as 8-bit or 16-bit grey' in str(error)
        return False
    image = frame.image[..., 0] if frame.image.ndim == 3 else frame.image
    assert (frame.image == (image[..., None] if frame.image.ndim == 3 else image)).all()
    np.testing.assert_allclose(image.astype(int), expected.astype(int), atol=1)
    return True


def pixels_of(kind, channels, inverted):
    grey = TYPES[kind].astype(kind)
    if inverted:
        grey = {'u1': 255, 'u2': 65535, 'u4': 2**32 - 1}.get(kind, 0) - grey
    grey = grey.astype(kind)
    opaque = np.full_like(grey, np.iinfo(kind).max if kind[0] in 'ui' else 1)
    parts = {'L': [grey], 'LA': [grey, opaque], 'RGB': [grey] * 3, 'RGBA': [grey] * 3 + [opaque]}[channels]
    return parts[0] if len(parts) == 1 else np.stack(parts, axis=2)


@settings(max_examples=400)
@given(
    kind=st.sampled_from(sorted(TYPES)),
    channels=st.sampled_from(['L', 'LA', 'RGB', 'RGBA']),
    order=st.sampled_from('<>'),
    big=st.booleans(),
    compression=st.sampled_from([None, 'zlib', 'lzma']),
    predictor=st.booleans(),
    tile=st.sampled_from([None, (16, 32)]),
    rows_per_strip=st.sampled_from([None, 7]),
    inverted=st.booleans(),
    planar=st.booleans(),
    straight=st.booleans(),
)
def test_the_same_film_gives_the_same_picture(
    tmp_path_factory,
    kind,
    channels,
    order,
    big,
    compression,
    predictor,
    tile,
    rows_per_strip,
    inverted,
    planar,
    straight,
):
    path = tmp_path_factory.mktemp('tiff') / 'film.tif'
    inverted = inverted and channels == 'L'
    pixels = pixels_of(kind, channels, inverted)
    planar = planar and channels != 'L'
    alpha = ['unassalpha' if straight else 'assocalpha'] if 'A' in channels else None
    photometric = {'L': 'miniswhite' if inverted else 'minisblack', 'LA': 'minisblack'}.get(channels, 'rgb')
    tifffile.imwrite(
        path,
        np.moveaxis(pixels, -1, 0) if planar else pixels,
        byteorder=order,
        bigtiff=big,
        compression=compression,
        predictor=bool(predictor and compression == 'zlib' and kind[0] in 'ui') or None,
        tile=tile,
        rowsperstrip=None if tile else rows_per_strip,
        photometric=photometric,
        planarconfig=('separate' if planar else 'contig') if channels != 'L' else None,
        extrasamples=alpha,
    )
    read = read_or_refused(path, FILM >> 4 if kind == 'u1' else EXPECTED)
    usual = kind in ('u1', 'u2', 'i2', 'i4', 'f4', 'f8') and compression != 'lzma' and not planar
    if usual and channels != 'LA' and not (big and order == '>'):
        assert read


@settings(max_examples=60)
@given(
    kind=st.sampled_from(['u1', 'u2', 'i2', 'f4', 'f8']),
    colour=st.booleans(),
    compression=st.sampled_from([1, 5, 8, 32773, 50000]),
    rows_per_strip=st.integers(1, 50),
)
def test_what_opencv_writes(tmp_path_factory, kind, colour, compression, rows_per_strip):
    path = tmp_path_factory.mktemp('tiff') / 'film.tif'
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_ROWSPERSTRIP, rows_per_strip]
    if cv2.imwrite(str(path), pixels_of(kind, 'RGB' if colour else 'L', False), options):
        assert read_or_refused(path, FILM >> 4 if kind == 'u1' else EXPECTED) or compression == 50000


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'tiff_deflate', 'packbits', 'zstd', 'lzma'])
@pytest.mark.parametrize('mode', ['u1', 'u2', 'i4', 'f4'])
def test_what_pillow_writes(tmp_path, mode, compression):
    Image.fromarray(TYPES[mode].astype(mode)).save(tmp_path / 'film.tif', compression=compression)
    assert read_or_refused(tmp_path / 'film.tif', FILM >> 4 if mode == 'u1' else EXPECTED)


def write_tiff(path, tags, data, order='<'):
    """By hand: ``tags`` without the place and the size of the one strip, each a number or several short ones."""
    tags = {256: COLUMNS, 257: ROWS, 258: 8, 259: 1, 262: 1, 277: 1, 278: ROWS, 279: len(data)} | tags
    tags[273] = 8 + 2 + 12 * (len(tags) + 1) + 4
    entries = b''
    for tag, value in sorted(tags.items()):
        values = value if isinstance(value, tuple) else (value,)
        kind, code = (4, 'I') if len(values) == 1 and tag in (273, 279, 256, 257, 322, 323) else (3, 'H')
        packed = struct.pack(f'{order}{len(values)}{code}', *values)
        entries += struct.pack(f'{order}HHI', tag, kind, len(values)) + packed.ljust(4, b'\0')
    head = (b'II' if order == '<' else b'MM') + struct.pack(f'{order}HIH', 42, 8, len(tags))
    path.write_bytes(head + entries + bytes(4) + data)
    return path


@pytest.mark.parametrize('order', '<>')
def test_12_bits_that_are_packed(tmp_path, order):
    bits = np.unpackbits(FILM.astype('>u2').view(np.uint8).reshape(-1, 2), axis=1)[:, 4:]
    path = write_tiff(tmp_path / 'film.tif', {258: 12}, np.packbits(bits).tobytes(), order)
    assert read_or_refused(path, EXPECTED) == (order == '<')


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize(('kind', 'order'), [('u2', '<'), ('u2', '>'), ('f8', '<')])
def test_deep_films_are_turned_upright(tmp_path, orientation, kind, order):
    path = tmp_path / 'film.tif'
    tifffile.imwrite(
        path, TYPES[kind].astype(kind), byteorder=order, photometric='minisblack', extratags=[(274, 3, 1, orientation)]
    )
    (deep,) = frames_of(path)
    tifffile.imwrite(path, EXPECTED, photometric='minisblack', extratags=[(274, 3, 1, orientation)])
    (plain,) = frames_of(path)
    np.testing.assert_allclose(deep.image.astype(int), plain.image.astype(int), atol=1)
    assert deep.warnings == plain.warnings and len(plain.warnings) == (orientation != 1)


@pytest.mark.parametrize('straight', [True, False])
def test_transparent_parts_of_deep_films_are_black(tmp_path, straight):
    pixels = pixels_of('u2', 'RGBA', False)
    pixels[:10, :, 3] = 0
    if not straight:
        pixels[:10, :, :3] = 0
    kind = ['unassalpha' if straight else 'assocalpha']
    tifffile.imwrite(tmp_path / 'film.tif', pixels, photometric='rgb', extrasamples=kind)
    (frame,) = frames_of(tmp_path / 'film.tif')
    assert not frame.image[:10].any() and 'transparent' in frame.warnings[0]
    np.testing.assert_allclose(frame.image[10:].astype(int), grey_levels(FILM[10:]).astype(int), atol=1)


def test_a_fourth_channel_that_is_no_alpha_is_left_out(tmp_path):
    pixels = pixels_of('u2', 'RGBA', False)
    pixels[..., 3] = 0
    tifffile.imwrite(tmp_path / 'film.tif', pixels, photometric='rgb', extrasamples=['unspecified'])
    assert read_or_refused(tmp_path / 'film.tif', EXPECTED)


@pytest.mark.parametrize(
    ('tag', 'value', 'shown'),
    [(254, 1, 1), (254, 4, 1), (254, 5, 1), (254, 2, 2), (254, 0, 2), (255, 2, 1), (255, 1, 2)],
)
def test_masks_and_thumbnails_are_no_x_rays(tmp_path, tag, value, shown):
    content = io.BytesIO()
    with tifffile.TiffWriter(content) as writer:
        writer.write(FILM, photometric='minisblack', metadata=None)
        extra = {'subfiletype': value} if tag == 254 else {'extratags': [(255, 3, 1, value)]}
        writer.write(np.full((ROWS, COLUMNS), True), photometric='minisblack', metadata=None, **extra)
    (tmp_path / 'film.tif').write_bytes(content.getvalue())
    frames = frames_of(tmp_path / 'film.tif')
    assert [frame.count for frame in frames] == [shown] * shown
    np.testing.assert_allclose(frames[0].image.astype(int), EXPECTED.astype(int), atol=1)


def test_pages_of_different_kinds(tmp_path):
    path = tmp_path / 'film.tif'
    kinds = ['u2', 'f8', 'u1', 'i2', 'u2']
    with tifffile.TiffWriter(path, byteorder='<') as writer:
        for kind in kinds:
            writer.write(TYPES[kind].astype(kind), photometric='minisblack', metadata=None)
    frames = frames_of(path)
    for kind, frame in zip(kinds, frames, strict=True):
        expected = FILM >> 4 if kind == 'u1' else EXPECTED
        np.testing.assert_allclose(frame.image.astype(int), expected.astype(int), atol=1)


def test_the_pages_are_described(tmp_path):
    write_tiff(tmp_path / 'film.tif', {258: 16, 262: 0, 274: 6}, FILM.astype('>u2').tobytes(), '>')
    with open(tmp_path / 'film.tif', 'rb') as file:
        (page,) = tiff_pages(tmp_path / 'film.tif', file)
    assert (page.rows, page.columns, page.bits, page.channels, page.orientation) == (ROWS, COLUMNS, 16, 1, 6)
    assert page.inverted and page.deep and not page.by_pillow


@pytest.mark.parametrize(
    ('tags', 'message'),
    [
        ({256: 30000, 257: 30000}, '30000 x 30000 pixels'),
        ({256: 0}, '0 x 40 pixels'),
        ({258: 64, 339: 3, 256: 8000, 257: 9000}, '8000 x 9000 pixels, 8 bytes'),
        ({258: 16, 322: 60000, 323: 60000}, '60000 x 60000 pixels'),
        ({258: 16, 339: 3}, '16-bit floating-point grey, compression'),
        ({258: 16, 262: 5}, '16-bit CMYK'),
        ({258: 8, 339: 2}, '8-bit signed grey'),
        ({258: 16, 259: 34712}, 'kind that is not supported .16-bit grey'),
        ({256: 400}, 'cannot be decoded'),
        ({258: 64, 339: 3}, 'cannot be decoded'),
        ({258: 16, 259: 5}, 'cannot be decoded'),
    ],
)
@pytest.mark.parametrize('order', '<>')
def test_what_cannot_be_read_is_named(tmp_path, tags, message, order):
    path = write_tiff(tmp_path / 'film.tif', tags, FILM.astype(f'{order}u2').tobytes()[:3000], order)
    with pytest.raises(InputError, match=message) as caught:
        frames_of(path)
    assert 'film.tif' in str(caught.value) and '\n' not in str(caught.value)


def test_a_ring_of_pages_ends(tmp_path):
    path = write_tiff(tmp_path / 'film.tif', {}, bytes(ROWS * COLUMNS))
    content = bytearray(path.read_bytes())
    end = 10 + 12 * 9
    content[end : end + 4] = struct.pack('<I', 8)
    path.write_bytes(content)
    assert len(frames_of(path)) == 1
