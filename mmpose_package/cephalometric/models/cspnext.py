"""The CSPNeXt backbone of RTMDet and RTMPose, which MMPose takes from MMDetection up to its version 1.1.

Written from C. Lyu et al., "RTMDet: An Empirical Study of Designing Real-Time Object Detectors", arXiv 2212.07784,
section 3: the cross-stage partial layout of YOLO's backbones with large-kernel depthwise convolutions in its blocks,
fewer blocks than YOLO has, and channel attention at the end of each stage. Modules are named as in the published
checkpoints, so that those load.
"""

import torch
from mmcv.cnn import ConvModule, DepthwiseSeparableConvModule
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

STEM_CHANNELS = 64
STAGE_CHANNELS = (128, 256, 512, 1024)
STAGE_BLOCKS = (3, 6, 6, 3)
# Plain batch normalization: SyncBN does not run on a CPU. MMEngine turns it into SyncBN where a config asks for it with
# sync_bn = 'torch'.
NORM_AND_ACTIVATION = {'norm_cfg': {'type': 'BN'}, 'act_cfg': {'type': 'SiLU'}}


# MMPose 1.2 and later register a CSPNeXt of their own; the longer name is this one whatever MMPose is there.
@MODELS.register_module('CephalometricCSPNeXt')
class CSPNeXt(BaseModule):
    """A stem and four stages, each of which halves the resolution and doubles the channels.

    Args:
        deepen_factor: Multiplies the number of blocks of each stage.
        widen_factor: Multiplies the number of channels; CSPNeXt-m has 0.67 and 0.75.
        init_cfg: MMEngine's initialization; without one the convolutions are initialized at random.
    """

    def __init__(self, deepen_factor: float = 1.0, widen_factor: float = 1.0, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        channels = int(STEM_CHANNELS * widen_factor)
        self.stem = nn.Sequential(
            _convolution(3, channels // 2, 3, stride=2),
            _convolution(channels // 2, channels // 2, 3),
            _convolution(channels // 2, channels, 3),
        )
        self.stages = [f'stage{number}' for number, _ in enumerate(STAGE_CHANNELS, start=1)]
        for name, full_channels, full_blocks in zip(self.stages, STAGE_CHANNELS, STAGE_BLOCKS, strict=True):
            blocks = max(round(full_blocks * deepen_factor), 1)
            in_channels, channels = channels, int(full_channels * widen_factor)
            self.add_module(name, _stage(in_channels, channels, blocks, is_last=name == self.stages[-1]))

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Features of the last stage.

        Args:
            images: Shape (B, 3, H, W), with H and W multiples of 32.

        Returns:
            One tensor of shape (B, 1024 * widen_factor, H / 32, W / 32).
        """
        features = self.stem(images)
        for name in self.stages:
            features = self.get_submodule(name)(features)
        return (features,)


def _stage(in_channels: int, channels: int, blocks: int, is_last: bool) -> nn.Sequential:
    downsample = _convolution(in_channels, channels, 3, stride=2)
    # The last stage sees wide context from its pooling pyramid instead of identity paths.
    pyramid = [PoolingPyramid(channels)] if is_last else []
    return nn.Sequential(downsample, *pyramid, CrossStagePartial(channels, blocks, identity=not is_last))


def _convolution(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> ConvModule:
    return ConvModule(
        in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, **NORM_AND_ACTIVATION
    )


class CrossStagePartial(nn.Module):
    """Two halves, one of which passes the blocks, joined again under channel attention: (B, C, H, W) to the same."""

    def __init__(self, channels: int, blocks: int, identity: bool):
        super().__init__()
        half = channels // 2
        self.main_conv = _convolution(channels, half, 1)
        self.short_conv = _convolution(channels, half, 1)
        self.blocks = nn.Sequential(*(Block(half, identity) for _ in range(blocks)))
        self.attention = ChannelAttention(channels)
        self.final_conv = _convolution(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        main = self.blocks(self.main_conv(features))
        return self.final_conv(self.attention(torch.cat((main, self.short_conv(features)), dim=1)))


class Block(nn.Module):
    """A 3 x 3 convolution and a depthwise separable one of 5 x 5: (B, C, H, W) to the same."""

    def __init__(self, channels: int, identity: bool):
        super().__init__()
        self.conv1 = _convolution(channels, channels, 3)
        self.conv2 = DepthwiseSeparableConvModule(channels, channels, 5, padding=2, **NORM_AND_ACTIVATION)
        self.identity = identity

    def forward(self, features: Tensor) -> Tensor:
        out = self.conv2(self.conv1(features))
        return out + features if self.identity else out


class ChannelAttention(nn.Module):
    """Weights each channel between 0 and 1 by what all channels are on average: (B, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        means = features.mean(dim=(2, 3), keepdim=True)
        return features * nn.functional.hardsigmoid(self.fc(means))


class PoolingPyramid(nn.Module):
    """Maxima over windows of 1, 5, 9 and 13 pixels side by side (spatial pyramid pooling): (B, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = _convolution(channels, channels // 2, 1)
        self.conv2 = _convolution(channels // 2 * 4, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        levels = [self.conv1(features)]
        for _ in range(3):  # two maxima over 5 are one over 9, three are one over 13
            levels.append(nn.functional.max_pool2d(levels[-1], 5, stride=1, padding=2))
        return self.conv2(torch.cat(levels, dim=1))
