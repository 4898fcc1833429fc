"""X-rays as image files: PNG, JPEG, TIFF and BMP."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from cephalometric.errors import InputError
from cephalometric.xrays.frames import Frame, check_size, decoding, robust_range, to_uint8

FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP')
SIGNATURES = (b'\x89PNG', b'\xff\xd8\xff', b'II*\0', b'MM\0*', b'BM')
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
SUBFILE_TYPE, REDUCED = 254, 1
TURNED = range(2, 9)


def read_picture(path: str | Path) -> Iterator[Frame]:
    """The image of a PNG, JPEG, TIFF or BMP file, or each page of a TIFF file, one in memory at a time.

    The image is as viewers show it: turned upright as its EXIF orientation says, white where a TIFF says that white
    is zero, colours as RGB whether they were a palette or CMYK, and transparent parts on black, which is what surrounds
    an X-ray. 8 bits stay as they are; grey values of more bits are mapped to 8 from between their 0.1 and 99.9
    percentiles. Dots per inch are no spacing: they say how a picture is to be printed. Thumbnails among the pages of a
    TIFF are left out.

    Raises:
        InputError: The file is missing, damaged, incomplete, too large, or of a kind that is not an X-ray.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        with decoding(path):
            picture = _open(stack.enter_context(open(path, 'rb')), path)
            pages = _pages(picture)
        for page in pages:
            with decoding(path):
                picture.seek(page)
                check_size(path, picture.height, picture.width)
                frame = _frame(path, picture, len(pages))
            yield frame


def _open(file: BinaryIO, path: Path) -> Image.Image:
    try:
        # Given the path, Pillow would map the file into memory, and muddle up uncompressed TIFF files to be turned.
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise InputError(
            f'{path}: not a PNG, JPEG, TIFF or BMP file, or its header is damaged; copy it again'
        ) from None


def _pages(picture: Image.Image) -> list[int]:
    if picture.format != 'TIFF':  # PNG may be animated and JPEG may carry previews: the first image is the picture.
        return [0]
    pages = []
    for page in range(picture.n_frames):
        picture.seek(page)
        if not picture.tag_v2.get(SUBFILE_TYPE, 0) & REDUCED:
            pages.append(page)
    return pages or [0]


def _frame(path: Path, picture: Image.Image, count: int) -> Frame:
    half_colours = picture.mode == 'RGB' and any(';16' in str(tile[3]) for tile in picture.tile)
    orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    # Pillow inverts the 8-bit images that are white at zero, but not the deeper ones.
    inverted = picture.format == 'TIFF' and picture.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    picture.load()  # This alone turns a TIFF upright.
    upright = picture if picture.format == 'TIFF' else ImageOps.exif_transpose(picture)
    warnings = []
    if orientation in TURNED:
        warnings.append(
            f'turned upright, as its EXIF orientation {orientation} says: coordinates are those of the picture as '
            f'displayed, {upright.width} x {upright.height} pixels'
        )
    if half_colours:
        warnings.append('of its 16-bit colours the upper 8 bits are used')
    if upright.has_transparency_data:
        image, see_through = _on_black(upright)
        if see_through:
            warnings.append('its transparent parts are shown black')
    else:
        image = _opaque(path, upright, inverted)
    return Frame(image, count, warnings=tuple(warnings))


def _on_black(picture: Image.Image) -> tuple[np.ndarray, bool]:
    """RGB, and whether there was anything to see through."""
    picture = picture.convert('RGBA')
    see_through = picture.getextrema()[3][0] < 255
    black = Image.new('RGBA', picture.size, (0, 0, 0, 255))
    return np.array(Image.alpha_composite(black, picture).convert('RGB')), see_through


def _opaque(path: Path, picture: Image.Image, inverted: bool) -> np.ndarray:
    if picture.mode in ('1', 'L'):
        return np.array(picture.convert('L'))
    if picture.mode == 'F' or picture.mode.startswith('I'):
        values = np.asarray(picture)
        image = to_uint8(values, *robust_range(values))
        return 255 - image if inverted else image
    if picture.mode in ('P', 'RGB', 'CMYK', 'YCbCr'):
        return np.array(picture.convert('RGB'))
    raise InputError(f'{path}: its colours are {picture.mode}: save it in grey or RGB first')
