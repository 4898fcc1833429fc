"""A loss of one's own."""

import torch
from mmpose.registry import MODELS
from torch import nn


@MODELS.register_module()
class ExampleLoss(nn.Module):
    """The mean squared error of heatmaps, in which cells near the landmark count more.

    Args:
        near: How many times as much the landmark's own cell counts as one that is far off.
    """

    def __init__(self, near: float = 20.0) -> None:
        super().__init__()
        self.near = near

    def forward(self, heatmaps: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            heatmaps, targets: Shape (B, K, h, w), from 0 to 1.
            weights: Shape (B, K); 0 for landmarks that do not count.
        """
        importance = (1 + (self.near - 1) * targets) * weights[..., None, None]
        return (importance * (heatmaps - targets) ** 2).sum() / importance.sum().clamp(min=1)
