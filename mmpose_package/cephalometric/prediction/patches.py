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
        """The square of ``size`` x ``size`` pixels that an affine map, shape (2, 3), leads from; black outside."""
        step_px = np.hypot(*to_image[:, 0])
        level = int(np.clip(np.floor(np.log2(max(step_px, 1e-6)) + 1e-6), 0, len(self.levels) - 1))
        to_level = to_image / 2**level
        # Pixel centres are at integers: the first pixel of a half lies between the first two of the whole.
        to_level[:, 2] = (to_image[:, 2] + 0.5) / 2**level - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(self.levels[level], to_level, (size, size), flags=flags)


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
        cosine, sine = np.cos(self.angle) * self.step_px, np.sin(self.angle) * self.step_px
        turn = np.array([[cosine, -sine], [sine, cosine]])
        offset = np.asarray(self.centre_px, float) - turn.sum(axis=1) * (self.size - 1) / 2
        return np.concatenate([turn, offset[:, None]], axis=1)

    def cut(self, pyramid: ImagePyramid) -> np.ndarray:
        """The patch, uint8, shape (size, size)."""
        return pyramid.warp(self.to_image_map, self.size)

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points of the patch, x, y in its pixels, in pixels of the image; shape (..., 2)."""
        return np.asarray(points, float) @ self.to_image_map[:, :2].T + self.to_image_map[:, 2]

    def to_patch(self, points_px: np.ndarray) -> np.ndarray:
        """Points of the image, x, y in its pixels, in pixels of the patch; shape (..., 2)."""
        return (np.asarray(points_px, float) - self.to_image_map[:, 2]) @ np.linalg.inv(self.to_image_map[:, :2]).T
