"""Training and test samples of coarse-to-fine models."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from cephalometric.geometry import layout_scale
from cephalometric.prediction.patches import ImagePyramid, patch_maps, to_patches
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
    transform that moves the landmarks. Adds ``patches``, uint8, shape (views, K, size, size); where each landmark lies
    in each of them, ``patch_points``, float32, shape (views, K, K, 2) as x, y in its pixels, from which the device that
    trains makes what the network learns; and ``patch_weights``, shape (views, K, K), 0 for what a patch does not show.

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
        """Add ``patches``, ``patch_points`` and ``patch_weights``."""
        points_px, visible = results['keypoints'][0], results['keypoints_visible'][0] > 0
        known_px = np.where(visible[:, None], points_px, np.nan)
        scale = layout_scale(results['mean_layout_mm'], known_px) or 1 / results['spacing']
        shape = (len(self.views), len(points_px))
        results['patches'] = np.empty((*shape, self.codec.patch_size, self.codec.patch_size), np.uint8)
        results['patch_points'] = np.empty((*shape, len(points_px), 2), np.float32)
        results['patch_weights'] = np.empty((*shape, len(points_px)), np.float32)
        for n, view in enumerate(self.views):
            maps = self._random_maps(points_px, scale, **view)
            patches = results['pyramid'].warp(maps, self.codec.patch_size)
            tables = self.exposure.random_tables(len(patches))
            for exposed, patch, table in zip(results['patches'][n], patches, tables, strict=True):
                cv2.LUT(patch, table, dst=exposed)
            in_patches = to_patches(maps, points_px)
            results['patch_points'][n] = in_patches
            results['patch_weights'][n] = self.codec.inside(in_patches) & visible
        return results

    def _random_maps(self, points_px: np.ndarray, scale: float, resolution_mm: float, jitter_mm: float) -> np.ndarray:
        count = len(points_px)
        shifts, size_and_angle = np.empty((count, 2)), np.empty((count, 2))
        # One landmark after another: in this order a seed has always given the same augmentation.
        for n in range(count):
            shifts[n] = np.random.standard_normal(2)
            size_and_angle[n] = 2 * np.random.random_sample(2) - 1
        steps_px = scale * resolution_mm * np.exp(size_and_angle[:, 0] * self.max_log_scale)
        centres_px = points_px + shifts * (jitter_mm * scale)
        return patch_maps(centres_px, steps_px, size_and_angle[:, 1] * self.max_angle, self.codec.patch_size)


@TRANSFORMS.register_module()
class PackXray(PackPoseInputs):
    """MMPose's ``PackPoseInputs``, which also packs what coarse-to-fine models need beside the whole X-ray."""

    def transform(self, results: dict) -> dict:
        """Pack as MMPose does; then ``patches`` and their targets as tensors, or the ``pyramid``."""
        packed = super().transform(results)
        sample = packed['data_samples']
        for name in ('patches', 'patch_points', 'patch_weights'):
            if name in results:
                sample.set_field(torch.from_numpy(results[name]), name)
        if 'patches' not in results:
            sample.set_field(results['pyramid'], 'pyramid')
        return packed
