"""Decoding: known places in, the same places out; SimCC as MMPose decodes it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmpose.codecs import SimCCLabel

from cephalometric.prediction.decoding import decode, decode_heatmaps, decode_patches, decode_simcc


@given(st.floats(4, 27), st.floats(4, 43))
def test_the_centre_of_a_gaussian_heatmap_is_found(x, y):
    columns, rows = np.arange(32), np.arange(48)
    heatmap = np.exp(-((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2) / 8).astype(np.float32)
    fractions, scores = decode_heatmaps(heatmap[None], 11)
    np.testing.assert_allclose(fractions[0] * (31, 47), (x, y), atol=0.06)
    assert 0.9 < scores[0] <= 1


def test_heatmaps_without_a_maximum_are_answered_with_the_middle_and_no_confidence():
    fractions, scores = decode_heatmaps(np.zeros((2, 8, 8), np.float32))
    np.testing.assert_array_equal(fractions, [[0.5, 0.5]] * 2)
    assert not scores.any()


def test_simcc_is_decoded_as_mmpose_does():
    random = np.random.default_rng(3)
    x, y = random.random((5, 128), np.float32), random.random((5, 96), np.float32)
    points, scores = SimCCLabel((64, 48), simcc_split_ratio=2.0, normalize=False).decode(x.copy(), y.copy())
    fractions, ours = decode_simcc(x, y, 2.0, (64, 48))
    np.testing.assert_allclose(fractions * (64, 48), points[0])
    np.testing.assert_allclose(ours, scores[0])


@given(st.floats(20, 43), st.floats(20, 43))
def test_the_centre_of_mass_of_a_patch_is_found(x, y):
    centres = np.arange(32) * 2 + 0.5
    cells = np.exp(-((centres[None] - x) ** 2 + (centres[:, None] - y) ** 2) / 8)
    points, scores = decode_patches(cells[None] / cells.sum(), stride=2, window=8)
    np.testing.assert_allclose(points[0], (x, y), atol=0.02)
    assert scores[0] == pytest.approx(1, abs=0.01)


def test_a_description_names_the_function_and_its_arguments():
    heatmap = np.zeros((1, 8, 8), np.float32)
    heatmap[0, 2, 5] = 1
    fractions, _ = decode({'kind': 'heatmaps', 'blur_kernel_size': 3}, (heatmap,))
    np.testing.assert_allclose(fractions, [[5 / 7, 2 / 7]])
