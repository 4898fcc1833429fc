"""MetaImage stacks (.mha, .mhd with .raw or .zraw), one slice in memory at a time.

The format is that of MetaIO (https://itk.org/Wiki/ITK/MetaIO/Documentation): a text header whose last line is
``ElementDataFile``, then the pixels, slice after slice, plain or as one zlib stream. SimpleITK reads it too, but it
unpacks a compressed stack from its beginning for every slice asked for, or holds all of it in memory.
"""

import itertools
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.xrays.frames import check_size
from cephalometric.xrays.mha_header import StackHeader, read_header

CHUNK = 1 << 18
LEVEL = 3  # Of zlib: 1 % larger than by its usual 6, in 37 % of the time.
# Deflate packs at most 1032 bytes into one (https://zlib.net/zlib_tech.html): a file with less cannot be whole.
BEST_COMPRESSION = 1032


class Stack(StackHeader):
    """A stack of X-rays on disk. Iterating reads it slice by slice, each time from the first.

    Each slice is a new array of ``pixel_type``, shape (height, width), or (height, width, 3) in RGB order. While
    iterating, an ``InputError`` that names the slice is raised where the pixel data end too early or are damaged.
    """

    def __len__(self) -> int:
        return self.count

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
        deep: Take grey images of other types than uint8 as well.

    Raises:
        InputError: The file is missing, is not a MetaImage, is not a stack of grey or RGB images, has slices that are
            larger than X-rays, or is truncated. In compressed files truncation may show only while iterating.
    """
    stack = Stack(**vars(read_header(Path(path), deep)))
    there = stack.data_path.stat().st_size - stack.data_offset
    size = stack.slice_bytes * stack.count
    needed = max(stack.compressed_size, -(-size // BEST_COMPRESSION)) if stack.compressed else size
    if there < needed:
        raise InputError(
            f'{stack.data_path}: truncated: {stack.count} slices of {stack.width} x {stack.height} x {stack.channels} '
            f'need {needed} bytes of pixel data, and {max(there, 0)} are there; copy or download the file again'
        )
    # Slices come one at a time: without this, a small compressed file could ask for any amount of memory.
    check_size(path, stack.height, stack.width, bytes_per_pixel=stack.slice_bytes / (stack.height * stack.width))
    return stack


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
