"""X-rays as image files: grey stays grey, colours come in RGB order."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from cephalometric.annotations.coco import LabelledImage, LabelledImages, read_image
from cephalometric.errors import InputError
from cephalometric.xrays.pictures import read_picture


def entry(folder: Path, width=5, height=4):
    image = LabelledImage(1, 'one.png', width, height, 0.1, np.zeros((1, 2)))
    return LabelledImages(folder / 'test.json', 'mine', ('S',), (image,)), image


def test_grey_and_colour(tmp_path):
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    cv2.imwrite(str(tmp_path / 'one.png'), grey)
    np.testing.assert_array_equal(read_image(*entry(tmp_path)), grey)
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / 'one.png'), red)
    assert read_image(*entry(tmp_path))[0, 0].tolist() == [255, 0, 0]


def test_a_missing_or_changed_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'one\.png: cannot be read'):
        read_image(*entry(tmp_path))
    cv2.imwrite(str(tmp_path / 'one.png'), np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match='6 x 4'):
        read_image(*entry(tmp_path, width=6))


GREY = np.random.default_rng(3).integers(0, 256, (30, 40), dtype=np.uint8)
RED = np.zeros((30, 40, 3), np.uint8)
RED[..., 0] = 255


def only(path):
    (frame,) = read_picture(path)
    assert frame.image.dtype == np.uint8 and frame.count == 1 and frame.spacing_mm is None
    return frame


@pytest.mark.parametrize('suffix', ['png', 'tif', 'bmp'])
def test_grey_levels_and_rgb_order_come_back(tmp_path, suffix):
    path = tmp_path / f'film.{suffix}'
    for array in (GREY, RED):
        Image.fromarray(array).save(path)
        frame = only(path)
        np.testing.assert_array_equal(frame.image, array)
        assert frame.warnings == ()


@pytest.mark.parametrize('mode', ['RGB', 'CMYK'])
def test_jpeg_in_rgb_and_cmyk(tmp_path, mode):
    path = tmp_path / 'film.jpg'
    Image.fromarray(RED).convert(mode).save(path, quality=95)
    np.testing.assert_allclose(only(path).image, RED, atol=6)


def test_grey_jpeg(tmp_path):
    smooth = np.tile(np.arange(0, 200, 5, dtype=np.uint8), (30, 1))
    Image.fromarray(smooth).save(tmp_path / 'film.jpg', quality=95)
    image = only(tmp_path / 'film.jpg').image
    assert image.ndim == 2
    np.testing.assert_allclose(image, smooth, atol=6)


def test_palettes_and_bitmaps(tmp_path):
    path = tmp_path / 'film.png'
    Image.fromarray(RED).convert('P').save(path)
    np.testing.assert_array_equal(only(path).image, RED)
    Image.fromarray(GREY > 127).save(path)
    np.testing.assert_array_equal(only(path).image, np.where(GREY > 127, 255, 0))


@pytest.mark.parametrize('mode', ['LA', 'RGBA'])
def test_transparent_parts_are_black_and_opaque_alpha_says_nothing(tmp_path, mode):
    path = tmp_path / 'film.png'
    picture = Image.fromarray(GREY).convert(mode)
    picture.save(path)
    frame = only(path)
    np.testing.assert_array_equal(frame.image, np.repeat(GREY[..., None], 3, axis=2))
    assert frame.warnings == ()
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[:10] = 0
    picture.putalpha(Image.fromarray(alpha))
    picture.save(path)
    frame = only(path)
    assert not frame.image[:10].any()
    np.testing.assert_array_equal(frame.image[10:, :, 0], GREY[10:])
    assert 'transparent' in frame.warnings[0]


@pytest.mark.parametrize('suffix', ['png', 'tif'])
@pytest.mark.parametrize('depth', [10, 12, 16])
def test_16_bits_are_spread_over_8(tmp_path, suffix, depth):
    path = tmp_path / f'film.{suffix}'
    deep = np.linspace(0, 2**depth - 1, 1200).reshape(30, 40).astype(np.uint16)
    Image.fromarray(deep).save(path)
    image = only(path).image.ravel().astype(int)
    assert image[0] == 0 and image[-1] == 255
    np.testing.assert_allclose(image, np.linspace(0, 255, 1200), atol=2)


def test_float_tiff(tmp_path):
    values = np.linspace(-1, 1, 1200, dtype=np.float32).reshape(30, 40)
    Image.fromarray(values).save(tmp_path / 'film.tif')
    np.testing.assert_allclose(only(tmp_path / 'film.tif').image.ravel(), np.linspace(0, 255, 1200), atol=2)


def test_16_bit_colours_are_read(tmp_path):
    deep = np.zeros((30, 40, 3), np.uint16)
    deep[..., 2] = 65535  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / 'film.png'), deep)
    frame = only(tmp_path / 'film.png')
    np.testing.assert_array_equal(frame.image, RED)
    assert frame.warnings == ()


@pytest.mark.parametrize(('order', 'bits'), [('<', 8), ('<', 16), ('>', 8)])
def test_a_tiff_whose_white_is_zero_is_shown_as_meant(tmp_path, order, bits):
    ramp = np.linspace(0, 2**bits - 1, 1200).reshape(30, 40).astype(f'{order}u{bits // 8}')
    fields = [
        (256, 40),
        (257, 30),
        (258, bits),
        (259, 1),
        (262, 0),
        (273, 134),
        (277, 1),
        (278, 30),
        (279, ramp.nbytes),
    ]
    entries = b''.join(
        struct.pack(f'{order}HHI', tag, 4, 1) + struct.pack(f'{order}I', value)
        if tag in (273, 279)
        else struct.pack(f'{order}HHIHH', tag, 3, 1, value, 0)
        for tag, value in fields
    )
    start = (b'II' if order == '<' else b'MM') + struct.pack(f'{order}HIH', 42, 8, len(fields))
    content = (start + entries + bytes(4)).ljust(134, b'\0')
    (tmp_path / 'film.tif').write_bytes(content + ramp.tobytes())
    image = only(tmp_path / 'film.tif').image
    np.testing.assert_allclose(image.ravel(), np.linspace(255, 0, 1200), atol=2)


@pytest.mark.parametrize(('suffix', 'compression'), [('jpg', None), ('png', None), ('tif', None), ('tif', 'tiff_lzw')])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_orientation_is_obeyed_and_reported(tmp_path, suffix, orientation, compression):
    path = tmp_path / f'film.{suffix}'
    ramp = np.add.outer(np.arange(0, 120, 4), np.arange(0, 80, 2)).astype(np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(ramp).save(path, exif=exif, compression=compression)
    frame = only(path)
    turns = {2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose, 6: lambda a: np.rot90(a, -1)}
    turns |= {1: lambda a: a, 7: lambda a: np.rot90(a, 2).T, 8: np.rot90}
    expected = turns[orientation](ramp)
    assert frame.image.shape == expected.shape
    np.testing.assert_allclose(frame.image, expected, atol=8)
    if orientation == 1:
        assert frame.warnings == ()
    else:
        height, width = expected.shape
        assert f'orientation {orientation}' in frame.warnings[0] and f'{width} x {height}' in frame.warnings[0]


def test_the_pages_of_a_tiff_but_not_its_thumbnails(tmp_path):
    path = tmp_path / 'pages.tif'
    pages = [Image.fromarray(GREY), Image.fromarray(255 - GREY), Image.fromarray(RED)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression='tiff_lzw')
    frames = list(read_picture(path))
    assert [frame.count for frame in frames] == [3, 3, 3]
    for frame, expected in zip(frames, (GREY, 255 - GREY, RED), strict=True):
        np.testing.assert_array_equal(frame.image, expected)
    thumbnail = Image.fromarray(GREY[::2, ::2])
    thumbnail.encoderinfo = {'tiffinfo': {254: 1}}
    pages[0].save(path, save_all=True, append_images=[thumbnail])
    np.testing.assert_array_equal(only(path).image, GREY)


def test_only_the_first_image_of_an_animation(tmp_path):
    first = Image.fromarray(GREY)
    first.save(tmp_path / 'film.png', save_all=True, append_images=[Image.fromarray(255 - GREY)])
    np.testing.assert_array_equal(only(tmp_path / 'film.png').image, GREY)


def test_dots_per_inch_are_no_spacing(tmp_path):
    Image.fromarray(GREY).save(tmp_path / 'film.png', dpi=(300, 300))
    assert only(tmp_path / 'film.png').spacing_mm is None


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'tif', 'bmp'])
@pytest.mark.parametrize('share', [0.3, 0.9])
def test_truncated_files_are_named(tmp_path, suffix, share):
    path = tmp_path / f'film.{suffix}'
    Image.fromarray(GREY).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf'film\.{suffix}: (cannot be decoded|not a PNG)'):
        list(read_picture(path))


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / 'film.png'
    Image.new('1', (30000, 3000)).save(path)  # 90 million pixels in 12 KB
    with pytest.raises(InputError, match='30000 x 3000 pixels'):
        list(read_picture(path))


def test_a_bomb_that_pillow_knows_is_named_too(tmp_path):
    header = struct.pack('>II5B', 60000, 60000, 8, 0, 0, 0, 0)
    chunk = struct.pack('>I', 13) + b'IHDR' + header + struct.pack('>I', zlib.crc32(b'IHDR' + header))
    chunk += struct.pack('>I', 9) + b'IDAT'
    (tmp_path / 'film.png').write_bytes(b'\x89PNG\r\n\x1a\n' + chunk)
    with pytest.raises(InputError, match=r'film\.png: 60000 x 60000 pixels'):
        list(read_picture(tmp_path / 'film.png'))


def test_colours_that_cannot_be_shown_are_refused(tmp_path):
    Image.new('LAB', (4, 5)).save(tmp_path / 'film.tif')
    with pytest.raises(InputError, match=r'film\.tif: its colours are LAB'):
        list(read_picture(tmp_path / 'film.tif'))
