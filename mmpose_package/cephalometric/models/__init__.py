"""The models that MMPose does not have; importing this package registers them."""

from cephalometric.models.codecs import BoundedUDPHeatmap
from cephalometric.models.cspnext import CSPNeXt
from cephalometric.models.heads import SoftmaxHeatmapHead
from cephalometric.models.losses import HeatmapCrossEntropyLoss

__all__ = ['BoundedUDPHeatmap', 'CSPNeXt', 'HeatmapCrossEntropyLoss', 'SoftmaxHeatmapHead']
