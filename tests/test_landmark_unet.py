import pytest
import torch
from mmpose.registry import MODELS

from cephalometric.models.landmark_unet import LandmarkUNet

CONFIG = {'type': LandmarkUNet, 'num_landmarks': 5, 'channels': (4, 6, 8), 'stride': 2}


@pytest.mark.parametrize(('stride', 'size'), [(2, 16), (2, 48), (4, 32)])
def test_shape(stride, size):
    network = MODELS.build(CONFIG | {'stride': stride})
    features = network(torch.rand(3, 1, size, size), torch.tensor([0, 4, 2]))
    assert features.shape == (3, 4, size // stride, size // stride)


def test_every_weight_learns():
    network = MODELS.build(CONFIG)
    network(torch.rand(5, 1, 16, 16), torch.arange(5)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_it_looks_for_the_landmark_it_is_told():
    network = MODELS.build(CONFIG).eval()
    patch = torch.rand(1, 1, 16, 16).repeat(2, 1, 1, 1)
    same, other = network(patch, torch.tensor([1, 1])), network(patch, torch.tensor([1, 3]))
    assert torch.equal(same[0], same[1])
    assert not torch.allclose(other[0], other[1])
