"""Networks of timm and torchvision as backbones: features, weights by name, and what a user can mend."""

import sys

import pytest
import timm
import torch
import torchvision
from conftest import TINY_RECIPE
from mmpose.registry import MODELS

from cephalometric.errors import InputError
from cephalometric.training import pretrained
from cephalometric.training.model_writing import write_model
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model


def recipe(folder, backbone):
    path = folder / 'recipe.py'
    # Its deconvolutions bring what is left of the resolution back to that of the heatmaps.
    head = "_delete_=True, type='HeatmapHead', deconv_out_channels=(16, 16, 16), deconv_kernel_sizes=(4, 4, 4)"
    path.write_text(
        f"_base_ = '{TINY_RECIPE}'\nmodel = dict(backbone=dict(_delete_=True, {backbone}), head=dict({head}))\n"
    )
    return path


@pytest.mark.parametrize(
    ('backbone', 'channels'),
    [
        ("type='TimmBackbone', model_name='mobilenetv3_small_050'", 288),
        ("type='TimmBackbone', model_name='convnext_atto', out_indices=(1, 3)", 320),
        ("type='TorchvisionBackbone', model_name='shufflenet_v2_x0_5', nodes=['stage4']", 192),
    ],
)
def test_a_recipe_names_it_and_its_model_is_exported(backbone, channels, tmp_path):
    config = load_config(recipe(tmp_path, backbone))
    assert config.model.head.in_channels == channels
    model = build_model(config)
    features = model.backbone(torch.zeros(1, 3, 64, 64))
    assert features[-1].shape == (1, channels, 2, 2) and len(features) == (2 if 'out_indices' in backbone else 1)
    description = write_model(config, {'state_dict': model.state_dict()}, tmp_path / 'm')
    assert description.networks == ('search.onnx',)


def test_features_come_with_channels_first_whatever_the_library_does():
    tiny = {'img_size': (64, 64), 'embed_dim': 12, 'depths': (1, 1, 1, 1), 'num_heads': (1, 1, 1, 1)}
    swin = MODELS.build({'type': 'TimmBackbone', 'model_name': 'swin_tiny_patch4_window7_224', **tiny})
    assert swin(torch.zeros(2, 3, 64, 64))[-1].shape == (2, 96, 2, 2)


def test_weights_are_called_as_in_the_library_also_within_a_model(tmp_path):
    config = load_config(
        recipe(tmp_path, "type='TorchvisionBackbone', model_name='shufflenet_v2_x0_5', nodes=['stage4']")
    )
    model = build_model(config)
    theirs = torchvision.models.get_model('shufflenet_v2_x0_5', weights=None).state_dict()
    torch.save(theirs, tmp_path / 'theirs.pth')
    config.model.backbone.init_cfg = {'type': 'Pretrained', 'checkpoint': str(tmp_path / 'theirs.pth')}
    line = pretrained.resolve_pretrained(config)
    own = [name for name in theirs if name.startswith(('conv1', 'maxpool', 'stage'))]
    assert f'({len(own)} of its {len(own)} tensors)' in line
    backbone = MODELS.build(config.model.backbone)
    backbone.init_weights()
    assert all(torch.equal(backbone.state_dict()[name], theirs[name]) for name in own)
    weights = {
        name: torch.rand_like(value) if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }
    assert f'backbone.{own[0]}' in weights and not any('network.' in name for name in weights)
    model.load_state_dict(weights)
    assert torch.equal(model.state_dict()[f'backbone.{own[0]}'], weights[f'backbone.{own[0]}'])


def test_pretrained_weights_of_timm_come_by_name_or_it_is_said_why_not(tmp_path, monkeypatch):
    """timm is given a file in the place of the address; the rest is its own code and ours."""
    theirs = timm.create_model('resnet10t')
    torch.save(theirs.state_dict(), tmp_path / 'theirs.pth')
    config = load_config(recipe(tmp_path, "type='TimmBackbone', model_name='resnet10t'"))
    for place, words in (
        (tmp_path / 'theirs.pth', 'starts from pretrained weights: timm://resnet10t'),
        (tmp_path / 'missing.pth', 'is trained from scratch: its pretrained weights timm://resnet10t are not at hand'),
    ):
        own = timm.models.get_pretrained_cfg('resnet10t')
        monkeypatch.setattr(own, 'file', str(place))
        monkeypatch.setattr(timm.models._builder, 'resolve_pretrained_cfg', lambda *_, own=own, **__: own)
        config.model.backbone.init_cfg = {'type': 'Pretrained', 'checkpoint': 'timm://resnet10t'}
        line = pretrained.resolve_pretrained(config)
        assert words in line
        if 'starts' in line:
            backbone = MODELS.build(config.model.backbone)
            backbone.init_weights()
            assert torch.equal(
                backbone.state_dict()['layer4.0.conv1.weight'], theirs.state_dict()['layer4.0.conv1.weight']
            )
    assert config.model.backbone.init_cfg is None


@pytest.mark.parametrize(
    ('backbone', 'words'),
    [
        ({'type': 'TimmBackbone', 'model_name': 'resnet118'}, 'resnet118: timm cannot make it.*did you mean resnet18'),
        ({'type': 'TimmBackbone', 'model_name': 'resnet18', 'colour': 1}, 'resnet18: timm cannot make it.*colour'),
        ({'type': 'TorchvisionBackbone', 'model_name': 'resnet118', 'nodes': ['layer4']}, 'did you mean resnet18'),
        ({'type': 'TorchvisionBackbone', 'model_name': 'resnet18', 'nodes': ['layer9']}, 'it has x, conv1.*layer4'),
    ],
)
def test_mistakes_are_one_line(backbone, words):
    with pytest.raises(InputError, match=words) as caught:
        MODELS.build(backbone)
    assert '\n' not in str(caught.value)


def test_without_timm_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(InputError, match=r'backbone resnet18: timm cannot be imported.*pip install timm'):
        load_config(recipe(tmp_path, "type='TimmBackbone', model_name='resnet18'"))
