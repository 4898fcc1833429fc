"""X-rays as training reads and changes them: cached, with a part cut out, in another exposure."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cephalometric.training.transforms import LoadXray, RandomCutout, RandomExposure, WarpXray


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    limits=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(sorted),
    seed=st.integers(0, 2**32 - 1),
    channels=st.sampled_from([(), (1,), (3,)]),
)
def test_cutout_is_one_black_rectangle_of_an_allowed_size(height, width, limits, seed, channels):
    np.random.seed(seed)
    image = np.full((height, width, *channels), 7, np.uint8)
    result = RandomCutout(*limits).transform({'img': image})['img']
    assert (image == 7).all()
    assert result.shape == image.shape and result.dtype == image.dtype
    black = (result == 0).reshape(height, width, -1)
    assert (black == black[..., :1]).all()
    rows, columns = np.flatnonzero(black.any(axis=(1, 2))), np.flatnonzero(black.any(axis=(0, 2)))
    for found, length in ((rows, height), (columns, width)):
        assert max(1, np.floor(limits[0] * length)) <= len(found) <= max(1, np.ceil(limits[1] * length))
    assert black[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert black[..., 0].sum() == len(rows) * len(columns)


def test_cutout_leaves_landmarks_visible_and_other_entries_alone():
    keypoints, visible = np.full((1, 2, 2), 5.0), np.ones((1, 2))
    sample = {'img': np.ones((20, 20, 3)), 'keypoints': keypoints.copy(), 'keypoints_visible': visible.copy()}
    result = RandomCutout().transform(sample)
    np.testing.assert_array_equal(result['keypoints'], keypoints)
    np.testing.assert_array_equal(result['keypoints_visible'], visible)


def test_cutout_happens_as_often_as_asked():
    np.random.seed(0)
    images = [RandomCutout(prob=0.3).transform({'img': np.ones((20, 20))})['img'] for _ in range(1000)]
    assert 0.25 < np.mean([not image.all() for image in images]) < 0.35


def test_cutout_reaches_every_pixel():
    np.random.seed(0)
    images = [RandomCutout(0.5, 0.5).transform({'img': np.ones((6, 8))})['img'] for _ in range(500)]
    assert not np.min(images, axis=0).any()


@pytest.mark.parametrize('limits', [(0, 0.2), (0.3, 0.2), (0.1, 1.1)])
def test_cutout_refuses_impossible_sizes(limits):
    with pytest.raises(ValueError, match='min_size <= max_size'):
        RandomCutout(*limits)


def test_grey_x_rays_are_read_once_and_others_by_mmpose(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
    colour = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    paths = {name: str(tmp_path / f'{name}.png') for name in ('grey', 'colour')}
    for name, image in (('grey', grey), ('colour', colour)):
        cv2.imwrite(paths[name], image)
    load = LoadXray()
    load.share(dict.fromkeys(paths.values(), (40, 30)))
    for name, expected in (('grey', np.repeat(grey[..., None], 3, axis=2)), ('colour', colour)):
        first = load({'img_path': paths[name]})
        np.testing.assert_array_equal(first['img'], expected)
        assert first['ori_shape'] == (30, 40)
        first['img'][:] = 0
        np.testing.assert_array_equal(load({'img_path': paths[name]})['img'], expected)
    (tmp_path / 'grey.png').unlink()
    assert load({'img_path': paths['grey']})['img'].shape == (30, 40, 3)


def test_unchanged_a_grey_x_ray_has_no_channels_and_a_colour_image_has_three(tmp_path):
    grey, colour = (
        np.full((30, 40), 9, np.uint8),
        np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8),
    )
    load = LoadXray(color_type='unchanged')
    for image in (grey, colour):
        cv2.imwrite(str(tmp_path / 'x.png'), image)
        np.testing.assert_array_equal(load({'img_path': str(tmp_path / 'x.png')})['img'], image)


def test_the_memory_for_x_rays_is_limited(tmp_path):
    path = str(tmp_path / 'x.png')
    cv2.imwrite(path, np.full((1100, 1000), 7, np.uint8))
    load = LoadXray(cache_mb=1)
    load.share({path: (1000, 1100)})
    assert load({'img_path': path})['img'].shape == (1100, 1000, 3)
    assert len(load.shared) == 0


@pytest.mark.parametrize('use_udp', [False, True])
def test_a_grey_x_ray_is_warped_as_its_three_channels_are(use_udp):
    grey = np.random.default_rng(0).integers(0, 256, (90, 70), dtype=np.uint8)
    box = {
        'bbox_center': np.array([[33.0, 44]]),
        'bbox_scale': np.array([[70.0, 90]]),
        'bbox_rotation': np.array([8.0]),
    }
    warp = WarpXray(input_size=(32, 48), use_udp=use_udp)
    one = warp({'img': grey, **{name: value.copy() for name, value in box.items()}})['img']
    np.testing.assert_array_equal(one, warp({'img': cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), **box})['img'])
    assert one.shape == (48, 32, 3)


IMAGES = arrays(np.uint8, array_shapes(max_dims=3, max_side=12))
GAMMAS = st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)).map(sorted)


@given(IMAGES, GAMMAS, st.integers(0, 2**32 - 1))
def test_black_stays_black_white_stays_white_and_the_order_between_them(image, gamma, seed):
    np.random.seed(seed)
    shown = RandomExposure(gamma).expose(image)
    assert shown.shape == image.shape and shown.dtype == np.uint8
    assert (shown[image == 0] == 0).all() and (shown[image == 255] == 255).all()
    order = np.argsort(image, axis=None)
    assert (np.diff(shown.ravel()[order].astype(int)) >= 0).all()


@given(IMAGES, GAMMAS, st.integers(0, 2**32 - 1))
def test_a_negative_is_the_same_exposure_turned_round(image, gamma, seed):
    np.random.seed(seed)
    shown = RandomExposure(gamma).expose(image)
    np.random.seed(seed)
    negative = RandomExposure(gamma, invert_prob=1).expose(image)
    assert np.abs(255 - shown.astype(int) - negative).max(initial=0) <= 1  # a half is rounded to even on both ways


def test_exposures_are_as_often_brighter_as_darker_and_within_the_limits():
    grey = np.full((1, 1), 100, np.uint8)
    np.random.seed(0)
    shown = np.array([RandomExposure((0.5, 2)).expose(grey)[0, 0] for _ in range(400)])
    assert 160 <= (shown > 100).sum() <= 240
    darkest, brightest = (255 * (100 / 255) ** exponent for exponent in (2, 0.5))
    assert darkest - 1 <= shown.min() < darkest + 5 and brightest - 5 < shown.max() <= brightest + 1


def test_it_changes_the_image_of_a_sample_and_nothing_else():
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    results = RandomExposure((2, 2)).transform({'img': image.copy(), 'keypoints': 'as they were'})
    np.testing.assert_array_equal(results['img'], np.round(255 * (image / 255) ** 2).astype(np.uint8))
    assert results['keypoints'] == 'as they were'


@pytest.mark.parametrize('gamma', [(0, 1), (2, 1), (-1, 1)])
def test_impossible_exponents_are_refused(gamma):
    with pytest.raises(ValueError, match='positive'):
        RandomExposure(gamma)


def test_a_folder_whose_name_is_not_utf_8_is_read(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    folder = os.path.join(os.fsencode(tmp_path), b'f\xfcr')
    os.mkdir(folder)
    with open(os.path.join(folder, b'1.png'), 'wb') as file:
        file.write(cv2.imencode('.png', grey)[1].tobytes())
    path = os.fsdecode(os.path.join(folder, b'1.png'))
    for _ in range(2):
        image = LoadXray().transform({'img_path': path})['img']
        assert (image == grey[..., None]).all()
