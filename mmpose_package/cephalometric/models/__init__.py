"""The models that MMPose does not have; importing this package registers them."""

from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator, PatchRefiner
from cephalometric.models.codecs import BoundedUDPHeatmap
from cephalometric.models.cspnext import CSPNeXt
from cephalometric.models.heads import SoftmaxHeatmapHead
from cephalometric.models.landmark_unet import LandmarkUNet
from cephalometric.models.losses import HeatmapCrossEntropyLoss
from cephalometric.models.patch_codec import PatchHeatmap
from cephalometric.models.patch_head import LandmarkPatchHead

__all__ = [
    'BoundedUDPHeatmap',
    'CSPNeXt',
    'CoarseToFinePoseEstimator',
    'HeatmapCrossEntropyLoss',
    'LandmarkPatchHead',
    'LandmarkUNet',
    'PatchHeatmap',
    'PatchRefiner',
    'SoftmaxHeatmapHead',
]
