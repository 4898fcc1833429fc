"""The three transforms of Albumentations that RTMPose's recipes use."""

import numpy as np
import pytest

from cephalometric.training.albumentation import Albumentation

DROP = {'type': 'CoarseDropout', 'max_holes': 1, 'min_holes': 1, 'p': 1.0}
SIZES = {'max_height': 0.2, 'max_width': 0.2, 'min_height': 0.1, 'min_width': 0.1}


def noise():
    return np.random.default_rng(0).integers(1, 256, (100, 80, 3), np.uint8)


@pytest.mark.parametrize('name', ['Blur', 'MedianBlur'])
def test_a_blurred_image_is_smoother_and_as_bright(name):
    image = noise()
    blurred = Albumentation([{'type': name, 'blur_limit': 5, 'p': 1.0}]).transform({'img': image.copy()})['img']
    assert blurred.shape == image.shape and blurred.std() < 0.6 * image.std()
    assert abs(float(blurred.mean()) - float(image.mean())) < 3


def test_one_rectangle_is_left_out():
    np.random.seed(0)
    rows, columns = np.nonzero(~Albumentation([DROP | SIZES]).transform({'img': noise()})['img'].any(axis=2))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 10 <= height <= 20 and 8 <= width <= 16 and len(rows) == height * width


def test_what_is_unlikely_is_not_done():
    image = noise()
    steps = [{'type': 'Blur', 'p': 0.0}, DROP | SIZES | {'p': 0.0}]
    assert np.array_equal(Albumentation(steps).transform({'img': image.copy()})['img'], image)


@pytest.mark.parametrize(
    'said',
    [
        {'type': 'ElasticTransform'},
        {'type': 'Blur', 'always_apply': True},
        {'type': 'CoarseDropout', 'max_holes': 8},
        DROP,
        DROP | SIZES | {'max_width': 0.3},
        DROP | SIZES | {'fill_value': 9},
    ],
)
def test_all_else_needs_the_library_and_says_so(said):
    with pytest.raises(ValueError, match='albumentations'):
        Albumentation([said])
