import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cephalometric.training.exposure import RandomExposure

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
