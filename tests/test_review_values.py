"""The measurements of the page are those of the package, to the last digit."""

import numpy as np
from films import LANDMARKS, phantoms

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Person, load_analyses, measure
from cephalometric.reporting.number_words import with_unit
from cephalometric.reviewing.review_values import ReviewValues

PHANTOM = phantoms()['film1']
UNKNOWN, CLEAR = np.full(19, np.nan), np.zeros(19, bool)


def rows(answer):
    return {row['name']: row for group in answer['groups'] for row in group['rows']}


def test_every_value_of_every_analysis_is_that_of_measure():
    values = ReviewValues(LANDMARKS)
    expected = measure(PHANTOM.points_px, LANDMARKS, PHANTOM.spacing_mm)
    units = {one.name: one.unit for analysis in load_analyses().values() for one in analysis.measurements}
    assert next(iter(values.titles()))['name'] == 'steiner' and len(values.titles()) > 5
    for title in values.titles():
        args = (PHANTOM.points_px, PHANTOM.spacing_mm, UNKNOWN, CLEAR, Person())
        for name, row in rows(values.assessed(title['name'], *args)).items():
            assert row['value'] == with_unit(expected[name], units[name])
            assert row['definition'] and not row['flagged'] and row['error'] == ''


def test_what_is_missing_in_doubt_or_without_a_spacing_is_said():
    values = ReviewValues(LANDMARKS)
    points = PHANTOM.points_px.copy()
    points[5] = np.nan
    doubtful = CLEAR.copy()
    doubtful[1] = True
    answer = rows(values.assessed('steiner', points, None, np.full(19, 1.0), doubtful, Person('female', 14)))
    reasons = [row['why_not'] for row in answer.values()]
    assert 'no B' in reasons and 'no spacing' in reasons
    assert answer['SNA']['flagged'] and answer['SNA']['norm']


def test_own_landmarks_without_an_analysis_have_none():
    own = LandmarkSet('own', 'own', ('thing',), ('thing',), ('a',), ())
    assert ReviewValues(own).titles() == []
