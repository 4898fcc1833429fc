"""The table of an analysis on paper: norms in short, deviations as bars."""

from dataclasses import replace

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import AssessedAnalysis, AssessedGroup, analyses_for, assess
from cephalometric.measurements.norms import NOT_TRACED
from cephalometric.phantom.rendering import make_phantom
from cephalometric.reporting.paper import Paper, to_pixels
from cephalometric.reporting.value_table import draw_value_table, norm_words

LANDMARKS = load_landmark_set('cldetection2023')
PHANTOM = make_phantom(5, 0.25)
STEINER = assess(PHANTOM.points_px, LANDMARKS, PHANTOM.spacing_mm, analyses_for(LANDMARKS)['steiner'])
SNA = next(value for value in STEINER.values if value.measurement.name == 'SNA')


def bars(*deviations):
    """The dark-grey pixels of each row's bar, as distances from the middle in pixels."""
    values = tuple(replace(SNA, deviation_sd=deviation) for deviation in deviations)
    paper = Paper(200, 60)
    draw_value_table(paper, 10, 190, 5, 8, AssessedAnalysis(STEINER.analysis, (AssessedGroup('all', values),)))
    picture = to_pixels(paper.pdf(), 4.0)
    is_bar = np.abs(picture.astype(int) - (194, 184, 184)).max(axis=2) < 6
    scale = picture.shape[1] / 200
    top = 5 + 8 * 1.6
    found = []
    for row in range(len(values)):
        inside = is_bar[int((top + 8 * row) * scale) : int((top + 8 * row + 8) * scale)]
        columns = np.flatnonzero(inside.sum(axis=0) > 25)  # Edges of letters are lower.
        found.append((columns.min(), columns.max()) if len(columns) else None)
    return found


def test_bars_go_to_the_side_of_the_deviation_and_grow_with_it():
    above, more, below = bars(1.0, 2.0, -2.0)
    assert more[1] > above[1] and below[0] < above[0]
    middle = above[0]
    assert abs((more[1] - middle) - 2 * (above[1] - middle)) < 8
    assert abs((middle - below[0]) - (more[1] - middle)) < 12


def test_a_bar_ends_at_three_standard_deviations_and_nothing_is_drawn_without_one():
    three, ten, none = bars(3.0, 10.0, None)
    assert abs(three[1] - ten[1]) < 8 and none is None


def test_a_norm_that_no_source_gives_is_marked():
    assert norm_words(replace(SNA, norm=replace(SNA.norm, confidence=NOT_TRACED))).endswith(' †')
    assert '†' not in norm_words(SNA)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'norm': None}, '–'),
        ({'mean': 82.0, 'norm': {'sd': 3.9, 'range': None}}, '82 ± 3.9'),
        ({'mean': 32.25, 'norm': {'sd': None, 'range': None}}, '32.2'),
        ({'mean': 2.0, 'norm': {'sd': None, 'range': (0.0, 4.0)}}, '0 to 4'),
        ({'mean': -4.0, 'norm': {'sd': 2.0, 'range': None}}, '−4 ± 2'),
    ],
)
def test_norms_are_written_as_people_do(changes, words):
    norm = changes.pop('norm')
    norm = None if norm is None else replace(SNA.norm, **norm)
    assert norm_words(replace(SNA, norm=norm, **changes)) == words
