"""The report's figures: what they place where."""

import dataclasses

import pytest
from evaluations import make_evaluation

from cephalometric.reporting.plots import box_plot, cumulative
from cephalometric.reporting.runs import Run


@pytest.mark.parametrize('count', [1, 3])
def test_runs_are_told_apart_by_a_legend_only_where_there_are_several(tmp_path, count):
    runs = [Run(f'run {n}', make_evaluation(tmp_path, seed=n)) for n in range(count)]
    for figure in (box_plot(runs), cumulative(runs)):
        names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert names == ([f'run {n}' for n in range(count)] if count > 1 else [])


def test_what_is_lost_altogether_does_not_squeeze_the_boxes(tmp_path):
    evaluation = make_evaluation(tmp_path)
    points_px = evaluation.points_px.copy()
    points_px[0, 3] += 150
    lost = dataclasses.replace(evaluation, points_px=points_px)
    (axes,) = box_plot([Run('run', lost)]).axes
    assert axes.get_xlim()[1] < 20
    words = [text.get_text() for text in axes.texts]
    assert words == [f'{lost.errors_mm[0, 3]:.0f}']
