"""Frames of DICOM files, the compressed ones unpacked in a process of their own.

GDCM, which unpacks them, ends the process that it runs in on some damaged files. Only that file is to be lost.
"""

import dataclasses
import io
import json
import os
import subprocess
import sys
from typing import BinaryIO

import numpy as np
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from cephalometric.xrays.dicom_layout import Layout

LONGEST_S = 120
FAMILIES = (JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes)
# Packed bits of RLE are at most 1/128 longer than the values; beyond that there may be padding.
LONGEST_RLE = 2
START_OF_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7}
# Markers of JPEG that stand alone.
ALONE = {0x01, *range(0xD0, 0xD9)}


@dataclasses.dataclass(frozen=True)
class Codestream:
    """What a compressed frame says of itself.

    Attributes:
        columns, rows: Its size.
        samples: Values of a pixel.
        precision: Bits of a value.
        syntax: The transfer syntax that such frames have.
    """

    columns: int
    rows: int
    samples: int
    precision: int
    syntax: UID


def decode_frame(file: BinaryIO, layout: Layout, index: int) -> tuple[np.ndarray, Layout]:
    """A frame of a DICOM file, colours as RGB.

    Args:
        file: The file, open.
        layout: Where its pixels lie.
        index: The number of the frame, from 0.

    Returns:
        The values as they are stored, shape (H, W) or (H, W, 3), of an integer type with the bits that no grey levels
        are; and what their bits mean, which a compressed frame may know better than the header.

    Raises:
        Exception: Of any kind, if the frame cannot be decoded.
    """
    file.seek(layout.offset)
    if layout.length is not None:
        return _decode(file, layout, index), layout
    frame = get_frame(file, index, number_of_frames=layout.frames)
    if layout.syntax == RLELossless:
        if len(frame) > LONGEST_RLE * layout.frame_bytes + 1024:
            raise ValueError('its frames are longer than uncompressed ones')
        return _decode(encapsulate([frame]), dataclasses.replace(layout, frames=1)), layout
    stream = read_codestream(frame)
    layout = _described(stream, layout)
    # GDCM clears the bits above those stored, wherever these lie.
    entire = dataclasses.replace(layout, bits_stored=min(stream.precision, layout.bits_allocated))
    return _decode_elsewhere(frame, entire), layout


def _decode(data: bytes | BinaryIO, layout: Layout, index: int = 0) -> np.ndarray:
    options = {
        'rows': layout.rows,
        'columns': layout.columns,
        'number_of_frames': layout.frames,
        'samples_per_pixel': layout.samples,
        'planar_configuration': layout.planar,
        'photometric_interpretation': layout.photometric,
        'bits_allocated': layout.bits_allocated,
        'bits_stored': layout.bits_stored,
        'pixel_representation': int(layout.signed),
        'pixel_keyword': layout.keyword,
        'pixel_vr': layout.vr,
        'correct_unused_bits': False,
    }
    return get_decoder(layout.syntax).as_array(data, index=index, **options)[0]


def _described(stream: Codestream, layout: Layout) -> Layout:
    """The layout after what a compressed frame says; a frame of another size would fill the memory, or be moved."""
    if (stream.columns, stream.rows, stream.samples) != (layout.columns, layout.rows, layout.samples):
        raise ValueError(
            f'its compressed frames have {stream.columns} x {stream.rows} pixels of {stream.samples} values'
        )
    allocated = layout.bits_allocated
    if layout.syntax not in JPEG2000TransferSyntaxes + JPEGLSTransferSyntaxes or stream.precision > allocated:
        allocated = 8 if stream.precision <= 8 else 16 if stream.precision <= 16 else 32
    stored = layout.bits_stored if stream.precision <= layout.bits_allocated else stream.precision
    stored = min(stored, allocated)
    # Values with fewer bits than there are below the highest do not begin there.
    high = layout.high_bit if layout.high_bit < min(stream.precision, allocated) else stored - 1
    family = next(family for family in FAMILIES if stream.syntax in family)
    syntax = layout.syntax if layout.syntax in family else stream.syntax
    return dataclasses.replace(
        layout, bits_allocated=allocated, bits_stored=stored, high_bit=max(high, stored - 1), syntax=syntax
    )


def read_codestream(frame: bytes) -> Codestream:
    """What a frame of JPEG, JPEG-LS or JPEG 2000 says of itself.

    Raises:
        ValueError: It is none of them.
    """
    jp2 = frame.find(b'jp2c', 0, 4096) if frame.startswith(b'\0\0\0\x0cjP') else -4
    siz = frame[jp2 + 4 :]
    if siz.startswith(b'\xff\x4f\xff\x51'):
        right, lower, left, upper = (int.from_bytes(siz[at : at + 4], 'big') for at in range(8, 24, 4))
        samples = int.from_bytes(siz[40:42], 'big')
        precisions = {(bits & 0x7F) + 1 for bits in siz[42 : 42 + 3 * samples : 3]}
        return Codestream(right - left, lower - upper, samples, max(precisions, default=0), JPEG2000)
    at = 2
    while frame.startswith(b'\xff\xd8') and at + 9 < len(frame):
        if frame[at] != 0xFF:
            break
        marker = frame[at + 1]
        if marker in START_OF_FRAME:
            precision, samples = frame[at + 4], frame[at + 9]
            rows, columns = (int.from_bytes(frame[start : start + 2], 'big') for start in (at + 5, at + 7))
            return Codestream(columns, rows, samples, precision, _jpeg_syntax(marker))
        at += 1 if marker == 0xFF else 2 if marker in ALONE else 2 + int.from_bytes(frame[at + 2 : at + 4], 'big')
    raise ValueError('its compressed frames are neither JPEG nor JPEG-LS nor JPEG 2000')


def _jpeg_syntax(marker: int) -> UID:
    known = {0xC0: JPEGBaseline8Bit, 0xC3: JPEGLossless, 0xF7: JPEGLSLossless}
    return known.get(marker, JPEGExtended12Bit)


def _decode_elsewhere(frame: bytes, layout: Layout) -> np.ndarray:
    values = dataclasses.asdict(layout) | {'syntax': str(layout.syntax)}
    done = subprocess.run(
        [sys.executable, '-m', __name__, json.dumps(values)],
        input=frame,
        capture_output=True,
        timeout=LONGEST_S,
        env=os.environ | {'PYTHONPATH': os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode:
        said = ' '.join(done.stderr.decode(errors='replace').split())[-120:]
        raise ValueError(f'{layout.syntax.name}: {said or "the decoder broke down"}')
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def main() -> None:
    """Read a frame from stdin and write it to stdout as .npy. What the decoders print goes to stderr."""
    output = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)
    values = json.loads(sys.argv[1])
    layout = Layout(**values | {'syntax': UID(values['syntax']), 'frames': 1})
    buffer = io.BytesIO()
    np.save(buffer, _decode(encapsulate([sys.stdin.buffer.read()]), layout))
    with output:
        output.write(buffer.getbuffer())


if __name__ == '__main__':
    main()
