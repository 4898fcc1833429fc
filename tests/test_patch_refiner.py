""" """

import pytest
import torch
from mmpose.registry import MODELS

from cephalometric.models.heads import HeatmapCrossEntropyLoss
from cephalometric.models.patch_codec import PatchHeatmap
from cephalometric.models.patch_refiner import LandmarkPatchHead, LandmarkUNet

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


HEAD_CONFIG = {
    'type': LandmarkPatchHead,
    'in_channels': 3,
    'out_channels': 4,
    'decoder': {'type': PatchHeatmap, 'patch_size': 16, 'stride': 2, 'sigma': 2.5, 'window': 6},
    'loss': {'type': HeatmapCrossEntropyLoss},
}


@pytest.fixture
def head() -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(HEAD_CONFIG)


def test_each_landmark_has_weights_of_its_own(head):
    features = torch.rand(1, 3, 8, 8).repeat(3, 1, 1, 1)
    logits = head(features, torch.tensor([0, 0, 3]))
    assert logits.shape == (3, 8, 8)
    assert torch.equal(logits[0], logits[1])
    assert not torch.allclose(logits[0], logits[2])


def test_predictions_are_distributions(head):
    distributions = head.predict(torch.randn(5, 3, 8, 8), torch.tensor([0, 1, 2, 3, 0]))
    assert distributions.sum(dim=(1, 2)).tolist() == pytest.approx([1] * 5, abs=1e-5)
    assert (distributions >= 0).all()


@pytest.fixture
def profiles(head) -> torch.Tensor:
    """Two patches, four landmarks each."""
    points = torch.rand(2, 4, 2) * 12 + 2
    return torch.from_numpy(head.decoder.encode(points.numpy())['profiles'])


def test_the_loss_has_gradients_for_what_counts_alone(head, profiles):
    features = torch.randn(2, 3, 8, 8, requires_grad=True)
    weights = torch.tensor([[1.0, 0, 1, 0], [0, 0, 0, 0]])
    head.loss(features, torch.tensor([0, 1]), profiles, weights).backward()
    assert features.grad[0].abs().sum() > 0
    assert features.grad[1].abs().sum() == 0
    assert (head.weight.weight.grad.abs().sum(dim=1) > 0).tolist() == [True, False, True, False]


def test_the_loss_is_the_cross_entropy_of_own_and_of_less_weighty_other_landmarks(head, profiles):
    features, landmarks = torch.randn(2, 3, 8, 8), torch.tensor([2, 0])
    total = weight = 0
    for patch in range(2):
        for landmark in range(4):
            importance = 1 if landmark == landmarks[patch] else head.others_weight
            found = head.predict(features[patch : patch + 1], torch.tensor([landmark]))[0]
            true = profiles[patch, landmark, 1, :, None] * profiles[patch, landmark, 0]
            total -= importance * (true * found.log()).sum()
            weight += importance
    assert head.loss(features, landmarks, profiles, torch.ones(2, 4)).item() == pytest.approx(total.item() / weight)
