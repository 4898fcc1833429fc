"""A head of one's own: from features to heatmaps, their loss, and landmarks by way of a codec."""

from collections.abc import Sequence

import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch import nn


@MODELS.register_module()
class ExampleHead(BaseHead):
    """Two convolutions and a sigmoid: a heatmap of each landmark.

    Args:
        in_channels: Of the features; the recipe need not say it.
        out_channels: How many landmarks there are; the recipe need not say it.
        loss: The config of a loss that takes heatmaps, their targets and weights, such as ``ExampleLoss``.
        decoder: The config of the codec, the recipe's ``codec``.
        init_cfg: MMEngine's.
    """

    def __init__(
        self, in_channels: int, out_channels: int, loss: dict, decoder: dict, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, padding=1), nn.ReLU(), nn.Conv2d(in_channels, out_channels, 1)
        )
        self.loss_module = MODELS.build(loss)
        self.decoder = KEYPOINT_CODECS.build(decoder)

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Heatmaps between 0 and 1, shape (B, K, h, w)."""
        return self.layers(feats[-1]).sigmoid()

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        batch_data_samples: Sequence[PoseDataSample],
        train_cfg: dict | None = None,
    ) -> dict[str, torch.Tensor]:
        """The losses of a batch by name, of which training takes the sum; what the codec has encoded is the target."""
        targets = torch.stack([sample.gt_fields.heatmaps for sample in batch_data_samples])
        weights = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in batch_data_samples])
        return {'loss_heatmaps': self.loss_module(self(feats), targets, weights)}

    def predict(
        self,
        feats: tuple[torch.Tensor, ...],
        batch_data_samples: Sequence[PoseDataSample],
        test_cfg: dict | None = None,
    ) -> list:
        """Landmarks in pixels of the input. What reaches ``decode`` as tensors is what an ONNX graph gives out."""
        return self.decode(self(feats))
