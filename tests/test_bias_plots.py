"""The figures of systematic shifts: what they place where."""

import dataclasses

import numpy as np
from evaluations import make_evaluation
from matplotlib.patches import Ellipse

from cephalometric.reporting.bias_plots import bias_plane, bias_reach_mm, mean_places_mm
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


def test_up_is_up_and_every_usual_shift_is_within_the_axes(tmp_path):
    evaluation = make_evaluation(tmp_path)
    moved = dataclasses.replace(evaluation, points_px=evaluation.points_px - 9)
    runs = [Run('small', evaluation), Run('large', moved)]
    reach_mm = bias_reach_mm(runs)
    assert 7 < reach_mm < 13
    (axes,) = bias_plane(runs[0], reach_mm).axes
    assert axes.get_xlim() == (-reach_mm, reach_mm)
    assert axes.get_ylim() == (reach_mm, -reach_mm)  # y grows downwards, as in the image.


def test_one_outlier_hides_no_other_landmark(tmp_path):
    evaluation = make_evaluation(tmp_path, noise_mm=0.5)
    points_px = evaluation.points_px.copy()
    points_px[0, 3] += 200  # In one image alone: a large mean shift in a huge ellipse.
    run = Run('run', dataclasses.replace(evaluation, points_px=points_px))
    reach_mm = bias_reach_mm([run])
    assert reach_mm < 2
    (axes,) = bias_plane(run, reach_mm).axes
    assert all(max(patch.width, patch.height) <= reach_mm for patch in axes.patches if isinstance(patch, Ellipse))
    name = evaluation.landmarks.abbreviations[3]
    (label,) = (text for text in axes.texts if text.get_text().startswith(f'{name} ') and 'mm' in text.get_text())
    assert np.abs(label.xy).max() < reach_mm  # At the edge, with its length.
