"""MetaImage stacks (.mha, .mhd with .raw or .zraw), one slice in memory at a time.

The format is that of MetaIO (https://itk.org/Wiki/ITK/MetaIO/Documentation): a text header whose last line is
``ElementDataFile``, then the pixels, slice after slice, plain or as one zlib stream. SimpleITK reads it too, but it
unpacks a compressed stack from its beginning for every slice asked for, or holds all of it in memory.
"""

import itertools
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cephalometric.errors import InputError
from cephalometric.files import atomic_write

LONGEST_HEADER = 1 << 16
CHUNK = 1 << 18
LEVEL = 3  # Of zlib: 1 % larger than by its usual 6, in 37 % of the time.
# Deflate packs at most 1032 bytes into one (https://zlib.net/zlib_tech.html): a file with less cannot be whole.
BEST_COMPRESSION = 1032
DEEP_TYPES = {'MET_SHORT': 'i2', 'MET_USHORT': 'u2'}


@dataclass(frozen=True)
class Stack:
    """A stack of X-rays on disk. Iterating reads it slice by slice, each time from the first.

    Each slice is a new array of ``pixel_type``, shape (height, width), or (height, width, 3) in RGB order. While
    iterating, an ``InputError`` that names the slice is raised where the pixel data end too early or are damaged.

    Attributes:
        path: The header's file, which is what the user named.
        count: The number of slices.
        height, width: The size of each slice in pixels, padding included.
        channels: 1 or 3 (RGB).
        data_path: The file that holds the pixels; for .mha the same as ``path``.
        data_offset: Where in it they begin, in bytes.
        compressed: Whether they are a zlib stream.
        pixel_type: uint8, or in a stack opened as ``deep`` also int16 or uint16.
        pixel_size_mm: Height and width of a pixel in mm as the header gives them; None where it does not. 1 and 1 is
            what programs write that do not know them.
    """

    path: Path
    count: int
    height: int
    width: int
    channels: int
    data_path: Path
    data_offset: int
    compressed: bool
    pixel_type: np.dtype
    pixel_size_mm: tuple[float, float] | None

    def __len__(self) -> int:
        return self.count

    @property
    def slice_shape(self) -> tuple[int, ...]:
        """The shape of each slice: (height, width) or (height, width, 3)."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    def __iter__(self) -> Iterator[np.ndarray]:
        with open(self.data_path, 'rb') as file:
            file.seek(self.data_offset)
            source = _Inflater(file) if self.compressed else file
            try:
                for number in range(1, self.count + 1):
                    image = np.empty(self.slice_shape, self.pixel_type)
                    if source.readinto(memoryview(image.reshape(-1).view(np.uint8))) < image.nbytes:
                        raise InputError(f'{self.data_path}: truncated: it ends in slice {number} of {self.count}')
                    yield image
                if self.compressed and not source.ends_well():
                    raise InputError(f'{self.data_path}: truncated: the end of the compressed data is missing')
            except zlib.error as error:
                raise InputError(
                    f'{self.data_path}: the compressed data are damaged in slice {number} of {self.count} ({error})'
                ) from None


class _Inflater:
    """The unpacked side of a zlib or gzip stream, with the one reading method of a file that is needed here."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS + 32)  # + 32: recognise zlib and gzip, as MetaIO does
        self._packed = b''

    def readinto(self, buffer: memoryview) -> int:
        filled = 0
        while filled < len(buffer) and not self._unpacker.eof:
            self._packed = self._packed or self._file.read(CHUNK)
            piece = self._unpacker.decompress(self._packed, len(buffer) - filled)
            if not self._packed and not piece:
                break
            self._packed = self._unpacker.unconsumed_tail
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled

    def ends_well(self) -> bool:
        """Read to the end of the stream, where its checksum is compared; False if the file ends before that."""
        self.readinto(memoryview(bytearray(1)))
        return self._unpacker.eof


