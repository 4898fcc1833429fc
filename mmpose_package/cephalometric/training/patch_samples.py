"""Training and test samples of coarse-to-fine models."""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from cephalometric.geometry import layout_scale
from cephalometric.prediction.patches import ImagePyramid, PatchFrame
from cephalometric.training.transforms import RandomExposure


@TRANSFORMS.register_module()
class BuildPyramid(BaseTransform):
    """Keep the whole X-ray, from which patches can be cut, as ``pyramid``. Stands before ``TopdownAffine``."""

    def transform(self, results: dict) -> dict:
        """Add ``pyramid``, an :class:`ImagePyramid` of ``img``."""
        results['pyramid'] = ImagePyramid(results['img'])
        return results


@TRANSFORMS.register_module()
class SampleLandmarkPatches(BaseTransform):
    """Cut a patch around each landmark, as far off it as the search on the whole X-ray will be, turned and scaled.

    Reads ``pyramid``, ``keypoints``, ``keypoints_visible``, ``spacing`` and ``mean_layout_mm``, so it stands before any
    transform that moves the landmarks. Adds ``patches``, uint8, shape (views, K, size, size), and where each landmark
    lies in each of them, as the codec says it: ``patch_profiles``, shape (views, K, K, 2, cells), and
    ``patch_weights``, shape (views, K, K).

    Args:
        encoder: Config of the codec, ``PatchHeatmap``.
        views: One for each refiner: ``resolution_mm`` of the patch, and ``jitter_mm``, the standard deviation of its
            centre around the landmark in x and in y. The millimetres are those of the mean layout.
        max_angle: Patches are turned by up to this many degrees, either way.
        max_scale: Patches show up to this part more or less.
        gamma, invert_prob: Of each patch's :class:`RandomExposure`.
    """

    def __init__(
        self,
        encoder: dict,
        views: Sequence[dict],
        max_angle: float = 12,
        max_scale: float = 0.12,
        gamma: tuple[float, float] = (0.6, 1.7),
        invert_prob: float = 0.0,
    ) -> None:
        self.codec = KEYPOINT_CODECS.build(encoder)
        self.views = views
        self.max_angle, self.max_log_scale = np.radians(max_angle), np.log1p(max_scale)
        self.exposure = RandomExposure(gamma, invert_prob)

    def transform(self, results: dict) -> dict:
        """Add ``patches``, ``patch_profiles`` and ``patch_weights``."""
        points_px, visible = results['keypoints'][0], results['keypoints_visible'][0] > 0
        known_px = np.where(visible[:, None], points_px, np.nan)
        scale = layout_scale(results['mean_layout_mm'], known_px) or 1 / results['spacing']
        patches, encoded = [], []
        for view in self.views:
            frames = [self._frame(point, scale, **view) for point in points_px]
            patches.append([self.exposure.expose(frame.cut(results['pyramid'])) for frame in frames])
            in_patches = np.stack([frame.to_patch(points_px) for frame in frames])
            encoded.append(self.codec.encode(in_patches, np.broadcast_to(visible, in_patches.shape[:2])))
        results['patches'] = np.array(patches)
        results['patch_profiles'] = np.stack([view['profiles'] for view in encoded])
        results['patch_weights'] = np.stack([view['keypoint_weights'] for view in encoded])
        return results

    def _frame(self, point_px: np.ndarray, scale: float, resolution_mm: float, jitter_mm: float) -> PatchFrame:
        centre = point_px + np.random.normal(0, jitter_mm * scale, 2)
        step_px = scale * resolution_mm * np.exp(np.random.uniform(-self.max_log_scale, self.max_log_scale))
        angle = np.random.uniform(-self.max_angle, self.max_angle)
        return PatchFrame(centre, step_px, self.codec.patch_size, angle)


@TRANSFORMS.register_module()
class PackXray(PackPoseInputs):
    """MMPose's ``PackPoseInputs``, which also packs what coarse-to-fine models need beside the whole X-ray."""

    def transform(self, results: dict) -> dict:
        """Pack as MMPose does; then ``patches`` and their targets as tensors, or the ``pyramid``."""
        packed = super().transform(results)
        sample = packed['data_samples']
        for name in ('patches', 'patch_profiles', 'patch_weights'):
            if name in results:
                sample.set_field(torch.from_numpy(results[name]), name)
        if 'patches' not in results:
            sample.set_field(results['pyramid'], 'pyramid')
        return packed
