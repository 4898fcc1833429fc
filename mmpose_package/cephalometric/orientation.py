"""How an X-ray lies: the right way, or mirrored, upside down or with inverted grey values, and how to turn it."""

from dataclasses import dataclass

import numpy as np

from cephalometric.geometry import Crop, content_crop


@dataclass(frozen=True)
class Orientation:
    """How a film lies.

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
        """Whether the film lies any other way than the right one."""
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
        """Points of a film that lies like this in the same film the right way, or back: the way is the same."""
        x, y = np.moveaxis(np.asarray(points_px, float), -1, 0)
        return np.stack([width - 1 - x if self.mirrored else x, height - 1 - y if self.upside_down else y], axis=-1)


@dataclass(frozen=True)
class Turned:
    """The pixels of a film the right way, if it lies as supposed, and the way back to the film as it is."""

    orientation: Orientation
    crop: Crop
    image: np.ndarray

    def to_original(self, points_px: np.ndarray) -> np.ndarray:
        """Points of ``image`` in pixels of the film."""
        return self.crop.to_original(self.orientation.turn(points_px, self.crop.width, self.crop.height))


def turn_film(image: np.ndarray, orientation: Orientation) -> Turned:
    """Bring a film that lies like this the right way; its zero padding at the right and below goes first.

    Args:
        image: uint8, shape (H, W) or (H, W, 3), not blank.
    """
    crop = content_crop(image)
    pixels = crop.cut(image)
    if orientation.inverted:
        pixels = 255 - pixels
        crop = content_crop(pixels) or crop  # An inverted film's padding may be inverted with it.
        pixels = crop.cut(pixels)
    rows, columns = (slice(None, None, -1 if flag else 1) for flag in (orientation.upside_down, orientation.mirrored))
    return Turned(orientation, crop, np.ascontiguousarray(pixels[rows, columns]))
