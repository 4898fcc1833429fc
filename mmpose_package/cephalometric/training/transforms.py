"""Augmentations that MMPose does not have; among them grey levels as other exposures and machines give them."""

from collections.abc import Mapping

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import LoadImage, TopdownAffine
from mmpose.registry import TRANSFORMS

from cephalometric.training.shared_xrays import SharedXrays


@TRANSFORMS.register_module()
class LoadXray(LoadImage):
    """MMPose's ``LoadImage``, which decodes grey X-rays once, because that takes longer than all the rest.

    Args:
        cache_mb: How many megabytes of decoded X-rays all workers keep together; those beyond are read every time.
        color_type: As for ``LoadImage``. ``'unchanged'`` gives a grey X-ray as it is, shape (H, W), which saves
            copies of it; it is not to be written to. ``WarpXray`` takes it from there.
    """

    def __init__(self, cache_mb: int = 2048, color_type: str = 'color') -> None:
        super().__init__(color_type=color_type)
        self.limit_bytes = cache_mb * 2**20
        self.shared: SharedXrays | None = None

    def share(self, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Make room for X-rays, before there are workers; sizes as for :class:`SharedXrays`."""
        self.shared = SharedXrays(sizes, self.limit_bytes)

    def transform(self, results: dict) -> dict | None:
        """Add ``img``, uint8, shape (H, W, 3) in BGR order, from ``img_path`` unless it is there already."""
        if 'img' not in results:
            grey = self._grey(results['img_path'])
            if grey is not None:
                results['img'] = grey if self.color_type == 'unchanged' else cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        return super().transform(results)

    @staticmethod
    def _unpacked(path: str) -> np.ndarray | None:
        # Not cv2.imread, which crashes the process by a path that is not UTF-8.
        try:
            return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        except (OSError, cv2.error):
            return None

    def _grey(self, path: str) -> np.ndarray | None:
        """The image if it is grey; None leaves all others, and unreadable ones, to MMPose."""
        kept = self.shared.get(path) if self.shared else None
        if kept is not None:
            return kept
        image = self._unpacked(path)
        if image is None or image.ndim != 2 or image.dtype != np.uint8:
            return None
        if self.shared:
            self.shared.put(path, image)
        return image


@TRANSFORMS.register_module()
class WarpXray(TopdownAffine):
    """MMPose's ``TopdownAffine``, which brings a grey X-ray to its small size before it makes three channels of it."""

    def transform(self, results: dict) -> dict | None:
        """As MMPose's; ``img`` may be of shape (H, W), and becomes (h, w, 3) in BGR order."""
        results = super().transform(results)
        if results['img'].ndim == 2:
            results['img'] = cv2.cvtColor(results['img'], cv2.COLOR_GRAY2BGR)
        return results


@TRANSFORMS.register_module()
class RandomCutout(BaseTransform):
    """Blacken one rectangle of the image, so that a landmark must also be found from what surrounds it.

    After T. DeVries and G. W. Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", arXiv
    1708.04552, with a random size. Landmarks below the rectangle stay visible: they are still to be found. Stands after
    ``TopdownAffine``; changes ``img``, shape (H, W) or (H, W, C).

    Args:
        min_size, max_size: Limits of the rectangle's width and height, as parts of the image's.
        prob: How likely an image gets a rectangle.
    """

    def __init__(self, min_size: float = 0.1, max_size: float = 0.2, prob: float = 1.0):
        if not 0 < min_size <= max_size <= 1:
            raise ValueError(f'sizes must hold 0 < min_size <= max_size <= 1, not {min_size} and {max_size}')
        self.min_size, self.max_size, self.prob = min_size, max_size, prob

    def transform(self, results: dict) -> dict:
        """Blacken a rectangle of a copy of ``results['img']``."""
        if np.random.rand() < self.prob:
            image = results['img'].copy()
            rows, columns = (self._random_part(length) for length in image.shape[:2])
            image[rows, columns] = 0
            results['img'] = image
        return results

    def _random_part(self, length: int) -> slice:
        size = max(1, round(length * np.random.uniform(self.min_size, self.max_size)))
        start = np.random.randint(length - size + 1)
        return slice(start, start + size)


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
        (table,) = self.random_tables(1)
        return cv2.LUT(image.reshape(1, -1), table).reshape(image.shape) if image.size else image.copy()

    def random_tables(self, count: int) -> np.ndarray:
        """What becomes of each of the 256 grey levels in ``count`` exposures, uint8, shape (count, 256)."""
        drawn = np.random.random_sample((count, 2))
        low, high = self.log_gamma
        levels = np.linspace(0, 1, 256) ** np.exp(low + (high - low) * drawn[:, :1])
        levels = np.where(drawn[:, 1:] < self.invert_prob, 1 - levels, levels)
        return np.round(255 * levels).astype(np.uint8)
