"""The refinement: patches of higher resolution around each landmark, and where in them it lies.

Each view looks around the mean of what those before it have found, and the answer is the mean of what all have found.
The scale of the patches follows from the layout of the landmarks, so that no spacing is needed to predict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.geometry import layout_scale
from cephalometric.prediction.decoding import decode_patches
from cephalometric.prediction.patches import ImagePyramid, PatchFrame

Look = Callable[[int, np.ndarray], np.ndarray]
"""A view's number from 0 and patches, uint8, shape (B, K, size, size), to distributions, shape (B, K, cells, cells)."""


@dataclass(frozen=True)
class Refinement:
    """What surrounds the networks that look at patches.

    Attributes:
        resolutions_mm: For each view, how many millimetres a pixel of its patches is: those of the mean layout.
        patch_size: Side of a patch in pixels.
        stride, window: As for :func:`cephalometric.prediction.decoding.decode_patches`.
        mean_layout_mm: The mean layout of the landmarks, shape (K, 2) as x, y, in millimetres.
    """

    resolutions_mm: tuple[float, ...]
    patch_size: int
    stride: int
    window: float
    mean_layout_mm: np.ndarray

    def refine(
        self, look: Look, pyramids: Sequence[ImagePyramid], points_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Look for landmarks near where they are expected, with one view after another.

        Args:
            look: What computes the networks.
            pyramids: B X-rays.
            points_px: Where to look, shape (B, K, 2) as x, y, in pixels of each X-ray.

        Returns:
            The landmarks, shape (B, K, 2) as x, y, in pixels of each X-ray, and their scores, shape (B, K).
        """
        found, scores = [], []
        for view in range(len(self.resolutions_mm)):
            centres_px = np.mean(found, axis=0) if found else points_px
            for parts, part in zip((found, scores), self._look(look, view, pyramids, centres_px), strict=True):
                parts.append(part)
        return np.mean(found, axis=0), np.mean(scores, axis=0)

    def _look(
        self, look: Look, view: int, pyramids: Sequence[ImagePyramid], centres_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        frames, patches = [], []
        for pyramid, centres in zip(pyramids, centres_px, strict=True):
            # Landmarks that all lie in one place have no scale; then any will do.
            step_px = (layout_scale(self.mean_layout_mm, centres) or 1.0) * self.resolutions_mm[view]
            # On a grid: a difference in the last digits, as between two processors, must not cut other pixels.
            step_px, centres = np.ceil(step_px * 64) / 64, np.round(centres * 4) / 4
            frames += [PatchFrame(centre, step_px, self.patch_size) for centre in centres]
            patches.append([frame.cut(pyramid) for frame in frames[-len(centres) :]])
        distributions = look(view, np.array(patches))
        points, scores = decode_patches(distributions.reshape(-1, *distributions.shape[2:]), self.stride, self.window)
        found = np.stack([frame.to_image(point) for frame, point in zip(frames, points, strict=True)])
        return found.reshape(centres_px.shape), scores.reshape(centres_px.shape[:2])
