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
        self.stem = nn.Sequential(_halving(3, channels), _halving(channels, channels))
        self.down = nn.ModuleList(_halving(channels, channels) for _ in range(2))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor]:
        """Images, shape (B, 3, H, W), to one tensor of features, shape (B, channels, H / 4, W / 4).

        MMPose wants a tuple, of which most heads take the last.
        """
        quarter = self.stem(images)
        eighth = self.down[0](quarter)
        sixteenth = self.down[1](eighth)
        return (quarter + _larger(eighth + _larger(sixteenth, eighth), quarter),)


def _larger(features: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(features, size=like.shape[-2:], mode='nearest')


def _halving(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
