"""The models that MMPose does not have; importing this package registers them."""

import warnings

from cephalometric.models.coco_tools import find_coco_tools

# Before anything of MMPose, which imports them.
find_coco_tools()
# mmcv-lite says at every import that it is not mmcv; nothing here uses what it lacks.
warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')

from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator  # noqa: E402
from cephalometric.models.cspnext import CSPNeXt  # noqa: E402
from cephalometric.models.heads import HeatmapCrossEntropyLoss, SoftmaxHeatmapHead  # noqa: E402
from cephalometric.models.library_backbones import TimmBackbone, TorchvisionBackbone  # noqa: E402
from cephalometric.models.patch_codec import PatchHeatmap  # noqa: E402
from cephalometric.models.patch_refiner import LandmarkPatchHead, LandmarkUNet, PatchRefiner  # noqa: E402
from cephalometric.models.udp_heatmap import BoundedUDPHeatmap  # noqa: E402

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
    'TimmBackbone',
    'TorchvisionBackbone',
]
