"""The spacing of X-rays in DICOM files (DICOM PS3.3, 10.7)."""

from pathlib import Path

from cephalometric.xrays.dicom_header import Header
from cephalometric.xrays.frames import file_spacing

ATTRIBUTES = [
    *('PixelSpacing', 'PixelSpacingCalibrationType', 'ImagerPixelSpacing', 'NominalScannedPixelSpacing'),
    *('PixelAspectRatio', 'EstimatedRadiographicMagnificationFactor'),
    *('DistanceSourceToDetector', 'DistanceSourceToPatient'),
]
REMEDY = 'give --spacing, or export it again'


def read_spacing(path: Path, header: Header) -> tuple[float | None, tuple[str, ...]]:
    """What a header says about the size of the pixels.

    After DICOM PS3.3, 10.7.1.1: PixelSpacing that equals ImagerPixelSpacing and is not calibrated is the detector's.
    The detector's is divided by the magnification, where the file knows it.

    Args:
        path: The file, for messages.
        header: Of the frame.

    Returns:
        Millimetres per pixel, or None, and remarks. Attributes that cannot be used are among the header's.

    Raises:
        NotSquareError: The pixels are not square.
    """
    pixel, imager, nominal = (
        _pair(header, keyword) for keyword in ('PixelSpacing', 'ImagerPixelSpacing', 'NominalScannedPixelSpacing')
    )
    remarks: tuple[str, ...] = ()
    if pixel and (header.code('PixelSpacingCalibrationType') or pixel != (imager or nominal)):
        spacing_mm, remarks = file_spacing(path, 'PixelSpacing', pixel)
        if spacing_mm is not None:
            return spacing_mm, remarks
    if not imager and not nominal:
        if not pixel and (ratio := _pair(header, 'PixelAspectRatio')):
            file_spacing(path, 'PixelAspectRatio', ratio)
        return None, remarks
    source = 'ImagerPixelSpacing' if imager else 'NominalScannedPixelSpacing'
    spacing_mm, more = file_spacing(path, source, imager or nominal)
    if spacing_mm is None:
        return None, remarks + more
    magnification = _magnification(header)
    if magnification is None:
        remark = f'{source} = {spacing_mm:g} mm is that of the detector: lengths are not corrected for magnification'
        return spacing_mm, (*remarks, remark)
    remark = (
        f'{source} = {spacing_mm:g} mm, the size at the detector, is divided by the magnification {magnification:g}'
    )
    return spacing_mm / magnification, (*remarks, remark)


def _pair(header: Header, keyword: str) -> tuple[float, float] | None:
    """Height and width of a pixel."""
    numbers = header.numbers(keyword)
    if not numbers:
        return None
    if len(numbers) != 2 or not all(number is not None and number > 0 for number in numbers):
        header.remark(keyword, REMEDY)
        return None
    quoted = header.quoted(keyword)
    if ',' in quoted or 'm' in quoted:
        header.remarks.append(f'{keyword} = {quoted} is read as {numbers[0]:g} {numbers[1]:g}')
    return numbers[0], numbers[1]


def _magnification(header: Header) -> float | None:
    otherwise = 'lengths are not corrected with it'
    factor = header.number('EstimatedRadiographicMagnificationFactor', otherwise)
    detector = header.number('DistanceSourceToDetector', otherwise)
    patient = header.number('DistanceSourceToPatient', otherwise)
    if not factor and detector and patient:
        factor = detector / patient
    return factor if factor and 1 <= factor < 2 else None
