"""The head of the patch network: which cell of its patch holds the landmark."""

import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import nn


@MODELS.register_module()
class LandmarkPatchHead(BaseHead):
    """A 1 x 1 convolution with weights for each landmark; a softmax over the cells makes a distribution of it.

    Args:
        in_channels: Of the features.
        out_channels: How many landmarks there are.
        decoder: The codec, such as ``PatchHeatmap``.
        loss: Such as ``HeatmapCrossEntropyLoss``.
    """

    def __init__(
        self, in_channels: int, out_channels: int, decoder: dict, loss: dict, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.loss_module = MODELS.build(loss)
        self.weight = nn.Embedding(out_channels, in_channels)
        nn.init.normal_(self.weight.weight, std=in_channels**-0.5)
        self.bias = nn.Embedding(out_channels, 1)
        nn.init.zeros_(self.bias.weight)

    def forward(self, features: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """Logits of the cells, shape (N, h, w), from features, shape (N, in_channels, h, w), and landmarks, (N,)."""
        weighted = (features * self.weight(landmarks)[..., None, None]).sum(dim=1)
        return weighted + self.bias(landmarks)[..., None]

    def loss(
        self, features: torch.Tensor, landmarks: torch.Tensor, heatmaps: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """The loss of N patches.

        Args:
            features, landmarks: As for :meth:`forward`.
            heatmaps: The codec's, shape (N, h, w).
            weights: Shape (N,); 0 for patches that do not count.
        """
        logits = self(features, landmarks).float()
        return self.loss_module(logits[None], heatmaps[None], weights[None])

    def predict(self, features: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """The distribution over the cells of each patch, shape (N, h, w)."""
        logits = self(features, landmarks).float()
        return logits.flatten(1).softmax(dim=1).view_as(logits)
