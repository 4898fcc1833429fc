"""The text header of a MetaImage file, understood as SimpleITK understands it.

A line is ``key = value`` or ``key: value``. Blank lines mean nothing, and a line with neither sign goes on with the
value before it: SimpleITK writes texts of DICOM headers so. ``ElementDataFile`` ends the header.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cephalometric.errors import InputError

# Sequences of ultrasound and video carry some lines for each frame.
LONGEST_HEADER = 1 << 22
FIELD = re.compile(rb'([^=:]*)[=:](.*)', re.DOTALL)
LONGEST_QUOTE = 60
DEEP_TYPES = {
    **{'MET_CHAR': 'i1', 'MET_SHORT': 'i2', 'MET_USHORT': 'u2', 'MET_INT': 'i4', 'MET_UINT': 'u4'},
    **{'MET_FLOAT': 'f4', 'MET_DOUBLE': 'f8'},
}


@dataclass(frozen=True)
class StackHeader:
    """What the header of a stack says.

    Attributes:
        path: The header's file, which is what the user named.
        count: The number of slices.
        height, width: The size of each slice in pixels, padding included.
        channels: 1 or 3 (RGB).
        data_path: The file that holds the pixels; for .mha the same as ``path``.
        data_offset: Where in it they begin, in bytes.
        compressed: Whether they are a zlib stream.
        compressed_size: How long that is, in bytes; 0 where the header does not say.
        pixel_type: uint8, or in a stack opened as ``deep`` any integer or real type.
        pixel_size_mm: Height and width of a pixel in mm as the header gives them; None where it does not. 1 and 1 is
            what programs write that do not know them.
        warnings: What of the header is not used, one sentence each.
    """

    path: Path
    count: int
    height: int
    width: int
    channels: int
    data_path: Path
    data_offset: int
    compressed: bool
    compressed_size: int
    pixel_type: np.dtype
    pixel_size_mm: tuple[float, float] | None
    warnings: tuple[str, ...] = ()

    @property
    def slice_shape(self) -> tuple[int, ...]:
        """The shape of each slice: (height, width) or (height, width, 3)."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    @property
    def slice_bytes(self) -> int:
        """What a slice takes in memory."""
        return self.height * self.width * self.channels * self.pixel_type.itemsize


def read_header(path: Path, deep: bool) -> StackHeader:
    """Read the header of a stack.

    Args:
        path: An .mha or .mhd file.
        deep: Take grey images of other types than uint8 as well.

    Raises:
        InputError: The file is missing, is not a MetaImage, or is not a stack of grey or RGB images.
    """
    try:
        with open(path, 'rb') as file:
            fields = _fields(path, file)
            header_end = file.tell()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the path of an .mha or .mhd file') from None
    width, height, count = _dimensions(path, fields)
    channels, pixel_type = _pixels(path, fields, deep)
    data_path = _data_path(path, fields)
    compressed = _flag(path, fields, 'CompressedData')
    size = width * height * count * channels * pixel_type.itemsize
    pixel_size_mm, warnings = _pixel_size(fields)
    return StackHeader(
        path,
        count,
        height,
        width,
        channels,
        data_path,
        _data_offset(path, fields, data_path, header_end, size),
        compressed,
        _integer(path, fields, 'CompressedDataSize', 0) if compressed else 0,
        pixel_type,
        pixel_size_mm,
        warnings,
    )


def _fields(path: Path, file: BinaryIO) -> dict[str, str]:
    """The values by their keys, each on one line; the file is left at the first byte after the header."""
    found: dict[str, list[bytes]] = {}
    values = None
    while 'ElementDataFile' not in found:
        line = file.readline(LONGEST_HEADER)
        field = FIELD.match(line)
        if not line or file.tell() > LONGEST_HEADER or not (field or values or not line.strip()):
            raise InputError(f'{path}: not a MetaImage file (.mha or .mhd): its text header is missing or incomplete')
        if field:
            values = found[field[1].strip().decode('latin-1')] = [field[2].strip()]
        elif line.strip():
            values.append(line.strip())
    return {key: b' '.join(values).decode('utf-8', 'replace') for key, values in found.items()}


