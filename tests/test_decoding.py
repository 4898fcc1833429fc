"""Decoding: known places in, the same places out; SimCC as MMPose decodes it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.codecs import RegressionLabel, SimCCLabel

from cephalometric.prediction import predict_onnx
from cephalometric.prediction.decoding import decode, decode_heatmaps, decode_patches, decode_simcc
from cephalometric.prediction.predict_onnx import peak


def gaussian(x, y, sigma):
    columns, rows = np.arange(32), np.arange(48)
    return np.exp(-((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def from_edge_to_edge(last):
    """Any place along an axis; half of them near the border, where what smooths a heatmap reaches beyond it."""
    return st.one_of(st.floats(0, 3), st.floats(last - 3, last), st.floats(0, last))


@settings(max_examples=300)
@given(from_edge_to_edge(31), from_edge_to_edge(47), st.floats(1.2, 3), st.sampled_from([3, 7, 11, 17]))
def test_the_centre_of_a_gaussian_heatmap_is_found_wherever_it_lies(x, y, sigma, kernel_size):
    heatmap = gaussian(x, y, sigma)
    fractions, scores = decode_heatmaps(heatmap[None], kernel_size)
    np.testing.assert_allclose(fractions[0] * (31, 47), (x, y), atol=0.02)
    np.testing.assert_allclose(peak(heatmap, kernel_size), (x, y), atol=0.02)
    assert 0.8 < scores[0] <= 1


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-3, 1.0]), st.integers(1, 6), st.integers(1, 6))
def test_what_a_model_folder_brings_along_decodes_as_the_package_does(seed, scale, height, width):
    """Whatever the heatmap, however small; and no landmark lies more than a cell from the highest one."""
    heatmap = (np.random.default_rng(seed).normal(size=(height, width)) ** 3 * scale).astype(np.float32)
    with np.errstate(divide='ignore', invalid='ignore'):
        cells = decode_heatmaps(heatmap[None], 11)[0][0] * (width - 1, height - 1)
    if min(height, width) > 1:
        np.testing.assert_allclose(cells, peak(heatmap, 11))
        if heatmap.max() > 0:
            highest = np.unravel_index(heatmap.argmax(), heatmap.shape)[::-1]
            assert np.abs(cells - highest).max() <= 1


def test_noise_moves_a_landmark_at_the_border_no_farther_than_a_third_of_a_cell():
    random = np.random.default_rng(0)
    places = np.stack([random.uniform(0, 3, 400), random.uniform(10, 37, 400)], axis=1)
    heatmaps = np.stack([gaussian(*place, 2) for place in places])
    noisy = np.maximum(heatmaps + random.normal(0, 0.05, heatmaps.shape), 0).astype(np.float32)
    off = decode_heatmaps(noisy, 11)[0] * (31, 47) - places
    assert abs(off[:, 0].mean()) < 0.05
    assert np.sqrt((off**2).mean(axis=0)).max() < 0.33


def test_the_model_that_ships_brings_the_same_lines_along():
    for model in Path(predict_onnx.__file__).parents[1].glob('zoo/*/predict_onnx.py'):
        assert model.read_bytes() == Path(predict_onnx.__file__).read_bytes()


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


@pytest.mark.parametrize('values', [2, 4])
def test_coordinates_are_decoded_as_mmpose_does(values):
    outputs = np.random.default_rng(4).random((1, 5, values), np.float32)
    points, scores = RegressionLabel((64, 48)).decode(outputs)
    for given_as in (outputs, outputs[0]):
        fractions, ours = decode({'kind': 'coordinates'}, (given_as,))
        np.testing.assert_allclose(fractions * (64, 48), points[0])
        np.testing.assert_allclose(ours, scores[0], atol=1e-6)


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
