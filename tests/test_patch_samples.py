import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmpose.registry import KEYPOINT_CODECS

from cephalometric.geometry import layout_scale, mean_layout_mm
from cephalometric.models.patch_codec import PatchHeatmap
from cephalometric.prediction.patches import ImagePyramid, PatchFrame
from cephalometric.training.patch_samples import BuildPyramid, SampleLandmarkPatches

ENCODER = {'type': PatchHeatmap, 'patch_size': 64, 'stride': 2, 'sigma': 2.0, 'window': 8}
VIEWS = [{'resolution_mm': 0.5, 'jitter_mm': 2.0}, {'resolution_mm': 0.25, 'jitter_mm': 1.0}]
SPACING_MM = 0.25
POINTS = np.array([[100.0, 90], [260, 110], [120.5, 300.25], [240, 280]])


def results(visible: tuple = (1, 1, 1, 1)) -> dict:
    """An X-ray with a bright spot at each landmark."""
    rows, columns = np.mgrid[:400, :360]
    image = sum(200 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / 3**2) for x, y in POINTS)
    return {
        'img': np.repeat(np.round(image).astype(np.uint8)[..., None], 3, axis=2),
        'keypoints': POINTS[None].astype(np.float32),
        'keypoints_visible': np.array([visible], np.float32),
        'spacing': SPACING_MM,
        'mean_layout_mm': mean_layout_mm(POINTS[None], np.array([SPACING_MM])),
    }


def sample(visible: tuple = (1, 1, 1, 1), **options) -> dict:
    np.random.seed(3)
    return Compose([BuildPyramid(), SampleLandmarkPatches(ENCODER, VIEWS, **options)])(results(visible))


def profiles_of(found: dict) -> np.ndarray:
    """What the network learns of a sample, shape (views, K, K, 2, cells)."""
    codec = KEYPOINT_CODECS.build(ENCODER)
    return codec.profiles(*map(torch.from_numpy, (found['patch_points'], found['patch_weights']))).numpy()


def heatmaps(profiles: np.ndarray) -> np.ndarray:
    """Distributions, shape (..., cells, cells), from what the codec says of them along x and along y."""
    return profiles[..., 1, :, None] * profiles[..., 0, None, :]


def brightest(image: np.ndarray) -> np.ndarray:
    return np.array(np.unravel_index(image.argmax(), image.shape))


def test_shapes_and_types():
    found = sample()
    assert found['patches'].shape == (2, 4, 64, 64)
    assert found['patches'].dtype == np.uint8
    assert found['patch_points'].shape == (2, 4, 4, 2)
    assert profiles_of(found).shape == (2, 4, 4, 2, 32)
    assert found['patch_weights'].shape == (2, 4, 4)
    assert all(weights.diagonal().all() for weights in found['patch_weights'])


@pytest.mark.parametrize('invert_prob', [0, 1])
def test_the_target_is_where_the_landmark_is_seen(invert_prob):
    """Through jitter, turn and scale, in every view."""
    found = sample(invert_prob=invert_prob)
    for patches, profiles in zip(found['patches'], profiles_of(found), strict=True):
        for number, patch in enumerate(patches):
            bright = 255 - patch if invert_prob else patch
            assert np.abs(brightest(bright) - 2 * brightest(heatmaps(profiles[number, number])) - 0.5).max() <= 2


def test_a_patch_tells_where_the_other_landmarks_in_it_are_too():
    np.random.seed(0)
    views = [{'resolution_mm': 1.0, 'jitter_mm': 0.0}]  # 64 mm: two neighbours 40 mm away are seen
    transform = SampleLandmarkPatches(ENCODER, views, max_angle=0, max_scale=0, gamma=(1, 1))
    found = Compose([BuildPyramid(), transform])(results())
    assert found['patch_weights'][0].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    other = brightest(heatmaps(profiles_of(found)[0, 2, 3]))
    row, column = 2 * other
    assert found['patches'][0, 2][row - 1 : row + 3, column - 1 : column + 3].max() > 100
    assert abs(other - 15.5).max() > 10


def test_patches_lie_off_the_landmark_turned_and_scaled():
    first, second = sample(), sample(max_angle=0, max_scale=0)
    profiles = profiles_of(first)
    own = heatmaps(np.stack([profiles[:, number, number] for number in range(4)]))
    centres = [brightest(heatmap) for heatmap in own.reshape(-1, 32, 32)]
    assert len({tuple(centre) for centre in centres}) > 4
    assert not np.array_equal(first['patches'], second['patches'])


def test_a_landmark_that_is_missing_has_no_weight():
    found = sample(visible=(1, 0, 1, 1))
    assert found['patch_weights'].diagonal(axis1=1, axis2=2).tolist() == [[1, 0, 1, 1]] * 2
    assert not found['patch_weights'][:, :, 1].any()
    assert not profiles_of(found)[:, :, 1].any()


def test_with_one_landmark_alone_the_spacing_gives_the_scale():
    np.random.seed(0)
    views = [{'resolution_mm': 0.5, 'jitter_mm': 0.0}]
    transform = SampleLandmarkPatches(ENCODER, views, max_angle=0, max_scale=0, gamma=(1, 1))
    data = Compose([BuildPyramid(), transform])(results(visible=(1, 0, 0, 0)))
    # The spot has a sigma of 3 pixels of 0.25 mm: 1.5 pixels of 0.5 mm.
    profile = data['patches'][0, 0, :, 31].astype(float)
    assert (profile > profile.max() / 2).sum() == pytest.approx(2.35 * 1.5, abs=1)


@pytest.mark.parametrize('invert_prob', [0.0, 0.5])
def test_all_at_once_they_are_what_they_are_one_by_one(invert_prob):
    """Each number drawn in the same order, each pixel the same; targets within 1e-6, which is float32."""
    found = sample(visible=(1, 1, 0, 1), invert_prob=invert_prob)
    data = results(visible=(1, 1, 0, 1))
    known = np.where(data['keypoints_visible'][0][:, None] > 0, data['keypoints'][0], np.nan)
    scale, pyramid = layout_scale(data['mean_layout_mm'], known), ImagePyramid(data['img'])
    profiles = profiles_of(found)
    np.random.seed(3)
    for n, view in enumerate(VIEWS):
        frames = []
        for point in data['keypoints'][0]:
            centre = point + np.random.normal(0, view['jitter_mm'] * scale, 2)
            step_px = scale * view['resolution_mm'] * np.exp(np.random.uniform(-np.log1p(0.12), np.log1p(0.12)))
            frames.append(PatchFrame(centre, step_px, 64, np.random.uniform(-np.radians(12), np.radians(12))))
        for k, frame in enumerate(frames):
            levels = np.linspace(0, 1, 256) ** np.exp(np.random.uniform(*np.log((0.6, 1.7))))
            if np.random.rand() < invert_prob:
                levels = 1 - levels
            patch = np.round(255 * levels).astype(np.uint8)[frame.cut(pyramid)]
            np.testing.assert_array_equal(found['patches'][n, k], patch)
            in_patch = frame.to_patch(data['keypoints'][0])
            shown = ((in_patch > -0.5) & (in_patch < 63.5)).all(axis=1) & (data['keypoints_visible'][0] > 0)
            np.testing.assert_array_equal(found['patch_weights'][n, k], shown)
            cells = np.arange(32) * 2 + 0.5
            expected = np.exp(-((cells - in_patch[..., None]) ** 2) / 8)
            expected = expected / np.maximum(expected.sum(-1, keepdims=True), 1e-300) * shown[:, None, None]
            np.testing.assert_allclose(profiles[n, k], expected, atol=1e-6)
