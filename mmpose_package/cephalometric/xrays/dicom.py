"""X-rays in DICOM files (https://dicom.nema.org/medical/dicom/current/output/html/part03.html).

Only the attributes that are listed here are taken from a file, and none of them is about the patient. Pixels and
spacing are read apart, so that what is odd about the one does not cost the other.
"""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.config import disable_value_validation
from pydicom.pixels import get_decoder
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from cephalometric.errors import InputError
from cephalometric.xrays import dicom_grey_levels, dicom_layout, dicom_spacing
from cephalometric.xrays.dicom_decoding import decode_frame
from cephalometric.xrays.dicom_grey_levels import show
from cephalometric.xrays.dicom_header import GROUPS, Header
from cephalometric.xrays.dicom_layout import name_of, read_layout
from cephalometric.xrays.dicom_spacing import read_spacing
from cephalometric.xrays.frames import HEAD, MOST_BYTES, Frame, NotSquareError, decoding

ATTRIBUTES = [
    *('SOPClassUID', 'Modality', 'BurnedInAnnotation'),
    *dicom_layout.ATTRIBUTES,
    *dicom_spacing.ATTRIBUTES,
    *dicom_grey_levels.ATTRIBUTES,
    *GROUPS,
]
DEFLATED = DeflatedExplicitVRLittleEndian.encode()
AT_ONCE = 2**24
PROJECTIONS = {'CR', 'DX', 'IO', 'OT', 'PX', 'RF', 'RG', 'XA', 'XC'}


def read_dicom(path: str | Path) -> Iterator[Frame]:
    """The frames of a DICOM file, one in memory at a time.

    Grey values are shown as the file says, by its modality and its VOI lookup table or its first window; without
    either, 8 bits stay as they are and more are mapped from between their 0.1 and 99.9 percentiles. A window that
    leaves next to nothing of the image is not used. MONOCHROME1 is inverted, so that bone is bright. Padding pixels
    become black. The spacing is that of PixelSpacing or, where the file only knows the size of the detector's pixels,
    ImagerPixelSpacing divided by the magnification. An attribute that cannot be used is named in a warning, and the
    image is read without it.

    Raises:
        InputError: The file is missing, damaged or incomplete, holds no image, its pixels are compressed in a way that
            cannot be decoded. Pixels that are not square are told by the frame.
    """
    path = Path(path)
    with ExitStack() as stack:
        with _reading(path, 'its header cannot be read'):
            file = stack.enter_context(_open(path))
            data_set = pydicom.dcmread(file, force=True, stop_before_pixels=True, specific_tags=ATTRIBUTES)
            header = Header(data_set, little_endian=data_set.original_encoding[1])
            layout = read_layout(path, file, header, _transfer_syntax(path, data_set))
            remarks = _remarks(header)
        for index in range(layout.frames):
            with _reading(path, f'pixels as {layout.syntax.name}'):
                of_frame = header.of_frame(index)
                spacing_mm, about_spacing, not_square = _spacing(path, of_frame)
                image = show(*decode_frame(file, layout, index), of_frame)
            warnings = tuple(dict.fromkeys((*about_spacing, *remarks, *of_frame.remarks)))
            yield Frame(image, layout.frames, spacing_mm, warnings, not_square)


@contextmanager
def _reading(path: Path, reason: str) -> Iterator[None]:
    # pydicom's log quotes values that it finds odd.
    with decoding(path, reason), disable_value_validation():
        yield


def _open(path: Path) -> BinaryIO:
    """The file; if it is deflated as a whole, unpacked, as far as X-rays go."""
    with open(path, 'rb') as file:
        head = file.read(HEAD)
        end = 144 + int.from_bytes(head[140:144], 'little')  # of what is not deflated
        if DEFLATED not in head[:end] or head[128:132] != b'DICM':
            return open(path, 'rb')
        file.seek(0)
        head = file.read(end)
        unpacked = BytesIO(head.replace(DEFLATED, ExplicitVRLittleEndian.encode().ljust(len(DEFLATED), b'\0')))
        unpacked.seek(end)
        inflate, rest = zlib.decompressobj(-zlib.MAX_WBITS), file.read()
    while rest:
        unpacked.write(inflate.decompress(rest, AT_ONCE))
        rest = inflate.unconsumed_tail
        if unpacked.tell() > MOST_BYTES:
            raise InputError(f'{path}: its deflated content is longer than that of an X-ray; export it uncompressed')
    unpacked.write(inflate.flush())
    unpacked.seek(0)
    return unpacked


def _transfer_syntax(path: Path, data_set: pydicom.FileDataset) -> UID | None:
    """How the file says that its pixels are stored; None if it does not say."""
    syntax = UID(Header(data_set.file_meta).code('TransferSyntaxUID'))
    if not syntax:
        return None
    try:
        decodable = get_decoder(syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise InputError(f'{path}: its pixels are stored as {name_of(syntax)}: export it uncompressed')
    return syntax


def _spacing(path: Path, header: Header) -> tuple[float | None, tuple[str, ...], str]:
    """The spacing, remarks, and why there is none if the pixels are not square."""
    try:
        return *read_spacing(path, header), ''
    except NotSquareError as error:
        remark = 'its pixels are not square, says the file: lengths and angles are only right if that is wrong'
        return None, (remark,), f'{error}, or give --spacing if the file is wrong'


def _remarks(header: Header) -> tuple[str, ...]:
    remarks = []
    modality = header.code('Modality')
    if modality and modality not in PROJECTIONS:
        remarks.append(f'its Modality is none of projection X-rays ({", ".join(sorted(PROJECTIONS))})')
    if header.code('BurnedInAnnotation') == 'YES':
        remarks.append('text is burned into its pixels, and may name the patient wherever the picture is shown')
    return tuple(remarks)
