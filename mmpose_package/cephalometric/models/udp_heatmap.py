"""Codecs: from landmarks to what a network learns, and back."""

import numpy as np
from mmpose.codecs import UDPHeatmap
from mmpose.codecs.utils import gaussian_blur, get_heatmap_maximum
from mmpose.registry import KEYPOINT_CODECS


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
        highest, scores = get_heatmap_maximum(encoded)
        last_cell = np.array(self.heatmap_size) - 1
        found = scores > 0
        # Nothing is above 0 in a heatmap without a maximum, and the middle is as good as any answer.
        cells = np.tile(last_cell / 2, (len(encoded), 1))
        if found.any():
            smooth = gaussian_blur(encoded[found].copy(), self.blur_kernel_size)
            cells[found] = highest[found] + newton_step(smooth, highest[found].astype(int))
        # The last cell stands for input_size and not for input_size - 1: so MMPose's UDP has it when it goes on from
        # here to the pixels of the original image, and only so that way is exact.
        points = np.clip(cells, 0, last_cell) / last_cell * self.input_size
        return points[None].astype(np.float32), scores[None]


def newton_step(heatmaps: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """From the highest cell of each heatmap to the maximum of the parabola through the logarithms around it.

    Args:
        heatmaps: Shape (K, H, W).
        maxima: Their highest cells, shape (K, 2) as x, y.

    Returns:
        Shape (K, 2) as x, y, in cells, at most 1 each; 0 where the surface has no maximum.
    """
    surface = np.log(np.clip(heatmaps.astype(float), 1e-3, None))
    surface = np.pad(surface, ((0, 0), (1, 1), (1, 1)), mode='edge')
    rows, columns, k = maxima[:, 1] + 1, maxima[:, 0] + 1, np.arange(len(maxima))

    def at(dx: int, dy: int) -> np.ndarray:
        return surface[k, rows + dy, columns + dx]

    gradient_x, gradient_y = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    xx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    yy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    xy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = xx * yy - xy**2
    is_maximum = (xx < 0) & (determinant > 1e-9)
    divisor = np.where(is_maximum, determinant, 1)
    step = np.stack([xy * gradient_y - yy * gradient_x, xy * gradient_x - xx * gradient_y], axis=1) / divisor[:, None]
    return np.where(is_maximum[:, None], np.clip(step, -1, 1), 0)
