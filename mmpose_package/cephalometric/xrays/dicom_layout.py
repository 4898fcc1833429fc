"""How the pixels of a DICOM file lie in it (DICOM PS3.3, C.7.6.3, and PS3.5, 8)."""

import dataclasses
from pathlib import Path
from typing import BinaryIO

from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from cephalometric.errors import InputError
from cephalometric.xrays.dicom_header import Header
from cephalometric.xrays.frames import check_size

SEGMENTED = 'SegmentedRedPaletteColorLookupTableData'
ATTRIBUTES = [
    *('Rows', 'Columns', 'NumberOfFrames', 'SamplesPerPixel', 'PlanarConfiguration', 'PhotometricInterpretation'),
    *('BitsAllocated', 'BitsStored', 'HighBit', 'PixelRepresentation', SEGMENTED),
]
GREY = ('MONOCHROME1', 'MONOCHROME2')
PALETTE = 'PALETTE COLOR'
COLOURS = ('RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_ICT', 'YBR_RCT', 'YBR_PARTIAL_420', 'YBR_PARTIAL_422')
RETIRED = ('HSV', 'ARGB', 'CMYK')
ALLOCATED = (1, 8, 16, 32, 64)
KEYWORDS = {0x7FE00008: 'FloatPixelData', 0x7FE00009: 'DoubleFloatPixelData', 0x7FE00010: 'PixelData'}
UNDEFINED = 0xFFFFFFFF
BY_MEANING = 'it is taken from PhotometricInterpretation'
BY_SIZE = 'it is taken from the size of the pixel data'
BY_OTHERS = 'it is taken from HighBit and BitsAllocated'
LOW = 'BitsStored - 1 is taken'


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the pixels begin, and what the bits mean.

    Attributes:
        keyword: The attribute that holds the pixels.
        vr: Its type, as the file has it.
        offset, length: Of its value in bytes; the length is None where the pixels are in fragments.
        syntax: How they are stored. Of uncompressed pixels, only the order of bytes counts.
        rows, columns, frames: Of the image.
        samples: Values of a pixel, 1 or 3.
        planar: 1 where all red values come first.
        photometric: What the values mean, one of ``GREY``, ``PALETTE`` or ``COLOURS``.
        bits_allocated: The size of a value in the file.
        bits_stored, high_bit: Which of them are grey levels: so many, up to that bit.
        signed: Whether these are a two's complement.
    """

    keyword: str
    vr: str
    offset: int
    length: int | None
    syntax: UID
    rows: int
    columns: int
    frames: int
    samples: int
    planar: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """The size of an uncompressed frame, rounded up."""
        values = self.rows * self.columns * self.samples
        if self.photometric == 'YBR_FULL_422' and self.length is not None:
            values = values // 3 * 2
        return -(-values * self.bits_allocated // 8)


def read_layout(path: Path, file: BinaryIO, header: Header, syntax: UID | None) -> Layout:
    """Find the pixels.

    Args:
        path: The file, for messages.
        file: The same, open, and read until where the pixels should begin.
        header: What was read until there. It gets a remark for each attribute that cannot be used.
        syntax: What the file says of how its pixels are stored; None if it says nothing.

    Raises:
        InputError: There are no pixels, or of no size that X-rays have, or not enough of them.
    """
    rows, columns = (header.whole(keyword, 'give the file of an X-ray', 1, 65535) for keyword in ('Rows', 'Columns'))
    if not rows or not columns:
        raise InputError(
            f'{path}: a DICOM file without an image ({name_of(header.value("SOPClassUID"))}); give the file of an X-ray'
        )
    check_size(path, rows, columns)
    keyword, vr, offset, length = _pixel_data(path, file, header, syntax)
    frames = header.whole('NumberOfFrames', 'its first image is read', 1, 2**31 - 1) or 1
    samples, photometric = _colours(path, header, None if length is None else 8 * length // (rows * columns * frames))
    if keyword == 'PixelData':
        allocated, stored, high = _bits(path, header, rows * columns * samples * frames, length)
    else:
        allocated = stored = 32 if keyword == 'FloatPixelData' else 64
        high = stored - 1
    layout = Layout(
        keyword=keyword,
        vr=vr,
        offset=offset,
        length=length,
        syntax=_stored_as(header, syntax, length),
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        planar=(header.whole('PlanarConfiguration', '0 is taken', 0, 1) or 0) if samples > 1 else 0,
        photometric=photometric,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        signed=bool(header.whole('PixelRepresentation', 'the values are taken for unsigned', 0, 1)),
    )
    check_size(path, rows, columns, bytes_per_pixel=samples * allocated / 8)
    if length is not None and length < layout.frame_bytes:
        raise InputError(
            f'{path}: cannot be decoded, because its pixels are incomplete: {length} bytes where {rows} x {columns} '
            f'pixels of {samples * allocated} bits need {layout.frame_bytes}; copy it again, or export it again'
        )
    whole = 0 if length is None else length // layout.frame_bytes
    if 0 < whole < frames and length - whole * layout.frame_bytes < 2:
        header.remark('NumberOfFrames', f'there are pixels of {whole}')
        return dataclasses.replace(layout, frames=whole)
    if length is not None and length > frames * layout.frame_bytes + 1:
        header.remarks.append(
            f'it holds more pixels than Rows = {rows}, Columns = {columns}, NumberOfFrames = {frames} and '
            f'BitsAllocated = {allocated} say: what is too much is not shown'
        )
    return layout


def name_of(uid: object) -> str:
    """What the standard calls it."""
    return uid.name if isinstance(uid, UID) and uid.name != uid else 'an unknown kind'


def _pixel_data(path: Path, file: BinaryIO, header: Header, syntax: UID | None) -> tuple[str, str, int, int | None]:
    """The keyword, type, offset and length of the attribute that begins here.

    What is in the file counts, and not whether its transfer syntax says that types are written down.
    """
    start = file.tell()
    head = file.read(12)
    order = 'little' if header.little_endian else 'big'
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag not in KEYWORDS or len(head) < 8:
        raise InputError(
            f'{path}: cannot be decoded, because it is incomplete: its pixels are missing; copy it again, or export it '
            'again'
        )
    offset = start + 8
    vr, length = '', int.from_bytes(head[4:8], order)
    if not header.implicit and head[4:6].isalpha() and head[4:6].isupper():
        vr = head[4:6].decode('ascii')
        if vr in EXPLICIT_VR_LENGTH_32:
            offset, length = start + 12, int.from_bytes(head[8:12], order)
        else:
            length = int.from_bytes(head[6:8], order)
    if syntax and syntax.is_implicit_VR != header.implicit:
        header.remarks.append('its TransferSyntaxUID is not that of its data: it is read as the data are')
    there = max(0, file.seek(0, 2) - offset)
    return KEYWORDS[tag], vr or 'OW', offset, None if length == UNDEFINED else min(length, there)


def _stored_as(header: Header, syntax: UID | None, length: int | None) -> UID:
    plain = ExplicitVRLittleEndian if header.little_endian else ExplicitVRBigEndian
    if length is None:
        if not syntax or not syntax.is_compressed:
            header.remarks.append('its pixels are compressed, but its TransferSyntaxUID does not say so')
        return syntax or plain
    if syntax and syntax.is_compressed:
        header.remarks.append('its TransferSyntaxUID says that its pixels are compressed, but they are not')
    return plain


def _colours(path: Path, header: Header, bits_there: int | None) -> tuple[int, str]:
    """How many values a pixel has, and what they mean; at odds, what fits the bits of a pixel counts."""
    code = ' '.join(header.code('PhotometricInterpretation').split())
    samples = header.whole('SamplesPerPixel', BY_MEANING, 1, 4)
    segmented = code == PALETTE and header.value(SEGMENTED) and not header.value(SEGMENTED.removeprefix('Segmented'))
    if code in RETIRED or samples in (2, 4) or segmented:
        raise InputError(
            f'{path}: its colours are of an unusual kind (PhotometricInterpretation): export it in grey or RGB'
        )
    meant = 3 if code in COLOURS else 1 if code in (*GREY, PALETTE) else samples or 1
    if samples and samples != meant and bits_there is not None and (bits_there >= 24) == (meant == 3):
        header.remark('SamplesPerPixel', BY_MEANING)
        samples = meant
    samples = samples or meant
    known, default = ((*GREY, PALETTE), 'MONOCHROME2') if samples == 1 else (COLOURS, 'RGB')
    if code in known:
        return samples, code
    header.remarks.append(
        f'PhotometricInterpretation cannot be used: {default} is taken; if bright and dark are swapped, export it again'
    )
    return samples, default


def _bits(path: Path, header: Header, values: int, length: int | None) -> tuple[int, int, int]:
    """Bits allocated, bits stored, and the highest of them; at odds, what fits the size of the data counts."""
    allocated = header.whole('BitsAllocated', BY_SIZE, 1, 64)
    stored = header.whole('BitsStored', BY_OTHERS, 1, 64)
    high = header.whole('HighBit', LOW, 0, 63)
    sound = allocated in ALLOCATED and (stored or 1) <= allocated
    if length is not None and not (sound and 8 * length >= allocated * values):
        fitting = [bits for bits in ALLOCATED if 0 <= 8 * length - bits * values < 16 and bits >= (stored or 1)]
        if not fitting and allocated not in ALLOCATED:
            raise InputError(
                f'{path}: cannot be decoded, because its BitsAllocated = {header.quoted("BitsAllocated")} is unusual '
                'and does not fit the size of its pixel data; export it again uncompressed'
            )
        if fitting:
            if allocated is not None:
                header.remark('BitsAllocated', BY_SIZE)
            allocated = fitting[-1]
    if allocated not in ALLOCATED:  # compressed: the frames know better
        allocated = 8 if (stored or (high or 15) + 1) <= 8 else 16
    if stored is None or stored > allocated:
        if stored or header.value('BitsStored') is None:
            header.remark('BitsStored', BY_OTHERS)
        stored = high + 1 if high is not None and high < allocated else allocated
    if high is not None and not stored - 1 <= high < allocated:
        header.remark('HighBit', LOW)
        high = None
    return allocated, stored, stored - 1 if high is None else high