def _quoted(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f'{text[:LONGEST_QUOTE]}...'


def _integers(path: Path, fields: dict[str, str], key: str, default: str) -> list[int]:
    text = fields.get(key, default)
    try:
        return [int(part) for part in text.split()]
    except ValueError:
        raise InputError(f'{path}: {key} = {_quoted(text)}: whole numbers are needed') from None


def _integer(path: Path, fields: dict[str, str], key: str, default: int) -> int:
    values = _integers(path, fields, key, str(default))
    if len(values) != 1:
        raise InputError(f'{path}: {key} = {_quoted(fields[key])}: one whole number is needed')
    return values[0]


def _flag(path: Path, fields: dict[str, str], key: str, default: str = 'False') -> bool:
    text = fields.get(key, default)
    if text[:1].lower() not in ('t', 'f', '1', '0') or not text:
        raise InputError(f'{path}: {key} = {_quoted(text)}: True or False is needed')
    return text[0].lower() in ('t', '1')


def _dimensions(path: Path, fields: dict[str, str]) -> tuple[int, int, int]:
    """Width, height and count."""
    sizes = _integers(path, fields, 'DimSize', '')
    dimensions = _integer(path, fields, 'NDims', len(sizes))
    if dimensions not in (2, 3) or len(sizes) != dimensions or min(sizes) < 1:
        raise InputError(
            f'{path}: NDims = {dimensions}, DimSize = {_quoted(fields.get("DimSize", "(missing)"))}: not an image '
            'stack; three positive numbers are needed: width, height, number of slices (or two for a single image)'
        )
    return (*sizes, 1)[:3]


def _pixels(path: Path, fields: dict[str, str], deep: bool) -> tuple[int, np.dtype]:
    """Channels and type of the pixels."""
    pixel_type = fields.get('ElementType', '(missing)')
    channels = _integer(path, fields, 'ElementNumberOfChannels', 1)
    if not _flag(path, fields, 'BinaryData', 'True'):
        raise InputError(f'{path}: BinaryData = False: pixels as text are not supported; save the stack as binary')
    if pixel_type == 'MET_UCHAR' and channels in (1, 3):
        return channels, np.dtype(np.uint8)
    if deep and pixel_type in DEEP_TYPES and channels == 1:
        swapped = _flag(path, fields, 'BinaryDataByteOrderMSB') or _flag(path, fields, 'ElementByteOrderMSB')
        return channels, np.dtype('<>'[swapped] + DEEP_TYPES[pixel_type])
    raise InputError(
        f'{path}: wrong pixel type: ElementType = {_quoted(pixel_type)} with {channels} channels; a stack of X-rays '
        f'has MET_UCHAR (8-bit) with 1 channel (grey) or 3 (RGB){", or deeper grey" if deep else ""}: convert it first'
    )


def _pixel_size(fields: dict[str, str]) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Height and width of a pixel in mm, and warnings. The header gives the width first."""
    key = next((key for key in ('ElementSpacing', 'ElementSize') if fields.get(key)), None)
    if key is None:
        return None, ()
    try:
        width, height, *_ = (float(part) for part in fields[key].split())
    except ValueError:
        remedy = 'numbers with a decimal point are needed, such as 0.1 0.1'
        return None, (f'{key} = {_quoted(fields[key])} is not used: {remedy}',)
    return (height, width), ()


def _data_path(path: Path, fields: dict[str, str]) -> Path:
    name = fields['ElementDataFile']
    if name.lower() == 'local':
        return path
    # Only what lies beside the header or below it: a header must not make us read files elsewhere.
    inside = name and not Path(name).anchor and '..' not in Path(name).parts
    if not inside or not os.path.isfile(path.parent / name):
        raise InputError(
            f'{path}: ElementDataFile = {_quoted(name)}: neither LOCAL nor the name of a file in the folder '
            f'{path.parent}; lists of files are not supported'
        )
    return path.parent / name


def _data_offset(path: Path, fields: dict[str, str], data_path: Path, header_end: int, size: int) -> int:
    skip = _integer(path, fields, 'HeaderSize', 0)
    if skip == -1 and not _flag(path, fields, 'CompressedData'):
        return max(data_path.stat().st_size - size, header_end if data_path == path else 0)
    if skip < 0:
        raise InputError(f'{path}: HeaderSize = {skip}: a size in bytes is needed, or -1 in an uncompressed stack')
    return skip or (header_end if data_path == path else 0)
