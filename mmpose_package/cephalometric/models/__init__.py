"""The models that MMPose does not have; importing this package registers them."""

from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator, PatchRefiner
from cephalometric.models.cspnext import CSPNeXt
from cephalometric.models.heads import HeatmapCrossEntropyLoss, SoftmaxHeatmapHead
from cephalometric.models.patch_codec import PatchHeatmap
from cephalometric.models.patch_refiner import LandmarkPatchHead, LandmarkUNet
from cephalometric.models.udp_heatmap import BoundedUDPHeatmap

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
