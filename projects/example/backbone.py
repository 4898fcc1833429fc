"""A backbone of one's own: from an X-ray to features."""

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import nn
from torch.nn import functional


@MODELS.register_module()
class ExampleBackbone(BaseModule):
    """Convolutions at 1/2 to 1/16 of the resolution; what the coarse ones see is added to the features of 1/4.

    Args:
        channels: Of all features.
        init_cfg: MMEngine's, as every backbone has it: ``dict(type='Pretrained', checkpoint='FILE')`` loads weights.
    """

    def __init__(self, channels: int = 32, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.half, self.quarter = _halving(3, channels), _halving(channels, channels)
        self.eighth, self.sixteenth = _halving(channels, channels), _halving(channels, channels)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Images, shape (B, 3, H, W), to one tensor of features, shape (B, channels, H / 4, W / 4).

        MMPose wants a tuple, of which most heads take the last.
        """
        quarter = self.quarter(self.half(images))
        eighth = self.eighth(quarter)
        eighth = eighth + functional.interpolate(self.sixteenth(eighth), size=eighth.shape[-2:], mode='nearest')
        return (quarter + functional.interpolate(eighth, size=quarter.shape[-2:], mode='nearest'),)


def _halving(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
