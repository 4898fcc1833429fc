"""Pixels and millimetres, crops and the way back.

Coordinates are pixels of the original image, x right and y down, pixel centres at integers. Millimetres come only from
multiplying by a spacing (mm per pixel).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Crop:
    """A rectangle of an image that knows how points get into it and back.

    Attributes:
        left, top: The original pixel that becomes (0, 0).
        width, height: The size of the rectangle in pixels.
    """

    left: int
    top: int
    width: int
    height: int

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The rectangle as a view of ``image``, shape (H, W) or (H, W, C)."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def to_crop(self, points_px: np.ndarray) -> np.ndarray:
        """Points of the original image, shape (..., 2) as x, y, in pixels of the crop."""
        return np.asarray(points_px, float) - (self.left, self.top)

    def to_original(self, points_px: np.ndarray) -> np.ndarray:
        """Points of the crop, shape (..., 2) as x, y, in pixels of the original image."""
        return np.asarray(points_px, float) + (self.left, self.top)


def content_crop(image: np.ndarray) -> Crop | None:
    """The part of a zero-padded image that is not padding.

    Padding is removed at the right and at the bottom only, so the crop starts at (0, 0) and coordinates stay valid.

    Args:
        image: Shape (H, W) or (H, W, C), any numeric type.

    Returns:
        The crop up to the last row and the last column that hold a non-zero value; None for an image of zeros alone.
    """
    flat = image.reshape(image.shape[0], -1)
    rows = np.flatnonzero(flat.any(axis=1))
    if rows.size == 0:
        return None
    used = flat[: rows[-1] + 1].any(axis=0).reshape(image.shape[1], -1).any(axis=1)
    return Crop(left=0, top=0, width=int(np.flatnonzero(used)[-1]) + 1, height=int(rows[-1]) + 1)


def radial_error_mm(predicted_px: np.ndarray, true_px: np.ndarray, spacing_mm: float | np.ndarray) -> np.ndarray:
    """The Euclidean distance between predicted and true landmarks.

    Args:
        predicted_px, true_px: Shape (..., K, 2) as x, y, in pixels.
        spacing_mm: Millimetres per pixel: a number, or an array that broadcasts against (..., K), such as (N, 1).

    Returns:
        Shape (..., K), in millimetres; NaN where a coordinate is NaN.
    """
    difference = np.asarray(predicted_px, float) - np.asarray(true_px, float)
    return np.hypot(difference[..., 0], difference[..., 1]) * spacing_mm
