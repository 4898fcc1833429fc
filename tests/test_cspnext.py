import pytest
import torch
from mmpose.registry import MODELS
from torch.nn.functional import max_pool2d

from cephalometric.models.cspnext import CSPNeXt, PoolingPyramid

MEDIUM = {'deepen_factor': 0.67, 'widen_factor': 0.75}
TINY = {'deepen_factor': 0.167, 'widen_factor': 0.125}

# As in the published checkpoint cspnext-m_8xb256-rsb-a1-600e_in1k, less its prefix "backbone.".
PUBLISHED_SHAPES = {
    'stem.0.conv.weight': (24, 3, 3, 3),
    'stem.2.bn.running_mean': (48,),
    'stage1.0.conv.weight': (96, 48, 3, 3),
    'stage1.1.main_conv.conv.weight': (48, 96, 1, 1),
    'stage1.1.short_conv.conv.weight': (48, 96, 1, 1),
    'stage1.1.blocks.0.conv1.conv.weight': (48, 48, 3, 3),
    'stage1.1.blocks.1.conv2.depthwise_conv.conv.weight': (48, 1, 5, 5),
    'stage1.1.blocks.1.conv2.pointwise_conv.bn.weight': (48,),
    'stage1.1.attention.fc.weight': (96, 96, 1, 1),
    'stage1.1.attention.fc.bias': (96,),
    'stage1.1.final_conv.conv.weight': (96, 96, 1, 1),
    'stage2.1.blocks.3.conv1.conv.weight': (96, 96, 3, 3),
    'stage4.1.conv1.conv.weight': (384, 768, 1, 1),
    'stage4.1.conv2.conv.weight': (768, 1536, 1, 1),
    'stage4.2.blocks.1.conv2.pointwise_conv.conv.weight': (384, 384, 1, 1),
}


def test_names_shapes_and_count_are_those_of_the_published_weights():
    backbone = MODELS.build({'type': 'CephalometricCSPNeXt', **MEDIUM})
    state = backbone.state_dict()
    assert {name: tuple(state[name].shape) for name in PUBLISHED_SHAPES} == PUBLISHED_SHAPES
    assert len(state) == 350
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 12_279_432


def test_depth_and_width_of_the_full_network():
    backbone = CSPNeXt()
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 26_138_912
    assert [len(backbone.get_submodule(name)[-1].blocks) for name in backbone.stages] == [3, 6, 6, 3]


@pytest.mark.parametrize(('height', 'width'), [(64, 64), (96, 160)])
def test_features_have_a_32nd_of_the_resolution(height, width):
    (features,) = CSPNeXt(**TINY)(torch.rand(2, 3, height, width))
    assert features.shape == (2, 128, height // 32, width // 32)


def test_every_parameter_learns():
    backbone = CSPNeXt(**TINY)
    (features,) = backbone(torch.rand(2, 3, 64, 64))
    features.square().sum().backward()
    still = [name for name, value in backbone.named_parameters() if value.grad is None or not value.grad.any()]
    assert still == []


def test_pretrained_weights_load_from_a_whole_model(tmp_path):
    source = CSPNeXt(**TINY)
    checkpoint = tmp_path / 'model.pth'
    weights = {f'backbone.{name}': value for name, value in source.state_dict().items()}
    torch.save({'state_dict': weights | {'head.fc.weight': torch.zeros(1)}}, checkpoint)

    loaded = CSPNeXt(**TINY, init_cfg={'type': 'Pretrained', 'checkpoint': str(checkpoint), 'prefix': 'backbone.'})
    loaded.init_weights()

    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(loaded.eval()(images), source.eval()(images), rtol=0, atol=0)


def test_the_pyramid_sees_windows_of_1_5_9_and_13_pixels():
    pyramid = PoolingPyramid(8).eval()
    features = torch.randn(1, 8, 17, 20)
    narrow = pyramid.conv1(features)
    windows = [max_pool2d(narrow, size, stride=1, padding=size // 2) for size in (1, 5, 9, 13)]
    torch.testing.assert_close(pyramid(features), pyramid.conv2(torch.cat(windows, dim=1)))
