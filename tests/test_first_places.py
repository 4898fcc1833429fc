"""The layout of a mean head: in a picture, and around what is placed."""

import numpy as np

from cephalometric.geometry import Crop
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reviewing.first_places import mean_layout, places_around, places_in_picture

LANDMARKS = load_landmark_set('isbi2015')
LAYOUT = mean_layout(LANDMARKS)


def test_a_few_placed_landmarks_bring_the_others_near():
    phantom = make_phantom(3, 0.2, LANDMARKS.name)
    for mirrored in (False, True):
        truth = phantom.points_px * (-1, 1) + (phantom.image.shape[1], 0) if mirrored else phantom.points_px
        placed = np.full_like(truth, np.nan)
        placed[[0, 1, 7]] = truth[[0, 1, 7]]
        found = places_around(LAYOUT, placed)
        errors_mm = np.hypot(*(found - truth).T) * phantom.spacing_mm
        assert np.median(errors_mm) < 7 and errors_mm.max() < 25


def test_two_points_are_enough_and_one_is_not():
    placed = np.full((len(LANDMARKS), 2), np.nan)
    placed[0] = 10, 20
    assert places_around(LAYOUT, placed) is None
    placed[1] = 110, 5
    found = places_around(LAYOUT, placed)
    np.testing.assert_allclose(found[:2], placed[:2], atol=1e-9)
    assert (found[7] > found[0]).all()  # The chin is below the sella and in front of it.
    placed[1] = placed[0]
    assert np.allclose(places_around(LAYOUT, placed), placed[0])


def test_a_head_is_put_into_the_picture():
    places = places_in_picture(LAYOUT, Crop(0, 0, 200, 240))
    assert ((places > 0) & (places < (200, 240))).all() and np.ptp(places[:, 1]) > 80


def test_landmarks_of_ones_own_have_no_place_and_known_ones_do():
    own = LandmarkSet('own', 'own', ('sella', 'thing'), ('S', 'thing'), ('a', 'b'), ())
    layout = mean_layout(own)
    assert np.isfinite(layout[0]).all() and np.isnan(layout[1]).all()
    nobody = LandmarkSet('own', 'own', ('thing',), ('thing',), ('b',), ())
    assert np.isnan(places_in_picture(mean_layout(nobody), Crop(0, 0, 20, 20))).all()
