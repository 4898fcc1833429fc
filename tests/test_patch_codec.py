import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmpose.registry import KEYPOINT_CODECS

from cephalometric.models.patch_codec import PatchHeatmap

CONFIG = {'type': 'PatchHeatmap', 'patch_size': 64, 'stride': 2, 'sigma': 2.5, 'window': 10}
CODEC = KEYPOINT_CODECS.build(CONFIG)
# The window around the landmark fits into the patch.
inner = st.floats(11, 52)


def distribution(points: np.ndarray) -> np.ndarray:
    along_x, along_y = np.moveaxis(CODEC.encode(points)['profiles'], 1, 0)
    return along_y[:, :, None] * along_x[:, None, :]


@given(st.lists(st.tuples(inner, inner), min_size=1, max_size=5).map(np.array))
def test_round_trip_below_a_twentieth_of_a_pixel(points):
    found, scores = CODEC.decode(distribution(points))
    assert found.shape == (1, len(points), 2)
    assert np.linalg.norm(found[0] - points, axis=1).max() < 0.05
    assert scores == pytest.approx(1, abs=0.01)


def test_shapes_and_types():
    encoded = CODEC.encode(np.full((5, 3, 2), 20.0), np.array([[1, 0, 1]] * 5))
    assert encoded['profiles'].shape == (5, 3, 2, 32)
    assert encoded['profiles'].dtype == encoded['keypoint_weights'].dtype == np.float32
    assert encoded['keypoint_weights'].tolist() == [[1, 0, 1]] * 5
    np.testing.assert_allclose(encoded['profiles'].sum(axis=-1)[0], [[1, 1], [0, 0], [1, 1]], rtol=1e-6)


def test_a_landmark_outside_its_patch_does_not_count():
    encoded = CODEC.encode(np.array([[-1.0, 30], [30, 64], [1e9, 30], [63.4, -0.4]]))
    assert encoded['keypoint_weights'].tolist() == [0, 0, 0, 1]
    assert not encoded['profiles'][:3].any()


def test_a_second_maximum_far_away_lowers_the_score_and_moves_nothing():
    points = np.array([[20.0, 20], [50, 50]])
    mixed = np.array([[0.7], [0.3]])[..., None] * distribution(points)
    found, scores = CODEC.decode(mixed.sum(axis=0, keepdims=True))
    assert found[0, 0] == pytest.approx(points[0], abs=0.05)
    assert scores[0, 0] == pytest.approx(0.7, abs=0.01)


def test_nothing_seen_is_finite():
    found, scores = CODEC.decode(np.zeros((2, 32, 32)))
    assert np.isfinite(found).all()
    assert not scores.any()


def test_the_stride_divides_the_patch():
    with pytest.raises(ValueError, match='multiple'):
        PatchHeatmap(patch_size=63, stride=2, sigma=2.5, window=10)
