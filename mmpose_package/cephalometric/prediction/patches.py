"""Square patches of an X-ray around its landmarks, and the way back from them."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


class ImagePyramid:
    """A grey X-ray and its halves, so that a coarse patch is an average of pixels and not a choice among them.

    Args:
        image: uint8, shape (H, W), or (H, W, 3) in BGR order, which is made grey.
    """

    def __init__(self, image: np.ndarray) -> None:
        self.levels = [image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)]
        while min(self.levels[-1].shape) >= 64:
            height, width = (length // 2 for length in self.levels[-1].shape)
            even = self.levels[-1][: 2 * height, : 2 * width]
            self.levels.append(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))

    def warp(self, to_image: np.ndarray, size: int) -> np.ndarray:
        """The squares of ``size`` x ``size`` pixels that affine maps lead from; black outside.

        Args:
            to_image: Shape (N, 2, 3).

        Returns:
            uint8, shape (N, size, size).
        """
        steps_px = np.hypot(*np.moveaxis(to_image[:, :, 0], 1, 0))
        levels = np.clip(np.floor(np.log2(np.maximum(steps_px, 1e-6)) + 1e-6), 0, len(self.levels) - 1).astype(int)
        halvings = 2.0 ** levels[:, None]
        to_level = to_image / halvings[..., None]
        # Pixel centres are at integers: the first pixel of a half lies between the first two of the whole.
        to_level[:, :, 2] = (to_image[:, :, 2] + 0.5) / halvings - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        squares = np.empty((len(to_image), size, size), np.uint8)
        for square, level, matrix in zip(squares, levels, to_level, strict=True):
            cv2.warpAffine(self.levels[level], matrix, (size, size), dst=square, flags=flags)
        return squares


def patch_maps(centres_px: np.ndarray, steps_px: np.ndarray, angles: np.ndarray, size: int) -> np.ndarray:
    """The affine maps from pixels of N patches to pixels of the image, shape (N, 2, 3); see :class:`PatchFrame`."""
    cosine, sine = np.cos(angles) * steps_px, np.sin(angles) * steps_px
    turns = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2)
    offsets = np.asarray(centres_px, float) - turns.sum(axis=-1) * (size - 1) / 2
    return np.concatenate([turns, offsets[..., None]], axis=-1)


def to_patches(maps: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    """P points of the image, shape (P, 2) as x, y, in pixels of each of N patches, shape (N, P, 2)."""
    moved = np.asarray(points_px, float) - maps[:, None, :, 2]
    return moved @ np.linalg.inv(maps[:, :, :2]).swapaxes(1, 2)


@dataclass(frozen=True)
class PatchFrame:
    """Where a patch lies in an X-ray.

    Attributes:
        centre_px: The middle of the patch, x, y in pixels of the image.
        step_px: From one pixel of the patch to the next, in pixels of the image.
        size: Of the patch, in pixels.
        angle: By which the patch is turned, in radians.
    """

    centre_px: np.ndarray
    step_px: float
    size: int
    angle: float = 0.0

    @cached_property
    def to_image_map(self) -> np.ndarray:
        """The affine map from pixels of the patch to pixels of the image, shape (2, 3)."""
        (one,) = patch_maps(
            np.asarray(self.centre_px)[None], np.array([self.step_px]), np.array([self.angle]), self.size
        )
        return one

    def cut(self, pyramid: ImagePyramid) -> np.ndarray:
        """The patch, uint8, shape (size, size)."""
        return pyramid.warp(self.to_image_map[None], self.size)[0]

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points of the patch, x, y in its pixels, in pixels of the image; shape (..., 2)."""
        return np.asarray(points, float) @ self.to_image_map[:, :2].T + self.to_image_map[:, 2]

    def to_patch(self, points_px: np.ndarray) -> np.ndarray:
        """Points of the image, x, y in its pixels, in pixels of the patch; shape (..., 2)."""
        return (np.asarray(points_px, float) - self.to_image_map[:, 2]) @ np.linalg.inv(self.to_image_map[:, :2]).T
