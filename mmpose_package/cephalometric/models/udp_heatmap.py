"""Codecs: from landmarks to what a network learns, and back."""

import numpy as np
from mmpose.codecs import UDPHeatmap
from mmpose.registry import KEYPOINT_CODECS

from cephalometric.prediction.decoding import decode_heatmaps


@KEYPOINT_CODECS.register_module()
class BoundedUDPHeatmap(UDPHeatmap):
    """MMPose's UDP heatmaps (J. Huang et al., arXiv 1911.07524), with a refinement that stays near the maximum.

    The maximum of a heatmap is refined by a Newton step on its logarithm (DARK, F. Zhang et al., arXiv 1910.06278).
    Where the heatmap is flat or ragged, as with a young model or an odd X-ray, MMPose's step can lead far out of the
    image or fail on a singular matrix. Here it is taken only where the surface has a maximum, and bounded by the cell
    in which that maximum must lie.
    """

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """What the network learns: MMPose's Gaussians, cut off three sigma from the landmark's cell.

        MMPose rounds the corner of each Gaussian towards zero. At the left and upper border that moves it by a cell
        where three sigma are no whole number, as with a sigma of 2.5.

        Args:
            keypoints: Shape (1, K, 2) as x, y, in pixels of the input.
            keypoints_visible: Shape (1, K); all count by default.

        Returns:
            ``heatmaps``, float32, shape (K, H, W), and ``keypoint_weights``, float32, shape (1, K): 0 where a landmark
            is not visible, or so far outside that none of its Gaussian lies in the heatmap.
        """
        if self.heatmap_type != 'gaussian':
            return super().encode(keypoints, keypoints_visible)
        (places,) = np.asarray(keypoints, float) / self.scale_factor
        visible = np.ones(len(places)) if keypoints_visible is None else np.asarray(keypoints_visible, float)[0]
        along = [
            _profiles(place, length, self.sigma) for place, length in zip(places.T, self.heatmap_size, strict=True)
        ]
        inside = np.logical_and.reduce([profiles.any(axis=1) for profiles in along])
        weights = np.where(inside, visible, 0).astype(np.float32)
        # float32 before the product, which is by far the largest part of the work.
        along_x, along_y = (profiles.astype(np.float32) for profiles in along)
        along_y *= (weights >= 0.5)[:, None]
        return {'heatmaps': along_y[:, :, None] * along_x[:, None, :], 'keypoint_weights': weights[None]}

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the landmarks.

        Args:
            encoded: Heatmaps, shape (K, H, W).

        Returns:
            Landmarks, shape (1, K, 2) as x, y from 0 to ``input_size``, edge to edge, and their scores, shape (1, K).
        """
        fractions, scores = decode_heatmaps(encoded, self.blur_kernel_size)
        # The last cell stands for input_size and not for input_size - 1: so MMPose's UDP has it when it goes on from
        # here to the pixels of the original image, and only so that way is exact.
        return (fractions * self.input_size)[None].astype(np.float32), scores[None]


def _profiles(places: np.ndarray, length: int, sigma: float) -> np.ndarray:
    """Gaussians along an axis of a heatmap, one for each place in cells; shape (K, length)."""
    cells = np.arange(length)
    near = abs(cells - np.floor(places + 0.5)[:, None]) <= 3 * sigma
    return np.exp(-((cells - places[:, None]) ** 2) / (2 * sigma**2)) * near
