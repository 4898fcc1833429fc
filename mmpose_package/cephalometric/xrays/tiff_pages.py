"""The pages of a TIFF file, and which library reads each rightly.

TIFF 6.0 (https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf) allows far more kinds of pixels than any
library reads. Pillow takes some deep ones in the wrong byte order, and OpenCV leaves channels out, both without a word.
So only those are given to either that it reads as they are meant; the others are refused by their kind.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import TiffImagePlugin, TiffTags

from cephalometric.errors import InputError
from cephalometric.xrays.frames import check_size, decoding

BIG = 43
PLACE = 'place'  # Of a directory in the file, in bytes, among its tags.
SUBFILE, OLD_SUBFILE, COLUMNS, ROWS, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
ORIENTATION, CHANNELS, PLANES, TILE_COLUMNS, TILE_ROWS, EXTRA, FORMAT = 274, 277, 284, 322, 323, 338, 339
REDUCED, MASK, OLD_REDUCED = 1, 4, 2
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, TRANSPARENCY = 0, 1, 2, 4
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
FORMATS = {UNSIGNED: '', SIGNED: ' signed', FLOAT: ' floating-point'}
COLOURS = {
    **{0: 'grey with white as zero', 1: 'grey', 2: 'RGB', 3: 'palette', 4: 'mask', 5: 'CMYK', 6: 'YCbCr', 8: 'Lab'},
}
PREMULTIPLIED, STRAIGHT = 1, 2
MOST_PAGES = 10_000

PILLOW_GREY = {(12, UNSIGNED), (16, UNSIGNED), (16, SIGNED), (32, UNSIGNED), (32, SIGNED), (32, FLOAT)}
PILLOW_INVERTED = {(16, UNSIGNED), (32, FLOAT)}
OPENCV = {(16, UNSIGNED), (16, SIGNED), (32, SIGNED), (32, FLOAT), (64, FLOAT)}
OPENCV_COMPRESSIONS = {1, 5, 8, 32946, 32773}  # none, LZW, deflate twice, PackBits


@dataclass(frozen=True)
class TiffPage:
    """A page that is an X-ray.

    Attributes:
        index: Its number in the file, from 0, those that are no X-rays included.
        place: Where in the file its directory lies, in bytes.
        rows, columns: Its size in pixels as it is stored.
        bits: Of a channel.
        channels: Those that are no colours included.
        form: ``UNSIGNED``, ``SIGNED`` or ``FLOAT``.
        photometric: What its values mean, as TIFF numbers it.
        alpha: ``PREMULTIPLIED``, ``STRAIGHT``, or 0 where the last channel is no alpha.
        orientation: 1 to 8, as in EXIF.
        by_pillow: Whether Pillow reads it as it is meant, and not OpenCV.
        kind: What it is, in words.
    """

    index: int
    place: int
    rows: int
    columns: int
    bits: int
    channels: int
    form: int
    photometric: int
    alpha: int
    orientation: int
    by_pillow: bool
    kind: str

    @property
    def deep(self) -> bool:
        """Whether it has more than 8 bits."""
        return self.bits > 8

    @property
    def inverted(self) -> bool:
        """Whether white is zero."""
        return self.photometric == WHITE_IS_ZERO


def tiff_pages(path: Path, file: BinaryIO) -> list[TiffPage]:
    """The pages of a TIFF file that are X-rays: all but thumbnails and masks.

    Raises:
        InputError: It is damaged, a page is too large, or of a kind that no library reads rightly.
    """
    with decoding(path):
        directories, little_endian = _directories(path, file)
    pictures = [number for number, tags in enumerate(directories) if _is_picture(tags)]
    return [_page(path, number, directories[number], little_endian) for number in pictures or [0]]


def _directories(path: Path, file: BinaryIO) -> tuple[list[dict], bool]:
    file.seek(0)
    head = file.read(8)
    little_endian = head[:2] == b'II'
    if BIG in head[2:4]:
        if not little_endian:
            raise unsupported(path, 'big-endian BigTIFF')
        head += file.read(8)
    directory = TiffImagePlugin.ImageFileDirectory_v2(head)
    directories, seen = [], set()
    while directory.next and directory.next not in seen:
        if len(directories) == MOST_PAGES:
            raise InputError(f'{path}: more than {MOST_PAGES} pages; split it first')
        place = directory.next
        seen.add(place)
        file.seek(place)
        directory.load(file)
        tags = {tag: directory.get(tag) for tag in _TAGS if tag in directory}
        directories.append({PLACE: place} | tags)
    if not directories:
        raise InputError(f'{path}: a TIFF file without a picture, or a damaged one; copy it again')
    return directories, little_endian


_TAGS = (
    *(SUBFILE, OLD_SUBFILE, COLUMNS, ROWS, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION, CHANNELS, PLANES),
    *(TILE_COLUMNS, TILE_ROWS, EXTRA, FORMAT),
)


def _is_picture(tags: dict) -> bool:
    kind = _number(tags, SUBFILE, 0)
    return not (
        kind & (REDUCED | MASK)
        or _number(tags, OLD_SUBFILE, 0) == OLD_REDUCED
        or _number(tags, PHOTOMETRIC, BLACK_IS_ZERO) == TRANSPARENCY
    )


def _number(tags: dict, tag: int, default: int) -> int:
    """The value of a tag, the first one if it has several."""
    value = tags.get(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int) else default


def _page(path: Path, number: int, tags: dict, little_endian: bool) -> TiffPage:
    rows, columns, bits = _number(tags, ROWS, 0), _number(tags, COLUMNS, 0), _number(tags, BITS, 1)
    channels, form = _number(tags, CHANNELS, 1), _number(tags, FORMAT, UNSIGNED)
    photometric = _number(tags, PHOTOMETRIC, BLACK_IS_ZERO)
    size = max(bits, 8) / 8 * max(channels, 1)
    check_size(path, rows, columns, bytes_per_pixel=size)
    if TILE_ROWS in tags or TILE_COLUMNS in tags:
        check_size(path, _number(tags, TILE_ROWS, 0), _number(tags, TILE_COLUMNS, 0), bytes_per_pixel=size)
    planes = _number(tags, PLANES, 1) if channels > 1 else 1
    compression, kind = _number(tags, COMPRESSION, 1), (bits, form)
    grey = channels == 1 and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO)
    if bits <= 8:
        by_pillow = form in (UNSIGNED, 4) and not (channels == 2 and planes != 1)
        by_opencv = False
    else:
        inverted = photometric == WHITE_IS_ZERO
        by_pillow = grey and little_endian and kind in (PILLOW_INVERTED if inverted else PILLOW_GREY)
        colour = channels in (3, 4) and photometric == RGB and planes == 1
        by_opencv = (grey or colour) and kind in OPENCV and compression in OPENCV_COMPRESSIONS
    uniform = len(set(_all(tags, BITS))) <= 1 and len(set(_all(tags, FORMAT))) <= 1
    name = _name(bits, form, photometric, channels, planes, compression)
    if not (by_pillow or by_opencv) or not uniform:
        raise unsupported(path, name)
    extra = _number(tags, EXTRA, 0) if channels in (2, 4) else 0
    alpha = extra if extra in (PREMULTIPLIED, STRAIGHT) else 0
    orientation = _number(tags, ORIENTATION, 1)
    return TiffPage(
        number, tags[PLACE], rows, columns, bits, channels, form, photometric, alpha, orientation, by_pillow, name
    )


def _name(bits: int, form: int, photometric: int, channels: int, planes: int, compression: int) -> str:
    colours = COLOURS.get(photometric, f'photometric {photometric}')
    alpha = ' with alpha' if channels in (2, 4) and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) else ''
    layout = ', channel after channel' if planes != 1 else ''
    packings = TiffTags.lookup(COMPRESSION).enum.items()
    packing = next((name for name, number in packings if number == compression), str(compression))
    return f'{bits}-bit{FORMATS.get(form, "")} {colours}{alpha}{layout}, compression {packing}'


def _all(tags: dict, tag: int) -> tuple:
    value = tags.get(tag, ())
    return value if isinstance(value, tuple) else (value,)


def with_first_page(path: Path, page: TiffPage) -> np.ndarray:
    """The bytes of the file as if ``page`` were its first page; the file itself is left as it is."""
    content = np.memmap(path, np.uint8, mode='c')
    order = '<' if content[0] == ord('I') else '>'
    if BIG in content[2:4]:
        struct.pack_into(f'{order}Q', content, 8, page.place)
    else:
        struct.pack_into(f'{order}I', content, 4, page.place)
    return content


def unsupported(path: Path, kind: str) -> InputError:
    return InputError(
        f'{path}: a TIFF of a kind that is not supported ({kind}): save it as 8-bit or 16-bit grey, without alpha'
    )
