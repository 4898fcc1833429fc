"""The one predictor: original pixels, whatever the padding, the colours and what computes the networks."""

import cv2
import numpy as np
import pytest

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.predictor import Member, Predictor
from cephalometric.prediction.stages import CoarseStage

LANDMARKS = load_landmark_set('isbi2015')
COARSE = CoarseStage((64, 64), 1.0, True, {'kind': 'heatmaps', 'blur_kernel_size': 3})


class Brightness:
    """A network whose heatmaps are the brightness of its input, the same for all landmarks."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def coarse(self, images):
        heat = np.stack([cv2.resize(image[0].astype(np.float32) / 255, (32, 32)) for image in images])
        return (np.repeat(heat[:, None], len(LANDMARKS), axis=1) * self.factor,)


def predictor(*networks):
    return Predictor([Member('test', network, COARSE) for network in networks], LANDMARKS)


def spot(centre, shape=(300, 300)):
    image = np.ones(shape, np.uint8)
    cv2.circle(image, centre, 25, 255, -1)
    return cv2.GaussianBlur(image, (0, 0), 12)


@pytest.mark.parametrize('centre', [(100, 80), (180, 230), (40, 200)])
@pytest.mark.parametrize('shape', [(300, 300), (240, 400), (400, 240)])
def test_the_coordinates_are_those_of_the_image(centre, shape):
    points_px = predictor(Brightness()).predict(spot(centre, shape)).points_px
    np.testing.assert_allclose(points_px, np.broadcast_to(centre, points_px.shape), atol=max(shape) / 32 / 2)


def test_padding_and_equal_channels_change_nothing():
    image = spot((100, 80))
    padded = np.zeros((330, 370, 3), np.uint8)
    padded[:300, :300] = image[..., None]
    expected = predictor(Brightness()).predict(image).points_px
    np.testing.assert_array_equal(predictor(Brightness()).predict(padded).points_px, expected)


def test_a_batch_gives_what_single_images_give():
    images = [spot((100, 80)), np.zeros((300, 300), np.uint8), spot((40, 60), (200, 200))]
    one = predictor(Brightness())
    together = one.predict_batch(images)
    assert [prediction.blank for prediction in together] == [False, True, False]
    for image, prediction in zip(images, together, strict=True):
        np.testing.assert_array_equal(prediction.points_px, one.predict(image).points_px)


def test_a_blank_image_is_answered_with_its_centre_and_no_confidence():
    prediction = predictor(Brightness()).predict(np.zeros((40, 61), np.uint8))
    assert prediction.blank and not prediction.scores.any()
    assert (prediction.points_px == (30, 19.5)).all()


@pytest.mark.parametrize('image', [np.ones((4, 5)), np.ones((4, 5, 2), np.uint8), np.ones(4, np.uint8)])
def test_other_arrays_are_refused(image):
    with pytest.raises(ValueError, match='uint8'):
        predictor(Brightness()).predict(image)


@pytest.mark.parametrize('height, width', [(1, 1), (1, 7), (9, 1), (3, 2)])
def test_tiny_images_are_answered(height, width):
    prediction = predictor(Brightness()).predict(np.full((height, width), 9, np.uint8))
    assert np.isfinite(prediction.points_px).all()


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_networks_that_put_out_no_numbers_are_refused_in_an_ensemble_too(bad):
    with pytest.raises(InputError, match=r'not a number.*train it again'):
        predictor(Brightness(), Brightness(bad)).predict(spot((100, 80)))
