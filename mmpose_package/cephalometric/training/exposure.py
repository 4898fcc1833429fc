"""Grey levels as other exposures, films and machines give them."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomExposure(BaseTransform):
    """Raise the grey levels to a random power (gamma), and show some images as negatives.

    Changes ``img``, uint8, any shape; stands after ``TopdownAffine``, where the image is small.

    Args:
        gamma: Least and greatest exponent; its logarithm is uniform between theirs.
        invert_prob: How likely an image is a negative.
    """

    def __init__(self, gamma: tuple[float, float] = (0.6, 1.7), invert_prob: float = 0.0) -> None:
        if not 0 < gamma[0] <= gamma[1]:
            raise ValueError(f'gamma must be two positive exponents, the smaller one first, not {gamma}')
        self.log_gamma, self.invert_prob = np.log(gamma), invert_prob

    def transform(self, results: dict) -> dict:
        """Give ``results['img']`` another exposure."""
        results['img'] = self.expose(results['img'])
        return results

    def expose(self, image: np.ndarray) -> np.ndarray:
        """Another exposure of an image, uint8, any shape. Black stays black and white white, unless it is inverted."""
        levels = np.linspace(0, 1, 256) ** np.exp(np.random.uniform(*self.log_gamma))
        if np.random.rand() < self.invert_prob:
            levels = 1 - levels
        return np.round(255 * levels).astype(np.uint8)[image]
