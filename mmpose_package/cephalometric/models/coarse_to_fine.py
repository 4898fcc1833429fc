"""A pose estimator that looks twice: at the whole X-ray, then at a patch of it around each landmark."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from mmcv.cnn.utils.fuse_conv_bn import fuse_conv_bn
from mmengine.structures import InstanceData
from mmpose.models import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from cephalometric.prediction.stages import Refinement


@MODELS.register_module()
class CoarseToFinePoseEstimator(TopdownPoseEstimator):
    """MMPose's top-down estimator finds each landmark on the whole X-ray; refiners look for it in a patch around there.

    Each refiner looks around the mean of what those before it have found, and the answer is the mean of what all have
    found. The scale of the patches follows from the layout of the landmarks, so that no spacing is needed to predict.
    All parts are trained together, the refiners on patches around the true landmarks.

    Args:
        refiner: Config of a :class:`PatchRefiner`.
        resolutions_mm: For each refiner, how many millimetres a pixel of its patches is: those of the mean layout.
        patch_size: In pixels.
        num_landmarks: How many landmarks there are.
        **kwargs: As for MMPose's ``TopdownPoseEstimator``.
    """

    def __init__(
        self, refiner: dict, resolutions_mm: Sequence[float], patch_size: int, num_landmarks: int, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        self.refiners = torch.nn.ModuleList(MODELS.build(refiner) for _ in resolutions_mm)
        self.resolutions_mm, self.patch_size = tuple(resolutions_mm), patch_size
        # Until training sets it, any layout that has a size.
        turn = torch.arange(num_landmarks) * (2 * math.pi / num_landmarks)
        circle = 50 * torch.stack([turn.cos(), turn.sin()], dim=1)
        self.register_buffer('mean_layout_mm', circle)
        # The layout of memory in which a CPU's convolutions are fastest.
        self.to(memory_format=torch.channels_last)

    def set_mean_layout(self, layout_mm: np.ndarray) -> None:
        """Keep the mean layout of the training X-rays, shape (K, 2); it becomes a part of the checkpoint."""
        self.mean_layout_mm.copy_(torch.from_numpy(layout_mm))

    def fold_normalization(self) -> None:
        """Make the batch normalization a part of the convolutions before it: less to compute for the same prediction.

        The model cannot be trained any more, and its weights are no longer those of a checkpoint.
        """
        fuse_conv_bn(self)

    def loss(self, inputs: torch.Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, torch.Tensor]:
        """The losses of the whole X-rays, as MMPose's, and of the patches that the samples bring along.

        Args:
            inputs: Shape (B, 3, H, W).
            data_samples: With ``patches``, ``patch_points`` and ``patch_weights``, as ``SampleLandmarkPatches`` and
                ``PackXray`` make them.
        """
        whole = super().loss(inputs.contiguous(memory_format=torch.channels_last), data_samples)
        return whole | self._patch_losses(data_samples)

    def _patch_losses(self, data_samples: Sequence[PoseDataSample]) -> dict[str, torch.Tensor]:
        parts = ('patches', 'patch_points', 'patch_weights')
        patches, points, weights = (torch.stack([sample.get(name) for sample in data_samples]) for name in parts)
        return {
            f'loss_patches_{n}': refiner.loss(patches[:, n], points[:, n], weights[:, n])
            for n, refiner in enumerate(self.refiners)
        }

    def predict(self, inputs: torch.Tensor, data_samples: Sequence[PoseDataSample]) -> list[PoseDataSample]:
        """Find the landmarks of X-rays that bring a ``pyramid`` of themselves along.

        Returns:
            The samples, with ``pred_instances``: ``keypoints``, shape (1, K, 2) as x, y, in pixels of the X-ray, and
            ``keypoint_scores``, shape (1, K): how much of the distribution lies near the landmark.
        """
        samples = super().predict(inputs, data_samples)
        coarse = np.stack([sample.pred_instances.keypoints[0] for sample in samples])
        points, scores = self.refinement.refine(self.refine, [sample.pyramid for sample in samples], coarse)
        for sample, *found in zip(samples, points, scores, strict=True):
            keypoints, keypoint_scores = (part[None].astype(np.float32) for part in found)
            sample.pred_instances = InstanceData(keypoints=keypoints, keypoint_scores=keypoint_scores)
        return samples

    @property
    def refinement(self) -> Refinement:
        """What surrounds the refiners."""
        codec = self.refiners[0].head.decoder
        layout = self.mean_layout_mm.cpu().numpy().astype(float)
        return Refinement(self.resolutions_mm, self.patch_size, codec.stride, codec.window, layout)

    @torch.inference_mode()
    def refine(self, number: int, patches: np.ndarray) -> np.ndarray:
        """The distributions of a refiner; see :class:`cephalometric.prediction.networks.Networks`."""
        return self.refiners[number](torch.from_numpy(patches).to(self.mean_layout_mm.device)).cpu().numpy()
