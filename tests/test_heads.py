"""The softmax head: logits become distributions before they are decoded, and a few images can be learnt by heart.

Cross-entropy over heatmaps.
"""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch.nn.functional import cross_entropy

import cephalometric.models  # noqa: F401  (registers the head)
from cephalometric.models.heads import HeatmapCrossEntropyLoss

CODEC = {'type': 'BoundedUDPHeatmap', 'input_size': (64, 64), 'heatmap_size': (16, 16), 'sigma': 2}

INPUT = 63 / 64  # from the codec's edge to edge to pixels of the input


def build(landmarks=2, channels=8):
    torch.manual_seed(0)
    return MODELS.build(
        {
            'type': 'SoftmaxHeatmapHead',
            'in_channels': channels,
            'out_channels': landmarks,
            'deconv_out_channels': None,
            'loss': {'type': 'HeatmapCrossEntropyLoss'},
            'decoder': CODEC,
        }
    )


def encode(head, points):
    return head.decoder.encode(np.asarray(points, np.float32)[None], np.ones((1, len(points)), np.float32))


def test_logits_of_a_gaussian_give_its_centre_and_a_score_of_about_one():
    head = build()
    points = np.array([[20.3, 31.7], [40.1, 25.2]])
    heatmaps = encode(head, points)['heatmaps']
    logits = torch.tensor(heatmaps).clamp(min=1e-6).log()[None] + 5  # a softmax does not see a constant
    (decoded,) = head.decode(logits)
    np.testing.assert_allclose(decoded.keypoints[0] * INPUT, points, atol=0.1)
    np.testing.assert_allclose(decoded.keypoint_scores[0], 1, atol=0.1)


def test_logits_that_know_nothing_have_a_low_score():
    (decoded,) = build().decode(torch.zeros(1, 2, 16, 16))
    assert (decoded.keypoint_scores < 0.2).all()


def test_a_few_images_are_learnt_by_heart():
    head = build()
    random = np.random.default_rng(0)
    points = random.uniform(12, 50, (3, 2, 2))
    samples = []
    for image in points:
        target = encode(head, image)
        samples.append(
            PoseDataSample(
                gt_fields=PixelData(heatmaps=torch.tensor(target['heatmaps'])),
                gt_instance_labels=InstanceData(keypoint_weights=torch.tensor(target['keypoint_weights'])),
            )
        )
    features = torch.randn(3, 8, 16, 16, requires_grad=True)
    optimizer = torch.optim.Adam([*head.parameters(), features], lr=0.2)
    first = None
    for _ in range(150):
        loss = head.loss((features,), samples)['loss_kpt']
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < first
    decoded = head.decode(head((features,)))
    errors = [
        np.linalg.norm(found.keypoints[0] * INPUT - true, axis=1) for found, true in zip(decoded, points, strict=True)
    ]
    assert np.max(errors) < 1.0


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
