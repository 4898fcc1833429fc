import pytest
import torch
from mmpose.registry import MODELS

CONFIG = {
    'type': 'LandmarkPatchHead',
    'in_channels': 3,
    'out_channels': 4,
    'decoder': {'type': 'PatchHeatmap', 'patch_size': 16, 'stride': 2, 'sigma': 2.5, 'window': 6},
    'loss': {'type': 'HeatmapCrossEntropyLoss'},
}


@pytest.fixture
def head() -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(CONFIG)


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


def test_the_loss_has_gradients_for_patches_that_count_alone(head):
    features = torch.randn(2, 3, 8, 8, requires_grad=True)
    heatmaps = torch.rand(2, 8, 8)
    head.loss(features, torch.tensor([0, 1]), heatmaps, torch.tensor([1.0, 0.0])).backward()
    assert features.grad[0].abs().sum() > 0
    assert features.grad[1].abs().sum() == 0
    assert head.weight.weight.grad[0].abs().sum() > 0
    assert head.weight.weight.grad[1:].abs().sum() == 0
