"""One image out of a file with its spacing, and what the readers of X-ray files share."""

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError

HEAD = 1024
# What files without preamble begin with: an element of group 2 or 8, its type or a small length, also big-endian.
BARE = re.compile(rb'[\x02\x08]\x00.\x00([A-Z]{2}|..\x00\x00)|\x00[\x02\x08]\x00.[A-Z]{2}', re.DOTALL)


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these bytes (132 or more) is DICOM, with its preamble or without."""
    return head[128:132] == b'DICM' or bool(BARE.match(head))


# Lateral cephalograms have 2 to 30 million pixels. What has far more is another kind of picture, or a small file made
# to fill the memory; Pillow warns from 89 million on. The bytes hold 80 million pixels in colours of 8 bits, or
# 42 million in colours of 16; reading takes up to four times as much.
MOST_PIXELS = 80_000_000
MOST_BYTES = 256_000_000


@dataclass(frozen=True)
class Frame:
    """One image of a file: a page, a slice or a frame.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order.
        count: How many images the file holds.
        spacing_mm: Millimetres per pixel as the file says; None where it does not, or not in a way to be trusted.
        warnings: What a user should know about how the image was read, one sentence each.
        not_square: Why one spacing cannot measure it, after its file; to be refused, unless the user gives a spacing.
    """

    image: np.ndarray
    count: int = 1
    spacing_mm: float | None = None
    warnings: tuple[str, ...] = ()
    not_square: str = ''


class NotSquareError(InputError):
    """Pixels are not square, after what a file says."""


def check_size(name: str | Path, rows: int, columns: int, frames: int = 1, bytes_per_pixel: float = 1) -> None:
    """Refuse an image before its pixels are unpacked into memory. This is the one limit of all readers.

    Args:
        name: The file, for the message.
        rows, columns: The size of a frame as the header gives it.
        frames: How many of them are unpacked at once: of a stack that is read slice by slice, one.
        bytes_per_pixel: What a pixel takes where it is unpacked, all its channels together.

    Raises:
        InputError: The image has no pixels, more than ``MOST_PIXELS`` a frame, or takes more than ``MOST_BYTES``.
    """
    size = f'{name}: {columns} x {rows} pixels'
    if rows < 1 or columns < 1 or frames < 1 or rows * columns > MOST_PIXELS:
        raise InputError(
            f'{size}: an X-ray has at most {MOST_PIXELS // 10**6} million; give another file or scale it down'
        )
    if rows * columns * frames * bytes_per_pixel > MOST_BYTES:
        several = f'{frames} frames with ' if frames > 1 else ''
        raise InputError(
            f'{size}, {several}{bytes_per_pixel:g} bytes each: an X-ray takes at most {MOST_BYTES // 10**6} MB of '
            'memory; save it as 8-bit grey or scale it down'
        )


@contextmanager
def decoding(path: Path, reason: str | None = None) -> Iterator[None]:
    """Around calls of a library that reads the bytes of a user's file, and of nothing else.

    Decoders raise whatever damaged bytes lead them to, from ``KeyError`` to ``struct.error``, and warn of the rest:
    both are about the file. Do not yield inside of the block, which holds Python's warning filters.

    Args:
        path: The file.
        reason: Said instead of what the library says, which may quote what is in the file.

    Raises:
        InputError: The library failed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    except InputError:
        raise
    except Exception as error:
        reason = reason or ' '.join(f'{type(error).__name__}: {error}'.split())[:200]
        raise InputError(
            f'{path}: cannot be decoded, because it is damaged, incomplete or of an unusual kind ({reason}); copy it '
            'again, or export it again uncompressed'
        ) from error


