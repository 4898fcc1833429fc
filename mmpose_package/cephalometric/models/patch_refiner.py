"""The network that finds a landmark in a patch: one U-Net for the patches of all landmarks, and its head."""

from itertools import pairwise

import torch
from mmengine.model import BaseModule
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from torch import nn
from torch.nn import functional


def _layers(in_channels: int, out_channels: int, count: int) -> nn.Sequential:
    layers = []
    for channels in (in_channels, *[out_channels] * (count - 1)):
        layers += [
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


@MODELS.register_module()
class LandmarkUNet(BaseModule):
    """A U-Net (O. Ronneberger et al., arXiv 1505.04597) that is told which landmark it looks for.

    What it has learned of edges and textures serves all landmarks; at its bottleneck an embedding of the landmark
    scales and shifts each channel (E. Perez et al., FiLM, arXiv 1709.07871). On the way up the levels are added, and
    one convolution follows: half the work of the original, which joins the levels and has two.

    Args:
        num_landmarks: How many landmarks there are.
        channels: Of each level, the finest first; each level has half the resolution of the one before.
        stride: Of the first convolution, an even number: features have 1 / stride of the patch's resolution.
    """

    def __init__(
        self,
        num_landmarks: int,
        channels: tuple[int, ...],
        stride: int = 2,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.out_channels = channels[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels[0], 2 * stride, stride=stride, padding=stride // 2, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(_layers(*pair, 2) for pair in zip((channels[0], *channels), channels, strict=False))
        self.narrow = nn.ModuleList(nn.Conv2d(deep, fine, 1, bias=False) for fine, deep in pairwise(channels))
        self.up = nn.ModuleList(_layers(fine, fine, 1) for fine in channels[:-1])
        self.embedding = nn.Embedding(num_landmarks, 2 * channels[-1])
        nn.init.normal_(self.embedding.weight, std=0.5)

    def forward(self, patches: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        """Look at patches.

        Args:
            patches: Shape (N, 1, size, size); size a multiple of stride times 2 for each further level.
            landmarks: Shape (N,), integers: which landmark each patch is of.

        Returns:
            Features, shape (N, channels[0], size / stride, size / stride).
        """
        features = [self.down[0](self.stem(patches))]
        for block in self.down[1:]:
            features.append(block(functional.max_pool2d(features[-1], 2)))
        scale, shift = self.embedding(landmarks)[..., None, None].chunk(2, dim=1)
        deep = features.pop() * (1 + scale) + shift
        for narrow, block in zip(reversed(self.narrow), reversed(self.up), strict=True):
            wide = functional.interpolate(narrow(deep), scale_factor=2, mode='bilinear', align_corners=False)
            deep = block(features.pop() + wide)
        return deep


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


@MODELS.register_module()
class PatchRefiner(BaseModule):
    """The network that finds a landmark in a patch.

    Args:
        backbone: Such as ``LandmarkUNet``.
        head: Such as ``LandmarkPatchHead``.
    """

    def __init__(self, backbone: dict, head: dict, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)

    def loss(self, patches: torch.Tensor, points: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            patches: One for each landmark, uint8, shape (B, K, size, size).
            points: Where each landmark lies in each patch, shape (B, K, K, 2) as x, y in pixels of the patch.
            weights: Shape (B, K, K); 0 for landmarks that do not count in a patch.
        """
        features, landmarks = self._features(patches)
        profiles = self.head.decoder.profiles(points.flatten(0, 1), weights.flatten(0, 1))
        return self.head.loss(features, landmarks, profiles, weights.flatten(0, 1))

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        """The distributions over the cells of patches, shape (B, K, h, w); patches as for :meth:`loss`."""
        features, landmarks = self._features(patches)
        return self.head.predict(features, landmarks).unflatten(0, patches.shape[:2])

    def _features(self, patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batch, landmarks = patches.shape[:2]
        numbers = torch.arange(landmarks, device=patches.device).repeat(batch)
        # Grey levels around 0, as far apart as in most X-rays.
        centred = (patches.flatten(0, 1)[:, None].float() / 255 - 0.45) / 0.25
        return self.backbone(centred.contiguous(memory_format=torch.channels_last), numbers), numbers
