"""X-rays in DICOM files (https://dicom.nema.org/medical/dicom/current/output/html/part03.html).

Only the attributes that are listed here are taken from a file, and none of them is about the patient. In a damaged file
any attribute may swallow the patient's name: so no text of a file is handed on, not even in messages, but only numbers
and the names that the standard has for them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.config import disable_value_validation
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from cephalometric.errors import InputError
from cephalometric.xrays.dicom_decoding import decode_frame
from cephalometric.xrays.frames import HEAD, Frame, check_size, decoding, file_spacing, robust_range, to_uint8

ATTRIBUTES = [
    *('SOPClassUID', 'Modality', 'BurnedInAnnotation'),
    *('Rows', 'Columns', 'NumberOfFrames', 'BitsStored', 'PixelRepresentation', 'PhotometricInterpretation'),
    *('PixelSpacing', 'PixelSpacingCalibrationType', 'ImagerPixelSpacing', 'NominalScannedPixelSpacing'),
    *('PixelAspectRatio', 'SharedFunctionalGroupsSequence', 'EstimatedRadiographicMagnificationFactor'),
    *('DistanceSourceToDetector', 'DistanceSourceToPatient', 'PixelPaddingValue', 'PixelPaddingRangeLimit'),
    *('RescaleSlope', 'RescaleIntercept', 'ModalityLUTSequence'),
    *('WindowCenter', 'WindowWidth', 'VOILUTFunction', 'VOILUTSequence'),
    *(
        f'{colour}PaletteColorLookupTable{part}'
        for colour in ('Red', 'Green', 'Blue')
        for part in ('Descriptor', 'Data')
    ),
    *(f'Segmented{colour}PaletteColorLookupTableData' for colour in ('Red', 'Green', 'Blue')),
]
PROJECTIONS = {'CR', 'DX', 'IO', 'OT', 'PX', 'RF', 'RG', 'XA', 'XC'}
GREY = ('MONOCHROME1', 'MONOCHROME2')
LEAST_SHOWN = 0.01


def read_dicom(path: str | Path) -> Iterator[Frame]:
    """The frames of a DICOM file, one in memory at a time.

    Grey values are shown as the file says, by its modality and its VOI lookup table or its first window; without
    either, 8 bits stay as they are and more are mapped from between their 0.1 and 99.9 percentiles. A window that
    leaves next to nothing of the image is not used. MONOCHROME1 is inverted, so that bone is bright. Padding pixels
    become black. The spacing is that of PixelSpacing or, where the file only knows the size of the detector's pixels,
    ImagerPixelSpacing divided by the magnification.

    Raises:
        InputError: The file is missing, damaged or incomplete, holds no image, its pixels are compressed in a way that
            cannot be decoded, or are not square.
    """
    path = Path(path)
    with _reading(path, 'its header cannot be read'):
        with open(path, 'rb') as file:
            _refuse_deflated(path, file.read(HEAD))
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=ATTRIBUTES)
        count = _frames(path, header)
        syntax = _transfer_syntax(path, header)
        spacing_mm, warnings = _spacing(path, header)
        warnings += _remarks(header)
    for index in range(count):
        with _reading(path, f'pixels as {_name(syntax)}'):
            image, more = _shown(path, decode_frame(path, syntax, index), header)
        yield Frame(image, count, spacing_mm, warnings + more)


@contextmanager
def _reading(path: Path, reason: str) -> Iterator[None]:
    # pydicom's log quotes values that it finds odd.
    with decoding(path, reason), disable_value_validation():
        yield


def _refuse_deflated(path: Path, head: bytes) -> None:
    # Such a file is unpacked whole before anything of it is known, and one made for it fills any memory.
    if DeflatedExplicitVRLittleEndian.encode() in head:
        raise InputError(f'{path}: DICOM deflated as a whole is not supported; export it uncompressed')


def _frames(path: Path, header: Dataset) -> int:
    """How many there are, of a size that X-rays have."""
    count = int(header.get('NumberOfFrames') or 1)
    if not header.get('Rows') or not header.get('Columns') or count < 1:
        kind = _name(header.get('SOPClassUID'))
        raise InputError(f'{path}: a DICOM file without an image ({kind}); give the file of an X-ray')
    check_size(path, int(header.Columns), int(header.Rows))
    return count


def _transfer_syntax(path: Path, header: Dataset) -> UID:
    syntax = header.file_meta.get('TransferSyntaxUID')
    if not syntax:
        implicit, little_endian = header.original_encoding
        explicit = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
        return ImplicitVRLittleEndian if implicit else explicit
    try:
        decodable = get_decoder(syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise InputError(f'{path}: its pixels are stored as {_name(syntax)}: export it uncompressed')
    return syntax


def _name(uid: object) -> str:
    """What the standard calls it."""
    return uid.name if isinstance(uid, UID) and uid.name != uid else 'an unknown kind'


def _remarks(header: Dataset) -> tuple[str, ...]:
    remarks = []
    modality = header.get('Modality')
    if modality and modality not in PROJECTIONS:
        remarks.append(f'its Modality is none of projection X-rays ({", ".join(sorted(PROJECTIONS))})')
    if header.get('BurnedInAnnotation') == 'YES':
        remarks.append('text is burned into its pixels, and may name the patient wherever the picture is shown')
    return tuple(remarks)


def _spacing(path: Path, header: Dataset) -> tuple[float | None, tuple[str, ...]]:
    """After DICOM PS3.3, 10.7.1: equal to ImagerPixelSpacing and not calibrated, PixelSpacing is the detector's."""
    pixel = _pair(header, 'PixelSpacing') or _shared_spacing(header)
    imager, nominal = _pair(header, 'ImagerPixelSpacing'), _pair(header, 'NominalScannedPixelSpacing')
    calibrated = pixel and (header.get('PixelSpacingCalibrationType') or pixel != (imager or nominal))
    if calibrated:
        return file_spacing(path, 'PixelSpacing', pixel)
    if not imager and not nominal:
        file_spacing(path, 'PixelAspectRatio', _pair(header, 'PixelAspectRatio') or (1, 1))
        return None, ()
    source = 'ImagerPixelSpacing' if imager else 'NominalScannedPixelSpacing'
    spacing_mm, warnings = file_spacing(path, source, imager or nominal)
    if spacing_mm is None:
        return None, warnings
    magnification = _magnification(header)
    if magnification is None:
        remark = f'{source} = {spacing_mm:g} mm is that of the detector: lengths are not corrected for magnification'
        return spacing_mm, (remark,)
    remark = (
        f'{source} = {spacing_mm:g} mm, the size at the detector, is divided by the magnification {magnification:g}'
    )
    return spacing_mm / magnification, (remark,)


