"""The spacing of an X-ray: what its file says, how far that is to be trusted, and what the user says."""

import math
from pathlib import Path

from cephalometric.errors import InputError

PLAUSIBLE_MM = (0.01, 1.0)
SQUARE_TOLERANCE = 0.01
AGREEMENT = 0.05


def file_spacing(path: Path, source: str, sizes_mm: tuple[float, float]) -> tuple[float | None, tuple[str, ...]]:
    """What a file says about the size of its pixels, as far as it is to be trusted.

    1 is what programs write that do not know the size, and counts as no spacing. So does any value that cannot be the
    pixel of a cephalogram: 0.01 mm or less, 1 mm or more.

    Args:
        path: The file, for messages.
        source: What holds the values, for messages, such as ``'PixelSpacing'``.
        sizes_mm: Height and width of a pixel in mm.

    Returns:
        Millimetres per pixel or None, and warnings.

    Raises:
        InputError: The pixels are not square, by more than 1 %: one spacing cannot describe them.
    """
    height, width = sizes_mm
    text = f'{source} = {height:g} {width:g}'
    if not (math.isfinite(height) and math.isfinite(width) and height > 0 and width > 0):
        return None, (f'{text} is not used: it is no size of a pixel',)
    if abs(height - width) > SQUARE_TOLERANCE * max(height, width):
        raise InputError(
            f'{path}: {text}: its pixels are not square, so that one spacing cannot measure it; resample it to square '
            'pixels first'
        )
    mean = (height + width) / 2
    if mean == 1:
        return None, ()
    if not PLAUSIBLE_MM[0] < mean < PLAUSIBLE_MM[1]:
        return None, (f'{text} is not used: the pixels of a cephalogram measure between 0.01 and 1 mm',)
    return mean, ()


def chosen_spacing(file_mm: float | None, asked_mm: float | None) -> tuple[float | None, tuple[str, ...]]:
    """The spacing to use: the user's, who may have measured a ruler in the picture, before the file's.

    Returns:
        Millimetres per pixel or None, and a warning where both are given and differ by more than 5 %.
    """
    if asked_mm is None or file_mm is None:
        return file_mm if asked_mm is None else asked_mm, ()
    if abs(asked_mm - file_mm) <= AGREEMENT * file_mm:
        return asked_mm, ()
    return asked_mm, (f'the spacing {asked_mm:g} mm that was asked for is used, but the file says {file_mm:g} mm',)


def check_spacing(spacing_mm: float | None) -> None:
    """Refuse a spacing that a user asks for.

    Raises:
        InputError: It is neither None nor a positive number.
    """
    if spacing_mm is not None and not 0 < spacing_mm < math.inf:
        raise InputError(f'spacing {spacing_mm} mm cannot be used: give the millimetres per pixel, such as 0.1')
