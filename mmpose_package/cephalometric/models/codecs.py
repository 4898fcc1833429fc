"""Codecs: from landmarks to what a network learns, and back."""

import numpy as np
from mmpose.codecs import UDPHeatmap
from mmpose.codecs.utils import get_heatmap_maximum
from mmpose.registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class BoundedUDPHeatmap(UDPHeatmap):
    """MMPose's UDP heatmaps, with a refinement that stays near the maximum.

    UDP (J. Huang et al., arXiv 1911.07524) refines the maximum of a heatmap by a Newton step on its logarithm. Where
    the heatmap is flat or ragged, as with a young model or an odd X-ray, that step can lead far out of the image. The
    true maximum lies within a cell of the highest one, so the step is bounded by that.
    """

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the landmarks.

        Args:
            encoded: Heatmaps, shape (K, H, W).

        Returns:
            Landmarks, shape (1, K, 2) as x, y from 0 to ``input_size``, edge to edge, and their scores, shape (1, K).
        """
        refined, scores = super().decode(encoded)
        # The last cell stands for input_size and not for input_size - 1: so MMPose's UDP has it when it goes on from
        # here to the pixels of the original image, and only so that way is exact.
        size = np.array(self.input_size)
        cells = size / (np.array(self.heatmap_size) - 1)
        highest = get_heatmap_maximum(encoded)[0][None] * cells
        # Nothing is above 0 in a heatmap without a maximum: MMPose gives -1 there, and the middle is a better answer.
        highest = np.where(scores[..., None] > 0, highest, size / 2)
        step = np.nan_to_num(refined - highest)
        return highest + np.clip(step, -cells, cells), scores
