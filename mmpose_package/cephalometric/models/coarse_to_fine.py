"""A pose estimator that looks twice: at the whole X-ray, then at a patch of it around each landmark."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from mmcv.cnn.utils.fuse_conv_bn import fuse_conv_bn
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from mmpose.models import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from cephalometric.geometry import layout_scale
from cephalometric.prediction.patches import ImagePyramid, PatchFrame


@MODELS.register_module()
class PatchRefiner(BaseModule):
    """The network that finds a landmark in a patch.

    Args:
        backbone: Such as ``LandmarkUNet``.
        head: Such as ``LandmarkPatchHead``.
    """

    def __init__(self, backbone: dict, head: dict, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)

    def loss(self, patches: torch.Tensor, profiles: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            patches: One for each landmark, uint8, shape (B, K, size, size).
            profiles: The codec's, of each landmark in each patch, shape (B, K, K, 2, cells).
            weights: Shape (B, K, K); 0 for landmarks that do not count in a patch.
        """
        features, landmarks = self._features(patches)
        return self.head.loss(features, landmarks, profiles.flatten(0, 1), weights.flatten(0, 1))

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """The distributions over the cells of patches, shape (B, K, h, w); patches as for :meth:`loss`."""
        features, landmarks = self._features(patches)
        return self.head.predict(features, landmarks).unflatten(0, patches.shape[:2])

    def _features(self, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batch, landmarks = patches.shape[:2]
        numbers = torch.arange(landmarks, device=patches.device).repeat(batch)
        # Grey levels around 0, as far apart as in most X-rays.
        centred = (patches.flatten(0, 1)[:, None].float() / 255 - 0.45) / 0.25
        return self.backbone(centred.contiguous(memory_format=torch.channels_last), numbers), numbers


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
            data_samples: With ``patches``, ``patch_profiles`` and ``patch_weights``, as ``SampleLandmarkPatches`` and
                ``PackXray`` make them.
        """
        with _training_arithmetic(inputs.device):
            return super().loss(inputs.contiguous(memory_format=torch.channels_last), data_samples) | (
                self._patch_losses(data_samples)
            )

    def _patch_losses(self, data_samples: Sequence[PoseDataSample]) -> dict[str, torch.Tensor]:
        parts = ('patches', 'patch_profiles', 'patch_weights')
        patches, profiles, weights = (torch.stack([sample.get(name) for sample in data_samples]) for name in parts)
        return {
            f'loss_patches_{n}': refiner.loss(patches[:, n], profiles[:, n], weights[:, n])
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
        points, scores = self.refine([sample.pyramid for sample in samples], coarse)
        for sample, *found in zip(samples, points, scores, strict=True):
            keypoints, keypoint_scores = (part[None].astype(np.float32) for part in found)
            sample.pred_instances = InstanceData(keypoints=keypoints, keypoint_scores=keypoint_scores)
        return samples

    def refine(self, pyramids: Sequence[ImagePyramid], points_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look for landmarks near where they are expected, with one refiner after another.

        Args:
            pyramids: B X-rays.
            points_px: Where to look, shape (B, K, 2) as x, y, in pixels of each X-ray.

        Returns:
            The landmarks, shape (B, K, 2) as x, y, in pixels of each X-ray, and their scores, shape (B, K).
        """
        found, scores = [], []
        for refiner, resolution_mm in zip(self.refiners, self.resolutions_mm, strict=True):
            centres = np.mean(found, axis=0) if found else points_px
            for parts, part in zip((found, scores), self._look(refiner, resolution_mm, pyramids, centres), strict=True):
                parts.append(part)
        return np.mean(found, axis=0), np.mean(scores, axis=0)

    def _look(
        self,
        refiner: PatchRefiner,
        resolution_mm: float,
        pyramids: Sequence[ImagePyramid],
        centres_px: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        layout = self.mean_layout_mm.cpu().numpy()
        frames, patches = [], []
        for pyramid, centres in zip(pyramids, centres_px, strict=True):
            # Landmarks that all lie in one place have no scale; then any will do.
            step_px = (layout_scale(layout, centres) or 1.0) * resolution_mm
            # On a grid: a difference in the last digits, as between two processors, must not cut other pixels.
            step_px, centres = np.ceil(step_px * 64) / 64, np.round(centres * 4) / 4
            frames += [PatchFrame(centre, step_px, self.patch_size) for centre in centres]
            patches.append([frame.cut(pyramid) for frame in frames[-len(centres) :]])
        heatmaps = refiner(torch.from_numpy(np.array(patches)).to(self.mean_layout_mm.device)).cpu().numpy()
        points, scores = (part[0] for part in refiner.head.decoder.decode(heatmaps.reshape(-1, *heatmaps.shape[2:])))
        found = np.stack([frame.to_image(point) for frame, point in zip(frames, points, strict=True)])
        return found.reshape(centres_px.shape), scores.reshape(centres_px.shape[:2])


def _training_arithmetic(device: torch.device) -> AbstractContextManager:
    """bfloat16 on CPUs that compute with it, which is faster; the weights stay float32, and so does prediction.

    On a GPU nothing changes: mixed precision is the optimizer wrapper's.
    """
    if device.type == 'cpu' and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.autocast('cpu', torch.bfloat16)
    return nullcontext()
