"""Cross-entropy over heatmaps."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from cephalometric.models.losses import HeatmapCrossEntropyLoss

LOSS = HeatmapCrossEntropyLoss()


def batch(images=2, landmarks=3, height=5, width=4):
    random = torch.Generator().manual_seed(0)
    logits = torch.randn((images, landmarks, height, width), generator=random, requires_grad=True)
    return logits, torch.rand((images, landmarks, height, width), generator=random)


def test_for_one_cell_it_is_the_cross_entropy_of_a_classification():
    logits, _ = batch()
    cells = torch.tensor([[0, 7, 19], [3, 3, 11]])
    target = torch.nn.functional.one_hot(cells, 20).reshape(2, 3, 5, 4).float()
    assert LOSS(logits, target).item() == pytest.approx(
        cross_entropy(logits.reshape(6, 20), cells.reshape(6)).item(), rel=1e-6
    )


def test_the_height_of_the_target_does_not_matter_and_the_best_logits_are_its_logarithm():
    logits, target = batch()
    assert LOSS(logits, target).item() == pytest.approx(LOSS(logits, 7 * target).item(), rel=1e-5)
    best = LOSS(target.log(), target)
    assert best < LOSS(logits, target)
    perfect = target.log().requires_grad_()
    LOSS(perfect, target).backward()
    assert perfect.grad.abs().max() < 1e-6


def test_a_landmark_that_does_not_count_changes_nothing_and_gets_no_gradient():
    logits, target = batch()
    weights = torch.tensor([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    loss = LOSS(logits, target, weights)
    spoilt = target.clone()
    spoilt[0, 1] = 100
    assert LOSS(logits, spoilt, weights) == loss
    loss.backward()
    assert not logits.grad[0, 1].any() and logits.grad[0, 0].any()


def test_a_target_without_heat_and_a_batch_without_landmarks_are_worth_nothing():
    logits, target = batch()
    target[1] = 0
    assert LOSS(logits, target).item() == pytest.approx(LOSS(logits[:1], target[:1]).item(), rel=1e-6)
    nothing = LOSS(logits, torch.zeros_like(target), torch.zeros(2, 3))
    nothing.backward()
    assert nothing == 0 and logits.grad.isfinite().all()
