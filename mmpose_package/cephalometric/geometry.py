"""Pixels and millimetres, crops, layouts, orientations, and the way back from each.

Coordinates are pixels of the original image, x right and y down, pixel centres at integers. Millimetres come only from
multiplying by a spacing (mm per pixel). A layout tells the scale of an X-ray whose spacing nobody says, such as a slice
of the challenge's stacks: it is the size at which the mean layout fits the landmarks best.
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


def mean_layout_mm(points_px: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """The mean of several layouts, each moved and turned onto the others: a generalised Procrustes mean at true size.

    After J. C. Gower, "Generalized Procrustes analysis", Psychometrika 40 (1975), without its scaling.

    Args:
        points_px: Shape (N, K, 2) as x, y, in pixels; NaN for missing landmarks.
        spacing_mm: Shape (N,), millimetres per pixel.

    Returns:
        Shape (K, 2) as x, y, in millimetres, around (0, 0); NaN for a landmark that no X-ray has, or none that has two
        landmarks in common with others.
    """
    layouts = _as_complex(points_px) * np.asarray(spacing_mm, float)[:, None]
    mean = layouts[np.isfinite(layouts).sum(axis=1).argmax()]
    for _ in range(3):
        turned = []
        for layout in layouts:
            factor, offset = _fit(layout, mean)
            if abs(factor) > 0:
                turned.append(layout * (factor / abs(factor)) + offset)
        if not turned:
            break  # No two X-rays share two landmarks: nothing says how they are turned.
        mean = _mean_of_finite(turned)
    mean = mean - np.nanmean(mean)
    return np.stack([mean.real, mean.imag], axis=1)


def layout_scale(layout_mm: np.ndarray, points_px: np.ndarray) -> float:
    """How many pixels a millimetre of the mean layout is in an X-ray: the scale of the least-squares similarity.

    After S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE TPAMI 13
    (1991); in the plane, with points as complex numbers, it is one division.

    Args:
        layout_mm: Shape (K, 2).
        points_px: The landmarks of the X-ray, shape (K, 2) as x, y, in pixels; NaN for missing landmarks.

    Returns:
        Pixels per millimetre; 0 where fewer than two landmarks are there, or all lie in one place.
    """
    return abs(_fit(_as_complex(layout_mm), _as_complex(points_px))[0])


def _as_complex(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, float)
    return points[..., 0] + 1j * points[..., 1]


def _fit(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """Factor and offset that bring the source nearest to the target, over the points that both have."""
    both = np.isfinite(source) & np.isfinite(target)
    if not both.any():
        return 0j, 0j
    source_mean, target_mean = source[both].mean(), target[both].mean()
    source, target = source[both] - source_mean, target[both] - target_mean
    size = (abs(source) ** 2).sum()
    if size == 0:
        return 0j, 0j
    factor = (source.conj() * target).sum() / size
    turn = factor / abs(factor) if abs(factor) > 0 else 0
    return factor, target_mean - turn * source_mean


def _mean_of_finite(layouts: list[np.ndarray]) -> np.ndarray:
    stack = np.stack(layouts)
    finite = np.isfinite(stack)
    counts = finite.sum(axis=0)
    sums = np.where(finite, stack, 0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), complex(np.nan, np.nan))


@dataclass(frozen=True)
class Orientation:
    """How an X-ray lies.

    Attributes:
        mirrored: It faces left.
        upside_down: Its upper edge is below (mirrored top to bottom; both together are half a turn).
        inverted: Bone is dark and air is bright.
    """

    mirrored: bool = False
    upside_down: bool = False
    inverted: bool = False

    @property
    def turned(self) -> bool:
        """Whether the X-ray lies any other way than the right one."""
        return self.mirrored or self.upside_down or self.inverted

    def __str__(self) -> str:
        half_turn = self.mirrored and self.upside_down
        words = {
            'turned by 180 degrees': half_turn,
            'mirrored (facing left)': self.mirrored and not half_turn,
            'upside down': self.upside_down and not half_turn,
            'inverted (dark bone)': self.inverted,
        }
        return ' and '.join(word for word, holds in words.items() if holds) or 'the right way'

    def turn(self, points_px: np.ndarray, width: int, height: int) -> np.ndarray:
        """Points of an X-ray that lies like this in the same X-ray the right way, or back: the way is the same."""
        x, y = np.moveaxis(np.asarray(points_px, float), -1, 0)
        return np.stack([width - 1 - x if self.mirrored else x, height - 1 - y if self.upside_down else y], axis=-1)


@dataclass(frozen=True)
class Turned:
    """The pixels of an X-ray the right way, if it lies as supposed, and the way back to the X-ray as it is."""

    orientation: Orientation
    crop: Crop
    image: np.ndarray

    def to_original(self, points_px: np.ndarray) -> np.ndarray:
        """Points of ``image`` in pixels of the X-ray."""
        return self.crop.to_original(self.orientation.turn(points_px, self.crop.width, self.crop.height))


def turn_xray(image: np.ndarray, orientation: Orientation) -> Turned:
    """Bring an X-ray that lies like this the right way; its zero padding at the right and below goes first.

    Args:
        image: uint8, shape (H, W) or (H, W, 3), not blank.
    """
    crop = content_crop(image)
    pixels = crop.cut(image)
    if orientation.inverted:
        pixels = 255 - pixels
        crop = content_crop(pixels) or crop  # An inverted X-ray's padding may be inverted with it.
        pixels = crop.cut(pixels)
    rows, columns = (slice(None, None, -1 if flag else 1) for flag in (orientation.upside_down, orientation.mirrored))
    return Turned(orientation, crop, np.ascontiguousarray(pixels[rows, columns]))
