"""The codec of landmark patches: where in its patch a landmark lies."""

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS

from cephalometric.prediction.decoding import decode_patches


@KEYPOINT_CODECS.register_module()
class PatchHeatmap(BaseKeypointCodec):
    """A Gaussian distribution in a patch, and back by its centre of mass near the maximum.

    The centre of mass within a window (a local soft-argmax) has no grid: cells may be larger than the accuracy sought.

    Args:
        patch_size: Pixels of the square patch.
        stride: Pixels of the patch that are one cell of the heatmap.
        sigma: Of the Gaussian, in pixels of the patch.
        window: Half the side of the square around the highest cell that is averaged, in pixels of the patch.
    """

    def __init__(self, patch_size: int, stride: int, sigma: float, window: float) -> None:
        super().__init__()
        if patch_size % stride:
            raise ValueError(f'patch_size {patch_size} must be a multiple of stride {stride}')
        self.patch_size, self.stride, self.sigma, self.window = patch_size, stride, sigma, window
        # Where the cells' centres lie in the patch, pixel centres being at integers.
        self.cell_centres = np.arange(patch_size // stride) * stride + (stride - 1) / 2

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """What the network learns. A Gaussian is the product of one along x and one along y, which take less memory.

        Args:
            keypoints: Shape (..., 2) as x, y, in pixels of the patch that each is looked for in.
            keypoints_visible: Shape (...); all count by default.

        Returns:
            ``profiles``, float32, shape (..., 2, cells): the distribution along x and along y, each with the sum 1; and
            ``keypoint_weights``, float32, shape (...): 0 for a landmark that is not visible or lies outside its patch,
            whose profiles are 0 as well.
        """
        inside = self.inside(keypoints)
        visible = inside if keypoints_visible is None else inside & (np.asarray(keypoints_visible) > 0)
        weights = torch.from_numpy(visible.astype(np.float32))
        profiles = self.profiles(torch.from_numpy(np.asarray(keypoints, np.float32)), weights)
        return {'profiles': profiles.numpy(), 'keypoint_weights': weights.numpy()}

    def inside(self, keypoints: np.ndarray) -> np.ndarray:
        """Whether landmarks, shape (..., 2) in pixels of the patch, lie in it; shape (...)."""
        keypoints = np.asarray(keypoints, float)
        return ((keypoints > -0.5) & (keypoints < self.patch_size - 0.5)).all(axis=-1)

    def profiles(self, points: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The distributions of :meth:`encode`, on the device of the points: there they cost little, and no copying.

        Args:
            points: float32, shape (..., 2) as x, y, in pixels of the patch.
            weights: Shape (...); where one is 0, the profiles are 0.
        """
        centres = torch.from_numpy(self.cell_centres).to(points)
        counted = weights[..., None] > 0
        squares = (centres - torch.where(counted, points, 0)[..., None]) ** 2
        profiles = torch.exp(squares / (-2 * self.sigma**2))
        return profiles / profiles.sum(dim=-1, keepdim=True) * counted[..., None]

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the landmarks.

        Args:
            encoded: Distributions, each with the sum 1, shape (K, cells, cells).

        Returns:
            Landmarks, shape (1, K, 2) as x, y, in pixels of each landmark's patch, and their scores, shape (1, K): how
            much of the distribution lies within the window.
        """
        points, scores = decode_patches(encoded, self.stride, self.window)
        return points[None], scores[None]
