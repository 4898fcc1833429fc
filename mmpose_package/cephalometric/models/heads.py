"""A heatmap head whose outputs are logits, and its loss, which MMPose does not have."""

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

    def heatmaps(self, logits: torch.Tensor) -> torch.Tensor:
        """What is decoded of logits, shape (B, K, H, W); same shape."""
        probability = logits.flatten(2).softmax(dim=2).view_as(logits)
        return probability * (2 * math.pi * self.decoder.sigma**2)

    def decode(self, batch_outputs: torch.Tensor) -> list:
        """Decode logits, shape (B, K, H, W); returns as MMPose's ``BaseHead.decode``."""
        return super().decode(self.heatmaps(batch_outputs))


@MODELS.register_module()
class HeatmapCrossEntropyLoss(torch.nn.Module):
    """Cross-entropy between a target heatmap and the softmax over all cells of the predicted one.

    Each landmark is a question with one answer, "in which cell?", softened to the target's Gaussian. It learns from the
    first step on, where the mean squared error must first unlearn that nearly all cells are empty. Used with
    ``SoftmaxHeatmapHead``.
    """

    def forward(
        self, output: torch.Tensor, target: torch.Tensor, target_weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The loss of a batch.

        Args:
            output: Predicted logits, shape (B, K, H, W).
            target: Target heatmaps, not negative, shape (B, K, H, W); those of missing landmarks may be zero.
            target_weights: Shape (B, K): 0 for landmarks that do not count. All count by default.

        Returns:
            The mean over all landmarks that count; 0 if there is none.
        """
        heat = target.flatten(2)
        total = heat.sum(dim=2)
        probability = heat / total.clamp(min=torch.finfo(heat.dtype).tiny)[..., None]
        losses = -(probability * output.flatten(2).log_softmax(dim=2)).sum(dim=2)
        weights = torch.ones_like(losses) if target_weights is None else target_weights
        weights = weights * (total > 0)
        return (losses * weights).sum() / weights.sum().clamp(min=1)
