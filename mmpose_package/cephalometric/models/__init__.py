"""The models that MMPose does not have; importing this package registers them."""

from cephalometric.models.cspnext import CSPNeXt

__all__ = ['CSPNeXt']
