"""The coarse stage: how a whole X-ray becomes the input of a network, and how places in that input lead back."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np


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
            (J. Huang et al., arXiv 1911.07524); False where the outer edges of these pixels do.
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