def open_stack(path: str | Path, deep: bool = False) -> Stack:
    """Read the header of a stack and check that its pixels are there.

    A two-dimensional image is a stack of one slice.

    Args:
        path: An .mha or .mhd file.
        deep: Take 16-bit grey images as well.

    Raises:
        InputError: The file is missing, is not a MetaImage, is not a stack of 8-bit grey or RGB images, or is
            truncated. In compressed files truncation may show only while iterating.
    """
    path = Path(path)
    try:
        with open(path, 'rb') as file:
            header = _read_header(path, file)
            header_end = file.tell()
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the path of an .mha or .mhd file') from None
    width, height, count = _dimensions(path, header)
    channels, pixel_type = _pixels(path, header, deep)
    data_path = _data_path(path, header)
    compressed = _flag(path, header, 'CompressedData')
    size = width * height * count * channels * pixel_type.itemsize
    offset = _data_offset(path, header, data_path, header_end, size)
    pixel_size_mm = _pixel_size(header)
    stack = Stack(path, count, height, width, channels, data_path, offset, compressed, pixel_type, pixel_size_mm)
    there = data_path.stat().st_size - offset
    needed = size
    if compressed:
        needed = max(_integer(path, header, 'CompressedDataSize', 0), -(-size // BEST_COMPRESSION))
    if there < needed:
        raise InputError(
            f'{data_path}: truncated: {count} slices of {width} x {height} x {channels} need {needed} bytes of pixel '
            f'data, and {max(there, 0)} are there; copy or download the file again'
        )
    return stack


def _read_header(path: Path, file: BinaryIO) -> dict[str, str]:
    header = {}
    while 'ElementDataFile' not in header:
        line = file.readline(LONGEST_HEADER)
        key, equals, value = line.partition(b'=')
        if not equals or file.tell() > LONGEST_HEADER:
            raise InputError(f'{path}: not a MetaImage file (.mha or .mhd): its text header is missing or incomplete')
        header[key.strip().decode('latin-1')] = value.strip().decode('utf-8', 'replace')
    return header


def _integers(path: Path, header: dict[str, str], key: str, default: str) -> list[int]:
    text = header.get(key, default)
    try:
        return [int(part) for part in text.split()]
    except ValueError:
        raise InputError(f'{path}: {key} = {text}: whole numbers are needed') from None


def _integer(path: Path, header: dict[str, str], key: str, default: int) -> int:
    values = _integers(path, header, key, str(default))
    if len(values) != 1:
        raise InputError(f'{path}: {key} = {header[key]}: one whole number is needed')
    return values[0]


def _flag(path: Path, header: dict[str, str], key: str, default: str = 'False') -> bool:
    text = header.get(key, default)
    if text.lower() not in ('true', 'false'):
        raise InputError(f'{path}: {key} = {text}: True or False is needed')
    return text.lower() == 'true'


def _dimensions(path: Path, header: dict[str, str]) -> tuple[int, int, int]:
    """Width, height and count."""
    sizes = _integers(path, header, 'DimSize', '')
    dimensions = _integer(path, header, 'NDims', len(sizes))
    if dimensions not in (2, 3) or len(sizes) != dimensions or min(sizes) < 1:
        raise InputError(
            f'{path}: NDims = {dimensions}, DimSize = {header.get("DimSize", "(missing)")}: not an image stack; three '
            'positive numbers are needed: width, height, number of slices (or two for a single image)'
        )
    return (*sizes, 1)[:3]


def _pixels(path: Path, header: dict[str, str], deep: bool) -> tuple[int, np.dtype]:
    """Channels and type of the pixels."""
    pixel_type = header.get('ElementType', '(missing)')
    channels = _integer(path, header, 'ElementNumberOfChannels', 1)
    if not _flag(path, header, 'BinaryData', 'True'):
        raise InputError(f'{path}: BinaryData = False: pixels as text are not supported; save the stack as binary')
    if pixel_type == 'MET_UCHAR' and channels in (1, 3):
        return channels, np.dtype(np.uint8)
    if deep and pixel_type in DEEP_TYPES and channels == 1:
        swapped = _flag(path, header, 'BinaryDataByteOrderMSB') or _flag(path, header, 'ElementByteOrderMSB')
        return channels, np.dtype('<>'[swapped] + DEEP_TYPES[pixel_type])
    raise InputError(
        f'{path}: wrong pixel type: ElementType = {pixel_type} with {channels} channels; a stack of X-rays has '
        f'MET_UCHAR (8-bit) with 1 channel (grey) or 3 (RGB){", or 16-bit grey" if deep else ""}: convert it first'
    )


def _pixel_size(header: dict[str, str]) -> tuple[float, float] | None:
    """Height and width of a pixel in mm. The header gives the width first; what is no number is no spacing."""
    try:
        sizes = [float(part) for part in header.get('ElementSpacing', header.get('ElementSize', '')).split()]
    except ValueError:
        return None
    return (sizes[1], sizes[0]) if len(sizes) > 1 else None


def _data_path(path: Path, header: dict[str, str]) -> Path:
    name = header['ElementDataFile']
    if name == 'LOCAL':
        return path
    # Only a plain name: a header must not make us read files elsewhere, and lists of files are not a stack.
    if name != Path(name).name or not os.path.isfile(path.parent / name):
        raise InputError(
            f'{path}: ElementDataFile = {name}: neither LOCAL nor the name of a file in the folder {path.parent}'
        )
    return path.parent / name


def _data_offset(path: Path, header: dict[str, str], data_path: Path, header_end: int, size: int) -> int:
    skip = _integer(path, header, 'HeaderSize', 0)
    if skip == -1 and not _flag(path, header, 'CompressedData'):
        return max(data_path.stat().st_size - size, header_end if data_path == path else 0)
    if skip < 0:
        raise InputError(f'{path}: HeaderSize = {skip}: a size in bytes is needed, or -1 in an uncompressed stack')
    return skip or (header_end if data_path == path else 0)


def write_stack(path: str | Path, slices: Iterable[np.ndarray], count: int, compressed: bool = False) -> None:
    """Write an .mha stack with one slice in memory at a time. The file appears when it is complete.

    Args:
        path: The .mha file to write.
        slices: ``count`` uint8 arrays of one shape: (H, W), or (H, W, 3) in RGB order.
        count: The number of slices, which the header needs before the first one is written.
        compressed: Pack the pixels with zlib.

    Raises:
        InputError: The file cannot be written there.
        ValueError: The slices are not what ``slices`` and ``count`` promise.
    """
    slices = iter(slices)
    first = next(slices, None)
    if first is None or first.ndim not in (2, 3) or (first.ndim == 3 and first.shape[2] != 3):
        raise ValueError('slices must be of shape (H, W) or (H, W, 3), and at least one')
    packer = zlib.compressobj(LEVEL) if compressed else None
    written = 0
    with atomic_write(path) as partial, open(partial, 'wb') as file:
        header = _header_text(first.shape, count, compressed_size=0 if compressed else None)
        file.write(header)
        for image in itertools.chain([first], slices):
            if image.shape != first.shape or image.dtype != np.uint8:
                raise ValueError(f'slice {written + 1} is {image.dtype} {image.shape}, not uint8 {first.shape}')
            pixels = np.ascontiguousarray(image).data
            file.write(packer.compress(pixels) if packer else pixels)
            written += 1
        if written != count:
            raise ValueError(f'{written} slices came, {count} were promised')
        if packer:
            file.write(packer.flush())
            size = file.tell() - len(header)
            file.seek(0)
            file.write(_header_text(first.shape, count, size))


def _header_text(shape: tuple[int, ...], count: int, compressed_size: int | None) -> bytes:
    height, width = shape[:2]
    # Without the size MetaIO unpacks nothing; its width is fixed, so that it can be filled in after the pixels.
    packing = '' if compressed_size is None else f'CompressedDataSize = {compressed_size:016d}\n'
    text = (
        'ObjectType = Image\n'
        'NDims = 3\n'
        'BinaryData = True\n'
        'BinaryDataByteOrderMSB = False\n'
        f'CompressedData = {compressed_size is not None}\n'
        f'{packing}'
        'TransformMatrix = 1 0 0 0 1 0 0 0 1\n'
        'Offset = 0 0 0\n'
        'ElementSpacing = 1 1 1\n'
        f'DimSize = {width} {height} {count}\n'
        f'ElementNumberOfChannels = {1 if len(shape) == 2 else 3}\n'
        'ElementType = MET_UCHAR\n'
        'ElementDataFile = LOCAL\n'
    )
    return text.encode()
