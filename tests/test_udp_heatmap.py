"""Codecs: a round trip, and no way out of the image."""

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import Compose
from mmengine.structures import InstanceData
from mmpose.registry import KEYPOINT_CODECS

import cephalometric.models  # noqa: F401  (registers the codec)
from cephalometric.training.dataset import whole_image_bbox
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model


def build(input_size=(192, 224), heatmap_size=(48, 56)):
    return KEYPOINT_CODECS.build(
        {'type': 'BoundedUDPHeatmap', 'input_size': input_size, 'heatmap_size': heatmap_size, 'sigma': 2}
    )


@settings(max_examples=50)
@given(st.floats(30, 160), st.floats(30, 190))
def test_a_landmark_comes_back_through_its_heatmap(x, y):
    codec = build()
    point = np.array([[[x, y]]], np.float32)
    heatmaps = codec.encode(point, np.ones((1, 1), np.float32))['heatmaps']
    decoded, scores = codec.decode(heatmaps)
    size = np.array(codec.input_size)
    assert np.abs(decoded * (size - 1) / size - point).max() < 0.05
    assert 0.8 < scores[0, 0] <= 1


def with_sigma(kind, sigma):
    return KEYPOINT_CODECS.build(
        {'type': kind, 'input_size': (64, 96), 'heatmap_size': (16, 24), 'sigma': sigma, 'blur_kernel_size': 11}
    )


@settings(max_examples=200)
@given(st.floats(-0.9, 64), st.floats(-0.9, 96), st.sampled_from([1.0, 4 / 3, 2.0, 3.0]))
def test_what_is_learnt_is_what_mmpose_makes_of_a_landmark_where_three_sigma_are_whole(x, y, sigma):
    points, visible = np.array([[[x, y], [30, 40]]], np.float32), np.array([[1, 0]], np.float32)
    ours, theirs = (with_sigma(kind, sigma).encode(points, visible) for kind in ('BoundedUDPHeatmap', 'UDPHeatmap'))
    for name in ('heatmaps', 'keypoint_weights'):
        assert ours[name].dtype == theirs[name].dtype
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6)


@settings(max_examples=200)
@given(st.floats(0, 63), st.floats(0, 95), st.sampled_from([1.2, 1.5, 2, 2.5, 3]))
def test_a_landmark_at_the_border_comes_back_whatever_the_sigma(x, y, sigma):
    codec = with_sigma('BoundedUDPHeatmap', sigma)
    decoded, _ = codec.decode(codec.encode(np.array([[[x, y]]], np.float32))['heatmaps'])
    assert np.abs(decoded[0, 0] * [63 / 64, 95 / 96] - (x, y)).max() < 0.05 * 4


@pytest.mark.parametrize(('width', 'height'), [(1935, 2400), (1340, 1671), (2400, 1000)])
def test_the_way_from_original_pixels_to_heatmaps_and_back_is_exact(width, height):
    """Through the pipeline of training and MMPose's own way back, where a mismatch of conventions would show."""
    config = load_config(ROOT / 'cldetection_configs' / 'demo_hrnet-w18s_udp-1xb4-30e-192x224.py')
    steps = [step for step in config.train_pipeline if not step.type.startswith('Random')]
    steps[-1]['meta_keys'] = ('input_size', 'input_center', 'input_scale')
    random = np.random.default_rng(0)
    points_px = random.uniform(0.15, 0.85, (1, 38, 2)) * (width, height)
    sample = Compose(steps)(
        {
            'img': np.zeros((height, width, 3), np.uint8),
            'bbox': whole_image_bbox(width, height),
            'bbox_score': np.ones(1, np.float32),
            'keypoints': points_px.astype(np.float32),
            'keypoints_visible': np.ones((1, 38), np.float32),
        }
    )['data_samples']
    model = build_model(config)
    found, _ = model.head.decoder.decode(sample.gt_fields.heatmaps.numpy())
    sample.gt_instances.bbox_scores = np.ones(1)
    (result,) = model.add_pred_to_datasample(
        [InstanceData(keypoints=found, keypoint_scores=np.ones((1, 38)))], None, [sample]
    )
    pixels_per_input_pixel = sample.gt_instances.bbox_scales[0] / (np.array(config.codec.input_size) - 1)
    errors = np.abs(result.pred_instances.keypoints - points_px) / pixels_per_input_pixel
    assert errors.max() < 0.05


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-4, 1.0]))
def test_whatever_the_heatmap_the_landmark_lies_within_a_cell_of_its_maximum(seed, scale):
    codec = build()
    heatmaps = (np.random.default_rng(seed).normal(size=(3, 56, 48)) ** 3 * scale).astype(np.float32)
    decoded, _ = codec.decode(heatmaps)
    rows, columns = np.divmod(heatmaps.reshape(3, -1).argmax(axis=1), 48)
    cells = np.array(codec.input_size) / (np.array(codec.heatmap_size) - 1)
    highest = np.stack([columns, rows], axis=1) * cells
    assert np.isfinite(decoded).all()
    assert (np.abs(decoded[0] - highest) <= cells * 1.001).all()


def test_an_empty_heatmap_is_answered_with_the_middle():
    decoded, scores = build().decode(np.zeros((2, 56, 48), np.float32))
    assert (scores == 0).all()
    np.testing.assert_allclose(decoded[0], [[96, 112]] * 2)


def test_a_plateau_and_a_ridge_have_no_refinement_to_fail_on():
    heatmaps = np.full((2, 56, 48), 0.5, np.float32)
    heatmaps[1] = 0.1
    heatmaps[1, 20] = 0.9
    decoded, _ = build().decode(heatmaps)
    assert np.isfinite(decoded).all()
    assert abs(decoded[0, 1, 1] - 20 * 224 / 55) < 0.01
