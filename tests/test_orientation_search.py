"""Films that lie the wrong way: turned and back, and recognised by the score."""

from dataclasses import dataclass

import numpy as np
import pytest

from cephalometric.api import load_model
from cephalometric.geometry import Orientation, turn_xray
from cephalometric.phantom.rendering import make_phantom
from cephalometric.prediction.orientation_search import OTHERS, UPRIGHT, is_unsure, predict_any_way

EVERY_WAY = (UPRIGHT, *OTHERS)


@dataclass(frozen=True)
class Found:
    points_px: np.ndarray
    scores: np.ndarray
    blank: bool = False


class BrightSpots:
    """Finds the brightest pixel, and is sure of itself when it is bright on dark in the lower right quarter."""

    calls = 0

    def predict_batch(self, images):
        self.calls += len(images)
        return [self.predict(image) for image in images]

    def predict(self, image):
        height, width = image.shape
        y, x = np.unravel_index(int(image.argmax()), image.shape)
        right_way = x > width / 2 and y > height / 2 and np.median(image) < 128
        return Found(np.array([[x, y]], float), np.array([0.95 if right_way else 0.4]), not image.any())


def film(orientation, padding=(0, 0)):
    """A dark film with one bright pixel, lying as given, and where that pixel is."""
    image = np.full((40, 30), 20, np.uint8)
    image[29, 21] = 250
    if orientation.inverted:
        image = 255 - image
    rows, columns = (slice(None, None, -1 if flag else 1) for flag in (orientation.upside_down, orientation.mirrored))
    image = image[rows, columns]
    y, x = np.unravel_index(int(np.abs(image.astype(int) - int(image[0, 0])).argmax()), image.shape)
    return np.pad(image, ((0, padding[0]), (0, padding[1]))), (x, y)


@pytest.mark.parametrize('padding', [(0, 0), (7, 11)])
@pytest.mark.parametrize('orientation', EVERY_WAY, ids=str)
def test_every_way_is_recognised_and_points_are_in_the_film_as_it_is(orientation, padding):
    image, true_px = film(orientation, padding)
    ((prediction, found),) = predict_any_way(BrightSpots(), [image])
    assert found == orientation
    np.testing.assert_array_equal(prediction.points_px, [true_px])


@pytest.mark.parametrize('orientation', EVERY_WAY, ids=str)
def test_a_turned_film_is_the_film_the_right_way_and_points_come_back(orientation):
    right, _ = film(UPRIGHT)
    image, true_px = film(orientation, padding=(5, 3))
    turned = turn_xray(image, orientation)
    np.testing.assert_array_equal(turned.image, right)
    np.testing.assert_array_equal(turned.to_original(np.array([[21.0, 29.0]])), [true_px])


def test_padding_that_was_inverted_with_the_film_goes_too():
    image, true_px = film(Orientation(mirrored=True), padding=(4, 6))
    turned = turn_xray(255 - image, Orientation(mirrored=True, inverted=True))
    assert turned.image.shape == (40, 30)
    np.testing.assert_array_equal(turned.to_original(np.array([[21.0, 29.0]])), [true_px])


def test_a_film_with_a_usual_score_is_predicted_once():
    predictor = BrightSpots()
    predict_any_way(predictor, [film(UPRIGHT)[0]] * 3)
    assert predictor.calls == 3


@pytest.mark.parametrize(
    'as_it_is, best, usual',
    [(0.5, 0.6, 0.6), (0.4, 0.7, 0.95), (0.05, 0.2, 0.95)],
    ids=['hardly better', 'poor', 'dark'],
)
def test_a_film_that_scores_badly_every_way_is_left_as_it_is(as_it_is, best, usual):
    class Doubtful(BrightSpots):
        def predict(self, image):
            found = super().predict(image)
            return Found(found.points_px, np.array([best if found.scores[0] > 0.5 else as_it_is]))

    image, _ = film(Orientation(mirrored=True))
    ((prediction, orientation),) = predict_any_way(Doubtful(), [image], usual)
    assert orientation == UPRIGHT
    assert prediction.scores[0] == as_it_is
    assert is_unsure(prediction, usual)


def test_a_blank_film_is_not_turned():
    predictor = BrightSpots()
    ((prediction, orientation),) = predict_any_way(predictor, [np.zeros((9, 9), np.uint8)])
    assert prediction.blank and orientation == UPRIGHT and predictor.calls == 1


@pytest.fixture(scope='module')
def shipped():
    """The model that ships, which was trained on true X-rays."""
    return load_model('isbi2015')


@pytest.fixture(scope='module')
def xray():
    return make_phantom(1, 0.5).image


def lying(image, orientation):
    """A whole X-ray as it lies that way."""
    image = 255 - image if orientation.inverted else image
    return np.ascontiguousarray(image[:: -1 if orientation.upside_down else 1, :: -1 if orientation.mirrored else 1])


@pytest.mark.parametrize('orientation', EVERY_WAY, ids=str)
def test_a_trained_model_is_unsure_of_an_x_ray_that_lies_another_way_and_sure_of_it_when_it_is_turned(
    shipped, xray, orientation
):
    """What the search rests on: were the scores of a trained model alike all ways, it would find none of them."""
    (upright,) = shipped.answers([xray], [None], upright=True)
    (answer,) = shipped.answers([lying(xray, orientation)], [None])
    assert answer.orientation == orientation
    height, width = xray.shape[:2]
    expected = upright.points_px.copy()
    if orientation.mirrored:
        expected[:, 0] = width - 1 - expected[:, 0]
    if orientation.upside_down:
        expected[:, 1] = height - 1 - expected[:, 1]
    np.testing.assert_allclose(answer.points_px, expected, atol=1e-3)
    (plain,) = shipped.answers([lying(xray, orientation)], [None], upright=True)
    if orientation == UPRIGHT:
        np.testing.assert_array_equal(plain.points_px, answer.points_px)
    else:
        assert plain.scores.mean() < 0.8 * answer.scores.mean()


def test_it_says_how_a_film_lies():
    assert str(Orientation(mirrored=True, inverted=True)) == 'mirrored (facing left) and inverted (dark bone)'
    assert str(Orientation(mirrored=True, upside_down=True)) == 'turned by 180 degrees'
    assert str(UPRIGHT) == 'the right way' and not UPRIGHT.turned
