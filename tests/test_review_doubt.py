"""Where films begin, what is in doubt, and which film comes first."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from films import LANDMARKS, phantoms
from review_films import predicted

from cephalometric.reviewing.review_doubt import Suggestions, beginning_of, doubt_of
from cephalometric.reviewing.review_record import ReviewRecord

PHANTOM = phantoms()['film1']
SIZE = PHANTOM.image.shape[1], PHANTOM.image.shape[0]
FOUND = predicted('film', Path('film.png'), PHANTOM.points_px, SIZE)


def test_a_prediction_begins_with_its_flags_and_all_is_in_doubt_where_nothing_was_assessed():
    begun = beginning_of(LANDMARKS, FOUND, None, 1.0)
    assert np.flatnonzero(begun.doubtful).tolist() == [2, 5] and begun.marks['S'].status == 'predicted'
    assert beginning_of(LANDMARKS, replace(FOUND, flagged=None), None, 1.0).doubtful.all()


def test_labels_begin_as_they_are_and_far_ones_are_in_doubt():
    labels = PHANTOM.points_px.copy()
    labels[0] += (0, 6)  # 6 mm from the prediction, of which 1 mm is to be expected.
    labels[2] += (0, 6)  # Here 4 mm is.
    labels[3] = np.nan
    begun = beginning_of(LANDMARKS, FOUND, labels, 1.0)
    assert np.flatnonzero(begun.doubtful).tolist() == [0]
    assert begun.marks['S'].status == 'labelled' and begun.marks['Po'].status == 'not placed'
    doubt, words = doubt_of(LANDMARKS, FOUND, labels)
    assert doubt == 2 and words == 'S 6.0 mm from the prediction'


def test_films_are_ordered_by_doubt():
    clear = replace(FOUND, flagged=np.zeros(19, bool), expected_error_mm=np.full(19, 0.9))
    strange = replace(FOUND, doubtful=True, warnings=('no head',))
    numbers = [doubt_of(LANDMARKS, one, None)[0] for one in (clear, FOUND, strange)]
    assert numbers == sorted(numbers) and numbers[0] < 1 <= numbers[1]
    assert doubt_of(LANDMARKS, strange, None)[1] == 'no head'
    assert doubt_of(LANDMARKS, None, None) == (None, '')


def test_what_has_no_place_follows_what_a_person_has_placed():
    record = ReviewRecord(beginning_of(LANDMARKS, None, None, 1.0), SIZE)
    suggestions = Suggestions(LANDMARKS)
    before = suggestions.places(record, PHANTOM.image)
    assert ((before > 0) & (before < SIZE)).all()
    commands = [
        {'kind': 'move', 'landmark': LANDMARKS.abbreviations[k], 'x_px': x, 'y_px': y}
        for k, (x, y) in enumerate(PHANTOM.points_px.tolist()[:9])
    ]
    after = suggestions.places(record.followed(commands, 'x', ''), PHANTOM.image)
    errors = [np.hypot(*(places - PHANTOM.points_px).T)[9:].mean() for places in (before, after)]
    assert errors[1] < 8 < errors[0] or errors[1] < errors[0] / 2
    assert np.isnan(suggestions.places(record, np.zeros((20, 20), np.uint8))).all()