def _pair(header: Dataset, keyword: str) -> tuple[float, float] | None:
    """Height and width of a pixel."""
    value = header.get(keyword)
    return (float(value[0]), float(value[1])) if value else None


def _shared_spacing(header: Dataset) -> tuple[float, float] | None:
    groups = header.get('SharedFunctionalGroupsSequence')
    measures = groups[0].get('PixelMeasuresSequence') if groups else None
    return _pair(measures[0], 'PixelSpacing') if measures else None


def _magnification(header: Dataset) -> float | None:
    factor = header.get('EstimatedRadiographicMagnificationFactor')
    detector, patient = header.get('DistanceSourceToDetector'), header.get('DistanceSourceToPatient')
    if not factor and detector and patient:
        factor = detector / patient
    return float(factor) if factor and 1 <= factor < 2 else None


def _shown(path: Path, pixels: np.ndarray, header: Dataset) -> tuple[np.ndarray, tuple[str, ...]]:
    """uint8, and warnings."""
    photometric = header.get('PhotometricInterpretation')
    if photometric == 'PALETTE COLOR':
        pixels = apply_color_lut(pixels, header)
        return to_uint8(pixels, 0, np.iinfo(pixels.dtype).max), ()
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return to_uint8(pixels, 0, 2**header.BitsStored - 1), ()
    if pixels.ndim != 2 or photometric not in GREY:
        raise InputError(
            f'{path}: its colours are of an unusual kind (PhotometricInterpretation): export it in grey or RGB'
        )
    return _grey(pixels, header)


def _grey(pixels: np.ndarray, header: Dataset) -> tuple[np.ndarray, tuple[str, ...]]:
    padding = _padding(pixels, header)
    values = apply_modality_lut(pixels, header)
    low, high, warnings = 0.0, 0.0, ()
    if header.get('VOILUTSequence'):
        values = apply_voi(np.rint(values).astype(np.int32), header)
        low, high = 0.0, 2.0 ** header.VOILUTSequence[0].LUTDescriptor[2] - 1
    elif window := _window(header):
        low, high = window
        exposed = values[~padding]
        if np.mean((exposed > low) & (exposed < high)) < LEAST_SHOWN:
            warnings = (f'its window from {low:g} to {high:g} shows next to nothing of the image and is not used',)
            low = high
    elif values is pixels and header.BitsStored <= 8 and not header.PixelRepresentation:
        high = 2.0**header.BitsStored - 1
    if not low < high:
        low, high = robust_range(values[~padding])
    image = to_uint8(values, low, high)
    # PresentationLUTShape INVERSE says the same again in MONOCHROME1 files: it is not to be applied on top.
    if header.PhotometricInterpretation == 'MONOCHROME1':
        image = 255 - image
    image[padding] = 0
    return image, warnings


def _padding(pixels: np.ndarray, header: Dataset) -> np.ndarray:
    """Where a pixel was never exposed, bool. The values are those before the modality's rescaling."""
    value = header.get('PixelPaddingValue')
    if value is None:
        return np.zeros(pixels.shape, bool)
    limit = header.get('PixelPaddingRangeLimit', value)
    return (pixels >= min(value, limit)) & (pixels <= max(value, limit))


def _window(header: Dataset) -> tuple[float, float] | None:
    """The values that become black and white (PS3.3, C.11.2.1.2 and C.11.2.1.3).

    SIGMOID, which is rare, is taken for the straight line with the same slope in its middle.
    """
    centre, width = (_first(header.get(keyword)) for keyword in ('WindowCenter', 'WindowWidth'))
    if centre is None or width is None:
        return None
    if header.get('VOILUTFunction', 'LINEAR') == 'LINEAR':
        centre, width = centre - 0.5, width - 1
    return (centre - width / 2, centre + width / 2) if width > 0 else None


def _first(value: object) -> float | None:
    if value is None or value == '':
        return None
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)
