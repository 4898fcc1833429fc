#!/usr/bin/env python3
"""A package of somebody's own with a backbone that has no ONNX graph, and a model of it with random weights.

python tests/own_package.py FOLDER        writes FOLDER/own_networks and FOLDER/own_model
"""

import sys
from pathlib import Path

import torch

from cephalometric.phantom.rendering import make_phantom
from cephalometric.training.checkpoint_models import write_checkpoint_model
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model

NAME = 'own_networks'
BACKBONE = '''"""Registers a backbone of one's own."""

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS


@MODELS.register_module(force=True)
class OwnSpectrum(BaseModule):
    """A convolution and a Fourier transform, which the exporter to ONNX does not know."""

    def __init__(self, channels, init_cfg=None):
        super().__init__(init_cfg)
        self.convolution = torch.nn.Conv2d(3, channels, 4, stride=4)

    def forward(self, images):
        features = self.convolution(images)
        return (torch.fft.irfft2(torch.fft.rfft2(features), s=features.shape[-2:]),)
'''
RECIPE = """_base_ = {base!r}

custom_imports = dict(imports=['cephalometric.training', 'cephalometric.models', {name!r}])
model = dict(backbone=dict(_delete_=True, type='OwnSpectrum', channels=8), head=dict(in_channels=8))
"""


def write_package(folder: Path) -> Path:
    """The package, its name being NAME."""
    package = folder / NAME
    package.mkdir()
    (package / '__init__.py').write_text(f'from {NAME} import backbone\n')
    (package / 'backbone.py').write_text(BACKBONE)
    return package


def write_own_model(folder: Path) -> Path:
    """A model folder that needs the package, which must be on Python's path."""
    recipe = folder / 'own_recipe.py'
    base = Path(__file__).resolve().with_name('tiny_recipe.py')
    recipe.write_text(RECIPE.format(base=str(base), name=NAME))
    torch.manual_seed(1)
    checkpoint = folder / 'own.pth'
    torch.save({'state_dict': build_model(load_config(recipe)).state_dict()}, checkpoint)
    model = folder / 'own_model'
    write_checkpoint_model(checkpoint, model, recipe, check_on=[make_phantom(1).image])
    return model


if __name__ == '__main__':
    place = Path(sys.argv[1])
    write_package(place)
    sys.path.insert(0, str(place))
    write_own_model(place)
