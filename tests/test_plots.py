"""The report's figures: what they place where."""

import numpy as np
import pytest
from evaluations import make_evaluation

from cephalometric.reporting.plots import bias_plane, bias_reach_mm, box_plot, cumulative, mean_places_mm
from cephalometric.reporting.runs import Run


def test_the_mean_face_does_not_depend_on_where_faces_lie_or_on_pixels():
    random = np.random.default_rng(0)
    face_mm = random.uniform(0, 100, (5, 2))
    spacings_mm = np.array([0.1, 0.125, 0.2])
    true_px = (face_mm + random.uniform(0, 50, (3, 1, 2))) / spacings_mm[:, None, None]
    true_px[1, 3] = np.nan
    true_px[:, 4] = np.nan
    places_mm = mean_places_mm(true_px, spacings_mm)
    np.testing.assert_allclose(places_mm[:4] - places_mm[0], face_mm[:4] - face_mm[0], atol=1e-9)
    assert np.isnan(places_mm[4]).all()


def test_up_is_up_and_every_mean_shift_is_within_the_axes(tmp_path):
    runs = [Run('small', make_evaluation(tmp_path)), Run('large', make_evaluation(tmp_path, shift_mm=(-9, 2)))]
    reach_mm = bias_reach_mm(runs)
    assert 9 < reach_mm < 13
    (axes,) = bias_plane(runs[0], reach_mm).axes
    assert axes.get_xlim() == (-reach_mm, reach_mm)
    assert axes.get_ylim() == (reach_mm, -reach_mm)  # y grows downwards, as in the image.


@pytest.mark.parametrize('count', [1, 3])
def test_runs_are_told_apart_by_a_legend_only_where_there_are_several(tmp_path, count):
    runs = [Run(f'run {n}', make_evaluation(tmp_path, seed=n)) for n in range(count)]
    for figure in (box_plot(runs), cumulative(runs)):
        names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert names == ([f'run {n}' for n in range(count)] if count > 1 else [])
