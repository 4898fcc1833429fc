"""One image out of a file, and what the readers of X-ray files share."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError

# Lateral cephalograms have 2 to 30 million pixels. What has far more is another kind of picture, or a small file made
# to fill the memory; Pillow warns from 89 million on.
MOST_PIXELS = 80_000_000


@dataclass(frozen=True)
class Frame:
    """One image of a file: a page, a slice or a frame.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order.
        count: How many images the file holds.
        spacing_mm: Millimetres per pixel as the file says; None where it does not, or not in a way to be trusted.
        warnings: What a user should know about how the image was read, one sentence each.
    """

    image: np.ndarray
    count: int = 1
    spacing_mm: float | None = None
    warnings: tuple[str, ...] = ()


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an image before its pixels are unpacked into memory.

    Raises:
        InputError: The image has no pixels, or more than ``MOST_PIXELS``.
    """
    if not 0 < width * height <= MOST_PIXELS:
        raise InputError(
            f'{path}: {width} x {height} pixels: an X-ray has at most {MOST_PIXELS // 10**6} million; give another '
            'file or scale it down'
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
