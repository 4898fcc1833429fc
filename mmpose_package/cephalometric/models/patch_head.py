"""The head of the patch network: which cell of its patch holds the landmark."""

import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import nn


@MODELS.register_module()
class LandmarkPatchHead(BaseHead):
    """A 1 x 1 convolution with weights for each landmark; a softmax over the cells makes a distribution of it.

    A patch is asked for its own landmark alone. While it learns it is asked for all that it shows: they teach the
    features how the parts of a skull lie to each other, of which a few X-rays tell little.

    Args:
        in_channels: Of the features.
        out_channels: How many landmarks there are.
        decoder: The codec, such as ``PatchHeatmap``.
        loss: Such as ``HeatmapCrossEntropyLoss``.
        others_weight: How much a landmark counts in the patch of another one, where its own counts 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        decoder: dict,
        loss: dict,
        others_weight: float = 0.3,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.loss_module = MODELS.build(loss)
        self.weight = nn.Embedding(out_channels, in_channels)
        nn.init.normal_(self.weight.weight, std=in_channels**-0.5)
        # No bias: the softmax over the cells would not see it.
        self.others_weight = others_weight

    def forward(self, features: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """Logits of the cells, shape (N, h, w), from features, shape (N, in_channels, h, w), and landmarks, (N,)."""
        return (features * self.weight(landmarks)[..., None, None]).sum(dim=1)

    def loss(
        self, features: torch.Tensor, landmarks: torch.Tensor, profiles: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """The loss of N patches.

        Args:
            features, landmarks: As for :meth:`forward`.
            profiles: The codec's, of all K landmarks in each patch, shape (N, K, 2, cells).
            weights: Shape (N, K); 0 for landmarks that do not count in a patch.
        """
        logits = nn.functional.conv2d(features, self.weight.weight[..., None, None]).float()
        own = nn.functional.one_hot(landmarks, weights.shape[1])
        importance = own + self.others_weight * (1 - own)
        along_x, along_y = profiles.unbind(dim=2)
        return self.loss_module(logits, along_y[..., None] * along_x[..., None, :], weights * importance)

    def predict(self, features: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """The distribution over the cells of each patch, shape (N, h, w)."""
        logits = self(features, landmarks).float()
        return logits.flatten(1).softmax(dim=1).view_as(logits)
