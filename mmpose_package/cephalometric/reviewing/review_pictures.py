"""X-rays and their thumbnails as bytes for a browser."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Semaphore
from typing import TypeVar

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.reviewing.review_inputs import ReviewFilm
from cephalometric.xrays.reading import Xray

THUMBNAIL = 160
"""Pixels of its longer side."""
KEPT_XRAYS, KEPT_PICTURES = 4, 6
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]

Value = TypeVar('Value')


class LatestFew:
    """The latest few values that a function gave, by key; one of a kind is made at a time."""

    def __init__(self, most: int) -> None:
        self._most, self._values, self._lock = most, OrderedDict(), Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made if it is not kept."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
                while len(self._values) > self._most:
                    self._values.popitem(last=False)
            self._values.move_to_end(key)
            return self._values[key]


class ReviewPictures:
    """Reads X-rays once for all that need them, and keeps thumbnails on disk.

    Args:
        cache: The folder of the thumbnails; made when the first one is.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._xrays, self._pictures = LatestFew(KEPT_XRAYS), LatestFew(KEPT_PICTURES)
        self._thumbnails = Semaphore(2)

    def xray(self, film: ReviewFilm) -> Xray:
        """The X-ray of a film.

        Raises:
            InputError: It cannot be read.
        """
        return self._xrays.get((film.stem, film.version()), film.read)

    def picture(self, film: ReviewFilm) -> bytes:
        """The X-ray at its full size as PNG of 8 bits, without any text of its file.

        Raises:
            InputError: It cannot be read.
        """
        return self._pictures.get((film.stem, film.version()), lambda: encoded('.png', self.xray(film).image, FAST))

    def thumbnail(self, film: ReviewFilm) -> bytes:
        """The X-ray made small, as JPEG; from the cache, if it holds one of this version of the file.

        Raises:
            InputError: It cannot be read.
        """
        path = self._cache / f'{film.version()}.jpg'
        with suppress(OSError):
            return path.read_bytes()
        with self._thumbnails:
            image = film.read().image
        scale = min(1.0, THUMBNAIL / max(image.shape[:2]))
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        content = encoded('.jpg', cv2.resize(image, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 82])
        # A thumbnail that cannot be kept is made anew another time.
        with suppress(InputError, OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as partial:
                partial.write_bytes(content)
        return content


def encoded(suffix: str, image: np.ndarray, options: list[int]) -> bytes:
    """An image, uint8, shape (H, W), or (H, W, 3) in RGB order, as the bytes of a file."""
    pixels = image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])
    done, content = cv2.imencode(suffix, pixels, options)
    if not done:
        raise InputError(f'a picture of {image.shape[1]} x {image.shape[0]} pixels cannot be written as {suffix}')
    return content.tobytes()
