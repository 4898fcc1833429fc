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