# Of an 8-megapixel X-ray 8000 pixels at either end: more than dead pixels and hot ones, less than a tooth or a filling.
PERCENTILES = (0.1, 99.9)
BLOCK = 1 << 20


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """The values between which an image lies, but for a few outliers: its 0.1 and 99.9 percentiles.

    Where these two are equal, as in a mask, the lowest and the highest value are taken. Values that are not finite do
    not count.
    """
    finite = values[
        np.isfinite(values)
    ]  # A copy in the values' own type: as float64 it would be up to 8 times as large.
    if not finite.size:
        return 0.0, 0.0
    places = [share / 100 * (finite.size - 1) for share in PERCENTILES]
    finite.partition(
        sorted({0, finite.size - 1} | {whole(place) for place in places for whole in (math.floor, math.ceil)})
    )
    low, high = (_between(finite, place) for place in places)
    return (low, high) if low < high else (float(finite[0]), float(finite[-1]))


def _between(ordered: np.ndarray, place: float) -> float:
    below, above = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
    return below + (above - below) * (place - math.floor(place))


def to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map ``low`` to 0 and ``high`` to 255, linearly between them; what lies beyond is cut off.

    Args:
        values: Any shape and any real type; NaN becomes 0.
        low, high: In the unit of the values. If ``high`` is not above ``low`` nothing is shown: all becomes 0.

    Returns:
        uint8, the shape of ``values``. A larger value never becomes a smaller one.
    """
    shown = np.zeros(values.shape, np.uint8)
    if not low < high:
        return shown
    flat, target = values.reshape(-1), shown.reshape(-1)
    for start in range(0, flat.size, BLOCK):  # In parts: as float64 a large film takes far more memory than as a file.
        part = flat[start : start + BLOCK].astype(float)
        share = (np.clip(np.nan_to_num(part, nan=low), low, high) - low) / (high - low)
        target[start : start + BLOCK] = np.rint(share * 255)
    return shown


def grey_levels(values: np.ndarray, exposed: np.ndarray | None = None) -> np.ndarray:
    """Grey values of any depth as 8 bits, the same for the same film, whatever type its 8 bits were put into.

    8 bits that were put into a wider type, as they are, multiplied by 257 or 256, or as a share of 255 in floating
    point, come out as the 8 bits that they were. All other values are mapped from between :func:`robust_range`.

    Args:
        values: Any shape and any real type.
        exposed: Which of them count for the range, bool, the shape of ``values``; all if it is None.

    Returns:
        uint8, the shape of ``values``.
    """
    factor = _widening(values)
    if factor:
        return to_uint8(values, 0, 255 * factor)
    return to_uint8(values, *robust_range(values if exposed is None else values[exposed]))


def _widening(values: np.ndarray) -> float | None:
    """By what 8 bits were multiplied to become these values; None if they were not 8 bits."""
    low, high = (values.min(), values.max()) if values.size else (0, 0)
    if not 0 <= low <= high < math.inf:
        return None
    if np.issubdtype(values.dtype, np.floating):
        factors = (1,) if high > 1 else (1 / 255,)
    else:
        factors = (1,) if high <= 255 else (257, 256)
    return next((factor for factor in factors if high <= 255.001 * factor and _all_multiples(values, factor)), None)


def _all_multiples(values: np.ndarray, factor: float) -> bool:
    flat = values.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        levels = flat[start : start + BLOCK] / factor
        if (np.abs(levels - np.rint(levels)) > 1e-3).any():  # What float32 leaves of k / 255.
            return False
    return True


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
        NotSquareError: The pixels are not square, by more than 1 %: one spacing cannot describe them.
    """
    height, width = sizes_mm
    text = f'{source} = {height:g} {width:g}'
    if not (math.isfinite(height) and math.isfinite(width) and height > 0 and width > 0):
        return None, (f'{text} is not used: it is no size of a pixel; give --spacing',)
    if abs(height - width) > SQUARE_TOLERANCE * max(height, width):
        raise NotSquareError(
            f'{path}: {text}: its pixels are not square, so that one spacing cannot measure it; resample it to square '
            'pixels first'
        )
    mean = (height + width) / 2
    if mean == 1:
        return None, ()
    if not PLAUSIBLE_MM[0] < mean < PLAUSIBLE_MM[1]:
        return None, (f'{text} is not used: the pixels of a cephalogram measure between 0.01 and 1 mm; give --spacing',)
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
