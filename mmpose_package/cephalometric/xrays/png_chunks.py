"""What a PNG file holds of its picture, without the rest.

A PNG file is a row of chunks (https://www.w3.org/TR/png-3). Texts, colour profiles and animations may be large, broken
or made to fill the memory, and say nothing about grey levels: decoders get the file without them.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cephalometric.errors import InputError
from cephalometric.xrays.frames import MOST_BYTES, check_size

SIGNATURE = b'\x89PNG\r\n\x1a\n'
NEEDED = (b'IHDR', b'PLTE', b'tRNS', b'IDAT')
TEXTS = (b'tEXt', b'zTXt', b'iTXt')
# Where programs put the orientation, if not into eXIf.
ORIENTED = (b'XML:com.adobe.xmp\0', b'Raw profile type exif\0')
LONGEST_TEXT = 1 << 16
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
PIECE = 1 << 18


@dataclass(frozen=True)
class PngChunks:
    """The chunks of a PNG file that make its picture.

    Attributes:
        rows, columns: Its size in pixels.
        depth: Bits of a channel: 1, 2, 4, 8 or 16.
        colours: ``GREY``, ``RGB``, ``PALETTE``, ``GREY_ALPHA`` or ``RGBA``.
        key: The grey value or the colour that stands for transparent, of the file's own depth; empty where none does.
        content: A PNG file of the picture and its orientation alone, without ``key``.
        plain: The same without the orientation, for files whose orientation is damaged.
    """

    rows: int
    columns: int
    depth: int
    colours: int
    key: tuple[int, ...]
    content: bytes
    plain: bytes


def read_chunks(path: Path, file: BinaryIO) -> PngChunks:
    """Read the chunks of a PNG file.

    Raises:
        InputError: It is damaged, incomplete or too large.
    """
    file.seek(len(SIGNATURE))
    needed, orientation = [], []
    header, key, size = None, b'', 0
    for kind, data in _chunks(path, file):
        if header is None and kind != b'IHDR':
            raise _damaged(path, 'its header is missing')
        if kind == b'IHDR':
            if header is not None or len(data) != 13:
                raise _damaged(path, 'its header is of a wrong form')
            header = _header(path, data)
        elif kind == b'tRNS' and header[3] != PALETTE:
            key = data
            continue
        size += len(data)
        if size > MOST_BYTES:
            raise _damaged(path, 'it holds more data than its header says')
        (needed if kind in NEEDED else orientation).append((kind, data))
    if not any(kind == b'IDAT' for kind, _ in needed):
        raise _damaged(path, 'its pixels are missing')
    columns, rows, depth, colours = header
    if key and len(key) != 2 * CHANNELS[colours]:
        raise _damaged(path, 'its transparent colour is of a wrong form')
    values = struct.unpack(f'>{len(key) // 2}H', key)
    if depth == 16 and colours != GREY:
        # Interlaced rows are shorter, so that more of them begin with a byte of their own.
        most = rows * columns * CHANNELS[colours] * 2 + 16 * (rows + columns)
        _check_stream(path, b''.join(data for kind, data in needed if kind == b'IDAT'), most)
    plain = _file(needed)
    content = _file(needed[:1] + orientation + needed[1:]) if orientation else plain
    return PngChunks(rows, columns, depth, colours, values, content, plain)


def _chunks(path: Path, file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Those that are needed, with their checksums compared, and those that may say how the picture lies."""
    while True:
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack('>I4s', head)
        if not kind.isalpha():
            raise _damaged(path, 'its chunks are of a wrong form')
        if kind == b'IEND':
            return
        text = kind in TEXTS and length <= LONGEST_TEXT
        if kind not in NEEDED and kind != b'eXIf' and not text:
            file.seek(length + 4, 1)
            continue
        data, checksum = file.read(length), file.read(4)
        sound = len(checksum) == 4 and struct.unpack('>I', checksum)[0] == zlib.crc32(kind + data)
        if kind in NEEDED and not sound:
            raise _damaged(path, 'it is truncated' if len(checksum) < 4 else f'its {kind.decode()} is wrong')
        if sound and (not text or data.startswith(ORIENTED)):
            yield kind, data


def _header(path: Path, data: bytes) -> tuple[int, int, int, int]:
    columns, rows, depth, colours = struct.unpack('>IIBB', data[:10])
    if colours not in CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise _damaged(path, 'its header is of a wrong form')
    # Decoders widen grey with alpha to four channels.
    channels = {GREY_ALPHA: 4, PALETTE: 4}.get(colours, CHANNELS[colours])
    check_size(path, rows, columns, bytes_per_pixel=channels * max(depth, 8) / 8)
    return columns, rows, depth, colours


def _check_stream(path: Path, packed: bytes, most: int) -> None:
    """Where OpenCV decodes, which leaves rows that are missing black and says nothing."""
    unpacker, left = zlib.decompressobj(), most
    try:
        while not unpacker.eof and left > 0:
            piece = unpacker.decompress(packed, PIECE)
            packed = unpacker.unconsumed_tail
            if not piece and not packed and not unpacker.eof:
                raise _damaged(path, 'it is truncated')
            left -= len(piece)
    except zlib.error as error:
        raise _damaged(path, str(error)) from None


def _file(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [SIGNATURE]
    for kind, data in (*chunks, (b'IEND', b'')):
        parts += [struct.pack('>I', len(data)), kind, data, struct.pack('>I', zlib.crc32(kind + data))]
    return b''.join(parts)


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f'{path}: cannot be decoded, because it is damaged or incomplete ({reason}); copy it again, or export it again'
    )
