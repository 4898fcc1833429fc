"""One U-Net for the patches of all landmarks."""

from itertools import pairwise

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
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
