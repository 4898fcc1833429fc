"""What recipes for RTMPose take from the library Albumentations, without it.

It brings a second OpenCV that takes the place of the one that is installed, and its settings have changed with its
versions. Where it is installed, MMPose uses it, and this module does nothing.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from cephalometric.training.transforms import RandomCutout

LIBRARY = 'albumentations'


class Albumentation(BaseTransform):
    """MMPose's transform of that name, for the three of the library's that RTMPose uses.

    Changes ``img``, uint8, shape (H, W, C).

    Args:
        transforms: Each with its type and settings, as the library has them: ``Blur`` and ``MedianBlur`` with
            ``blur_limit`` (least and greatest width of the window in pixels; one number is the greatest, from 3 on),
            ``CoarseDropout`` with one hole and sizes that are parts of the image's; each with ``p``, how likely it is.

    Raises:
        ValueError: One of them is another, or its settings are.
    """

    def __init__(self, transforms: Sequence[Mapping[str, object]]) -> None:
        self.steps = [_step(dict(said)) for said in transforms]

    def transform(self, results: dict) -> dict:
        """Change ``results['img']`` by one after another."""
        for likely, change in self.steps:
            if np.random.rand() < likely:
                results = change(results)
        return results


def _step(said: dict) -> tuple[float, object]:
    name, likely = said.pop('type'), said.pop('p', 0.5)
    if name in ('Blur', 'MedianBlur'):
        limits = said.pop('blur_limit', 7)
        least, greatest = limits if isinstance(limits, Sequence) else (3, limits)
        smooth = cv2.medianBlur if name == 'MedianBlur' else lambda image, size: cv2.blur(image, (size, size))
        change = _RandomWindow(smooth, int(least), int(greatest))
    elif name == 'CoarseDropout' and {said.pop('max_holes', 8), said.pop('min_holes', 8)} == {1}:
        least, greatest = (
            {said.pop(f'{which}_{side}', None) for side in ('height', 'width')} for which in ('min', 'max')
        )
        if len(least) > 1 or len(greatest) > 1 or not all(isinstance(part, float) for part in least | greatest):
            raise ValueError(f'CoarseDropout with other sizes than parts of the image needs {LIBRARY}: install it')
        change = RandomCutout(least.pop(), greatest.pop())
    else:
        raise ValueError(f'{name} with these settings needs the library {LIBRARY}: install it, or leave it out')
    if said:
        raise ValueError(f'{name} with {", ".join(said)} needs the library {LIBRARY}: install it, or leave these out')
    return float(likely), change


class _RandomWindow:
    def __init__(self, smooth: object, least: int, greatest: int) -> None:
        self.smooth, self.sizes = smooth, np.arange(least | 1, greatest + 1, 2)

    def __call__(self, results: dict) -> dict:
        results['img'] = self.smooth(results['img'], int(np.random.choice(self.sizes)))
        return results


if find_spec(LIBRARY) is None:
    TRANSFORMS.register_module('Albumentation', force=True, module=Albumentation)
