"""The two stages of prediction, without their networks: the coarse stage and the refinement.

The coarse stage looks at the whole X-ray. The refinement looks at patches of higher resolution around each landmark:
each pass looks around the mean of what those before it have found, and the answer is the mean of what all have found.
The scale of the patches follows from the layout of the landmarks, so that no spacing is needed to predict.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cephalometric.geometry import layout_scale
from cephalometric.prediction.decoding import decode_patches
from cephalometric.prediction.patches import ImagePyramid, PatchFrame


@dataclass(frozen=True)
class Region:
    """The part of an X-ray that a network's input shows; it may reach beyond the X-ray.

    Attributes:
        left, top, width, height: In pixels of the X-ray.
    """

    left: float
    top: float
    width: float
    height: float

    def to_image(self, fractions: np.ndarray) -> np.ndarray:
        """Places in the region, shape (..., 2) as parts of its width and height, in pixels of the X-ray."""
        return np.asarray(fractions, float) * (self.width, self.height) + (self.left, self.top)


@dataclass(frozen=True)
class CoarseStage:
    """What surrounds the network that looks at the whole X-ray.

    The geometry is that of MMPose's ``GetBBoxCenterScale`` and ``TopdownAffine`` for a box from the centre of the first
    to that of the last pixel.

    Attributes:
        input_size: Width and height of the network's input in pixels.
        padding: How much larger than the X-ray the region is that the input shows.
        edge_to_edge: True where the centres of the outer pixels of the input lie on the edges of the region, as in UDP
            (J. Huang et al., arXiv 1911.07524); False where the right and lower edge lie one pixel beyond them, as in
            MMPose's other warp.
        decoding: What the network puts out and how it is read, see :mod:`cephalometric.prediction.decoding`.
    """

    input_size: tuple[int, int]
    padding: float
    edge_to_edge: bool
    decoding: Mapping[str, object]

    def region(self, width: int, height: int) -> Region:
        """The region that the input shows of an X-ray of this size."""
        input_width, input_height = self.input_size
        aspect = input_width / input_height
        wide, high = (max(length - 1, 1) * self.padding for length in (width, height))
        wide, high = (wide, wide / aspect) if wide > high * aspect else (high * aspect, high)
        return Region((width - 1) / 2 - wide / 2, (height - 1) / 2 - high / 2, wide, high)

    def input_of(self, image: np.ndarray) -> np.ndarray:
        """The network's input: uint8, shape (3, height, width), in BGR order, black outside of the X-ray.

        Args:
            image: uint8, shape (H, W), or (H, W, 3) in BGR order.
        """
        region = self.region(image.shape[1], image.shape[0])
        lengths = np.array(self.input_size) - (1 if self.edge_to_edge else 0)
        scale_x, scale_y = lengths / (region.width, region.height)
        matrix = np.array([[scale_x, 0, -scale_x * region.left], [0, scale_y, -scale_y * region.top]])
        small = cv2.warpAffine(image, matrix, self.input_size, flags=cv2.INTER_LINEAR)
        # A grey X-ray gets its three channels when it has its small size.
        return np.broadcast_to(small, (3, *small.shape)) if small.ndim == 2 else np.moveaxis(small, 2, 0)


Network = Callable[[int, np.ndarray], np.ndarray]
"""A pass's number from 0 and patches, uint8, shape (B, K, size, size), to distributions, shape (B, K, cells, cells)."""


@dataclass(frozen=True)
class Refinement:
    """What surrounds the networks that look at patches.

    Attributes:
        resolutions_mm: For each pass, how many millimetres a pixel of its patches is: those of the mean layout.
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
        self, network: Network, pyramids: Sequence[ImagePyramid], points_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Look for landmarks near where they are expected, with one pass after another.

        Args:
            network: What computes the passes.
            pyramids: B X-rays.
            points_px: Where to look, shape (B, K, 2) as x, y, in pixels of each X-ray.

        Returns:
            The landmarks, shape (B, K, 2) as x, y, in pixels of each X-ray, and their scores, shape (B, K).
        """
        found, scores = [], []
        for number in range(len(self.resolutions_mm)):
            centres_px = np.mean(found, axis=0) if found else points_px
            for parts, part in zip((found, scores), self._pass(network, number, pyramids, centres_px), strict=True):
                parts.append(part)
        return np.mean(found, axis=0), np.mean(scores, axis=0)

    def _pass(
        self, network: Network, number: int, pyramids: Sequence[ImagePyramid], centres_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        frames, patches = [], []
        for pyramid, centres in zip(pyramids, centres_px, strict=True):
            # Landmarks that all lie in one place have no scale; then any will do.
            step_px = (layout_scale(self.mean_layout_mm, centres) or 1.0) * self.resolutions_mm[number]
            # On a grid: a difference in the last digits, as between two processors, must not cut other pixels.
            step_px, centres = np.ceil(step_px * 64) / 64, np.round(centres * 4) / 4
            frames += [PatchFrame(centre, step_px, self.patch_size) for centre in centres]
            patches.append([frame.cut(pyramid) for frame in frames[-len(centres) :]])
        distributions = network(number, np.array(patches))
        points, scores = decode_patches(distributions.reshape(-1, *distributions.shape[2:]), self.stride, self.window)
        found = np.stack([frame.to_image(point) for frame, point in zip(frames, points, strict=True)])
        return found.reshape(centres_px.shape), scores.reshape(centres_px.shape[:2])
