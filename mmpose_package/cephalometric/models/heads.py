"""Heads that MMPose does not have."""

import math

import torch
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS


@MODELS.register_module()
class SoftmaxHeatmapHead(HeatmapHead):
    """MMPose's heatmap head, its outputs read as logits: a softmax over all cells makes each heatmap a distribution.

    For ``HeatmapCrossEntropyLoss``. Before decoding, a distribution is scaled so that one that equals its target, a
    Gaussian of the codec's sigma, has its maximum at 1, as the heatmaps of the other heads have.
    """

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Logits, shape (B, K, H, W), in full precision also where the network computes in half of it."""
        return super().forward(feats).float()

    def decode(self, batch_outputs: torch.Tensor) -> list:
        """Decode logits, shape (B, K, H, W); returns as MMPose's ``BaseHead.decode``."""
        probability = batch_outputs.flatten(2).softmax(dim=2).view_as(batch_outputs)
        return super().decode(probability * (2 * math.pi * self.decoder.sigma**2))
