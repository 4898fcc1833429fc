"""Doubts about what a picture shows: none about heads, whatever way and size they have; some about all else."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.calibration import fit, load_calibration, save_calibration
from cephalometric.prediction.doubt import Plausibility, assumed_plausibility, doubts, fit_plausibility

LANDMARKS = load_landmark_set('isbi2015')
SIZE = (2000, 2400)
HEAD = np.random.default_rng(0).uniform((500, 600), (1500, 1900), (19, 2))


def heads(count: int, landmarks: int = 19, seed: int = 1, variation_px: float = 40.0) -> np.ndarray:
    """Layouts that vary, turned and scaled a little, shape (count, landmarks, 2)."""
    rng = np.random.default_rng(seed)
    points = HEAD[:landmarks] + rng.normal(0, variation_px, (count, landmarks, 2))
    turned = []
    for layout in points:
        angle, scale = rng.uniform(-0.2, 0.2), rng.uniform(0.8, 1.1)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned.append((layout - 1000) @ turn.T + 1000)
    return np.array(turned)


def sure(count: int, landmarks: int = 19, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.9, 1.0, (count, landmarks))


@pytest.fixture(scope='module')
def learnt() -> Plausibility:
    return fit_plausibility(heads(60), sure(60))


@pytest.mark.parametrize('count', [1, 2, 5, 60])
def test_other_heads_are_not_doubted(count):
    plausibility = fit_plausibility(heads(count), sure(count))
    for points, scores in zip(heads(100, seed=3), sure(100, seed=4), strict=True):
        assert doubts(plausibility, points, scores, SIZE) == ()


@pytest.mark.parametrize('count', [1, 2, 5, 60])
def test_landmarks_that_lie_anywhere_are_doubted(count):
    plausibility = fit_plausibility(heads(count), sure(count))
    rng = np.random.default_rng(5)
    for _ in range(100):
        points = rng.uniform((300, 300), (1700, 2100), (19, 2))
        assert any('do not lie as' in reason for reason in doubts(plausibility, points, sure(1)[0], SIZE))


def test_landmarks_in_one_place_are_doubted(learnt):
    assert learnt.distance(np.full((19, 2), 700.0)) > learnt.most_distance


def test_a_third_of_the_landmarks_elsewhere_is_doubted(learnt):
    points = HEAD.copy()
    points[3:9] += (400, -300)
    assert len(doubts(learnt, points, sure(1)[0], SIZE)) == 1


def test_the_place_the_size_and_a_tilt_of_the_head_do_not_matter(learnt):
    turn = np.array([[0.9, -0.2], [0.2, 0.9]])
    assert learnt.distance(0.3 * HEAD @ turn.T + 77) == pytest.approx(learnt.distance(HEAD))


@pytest.mark.parametrize('flags', [(True, False, False), (False, True, True), (True, True, False)])
def test_a_film_that_lies_another_way_is_judged_the_right_way(learnt, flags):
    orientation = Orientation(*flags)
    points = orientation.turn(HEAD, *SIZE)
    assert doubts(learnt, points, sure(1)[0], SIZE, orientation) == ()
    if flags[0] != flags[1]:  # Half a turn alone does not change a layout.
        assert doubts(learnt, points, sure(1)[0], SIZE) != ()


def test_low_scores_are_doubted(learnt):
    assert any('less sure' in reason for reason in doubts(learnt, HEAD, np.full(19, 0.7), SIZE))


def test_landmarks_beyond_the_edge_are_doubted_and_counted(learnt):
    shift = HEAD.min(axis=0) + (-500.0, 40.0)
    (reason,) = doubts(learnt, HEAD - shift, sure(1)[0], SIZE)
    assert reason.startswith('1 of 19 landmarks would lie beyond its edge')


def test_a_landmark_on_the_edge_is_not_doubted(learnt):
    assert doubts(learnt, HEAD - HEAD.min(axis=0), sure(1)[0], SIZE) == ()


def test_the_validation_x_rays_themselves_are_not_doubted():
    points, scores = heads(40), sure(40)
    scores[7] = 0.5  # One that the model is unsure of.
    points[9, :5] += 250.0  # One that it gets wrong.
    plausibility = fit_plausibility(points, scores)
    assert all(doubts(plausibility, *one, SIZE) == () for one in zip(points, scores, strict=True))


@pytest.mark.parametrize('landmarks', [1, 2])
def test_few_landmarks_have_no_layout(landmarks):
    plausibility = fit_plausibility(heads(5, landmarks), sure(5, landmarks))
    assert plausibility.distance(np.array([[0.0, 0.0], [1.0, 900.0]])[:landmarks]) == 0
    assert doubts(plausibility, HEAD[:landmarks], np.full(landmarks, 0.2), SIZE) != ()


def test_without_validation_x_rays_a_mean_layout_gives_a_generous_bound():
    plausibility = assumed_plausibility((HEAD - HEAD.mean(axis=0)) / 10)
    assert all(doubts(plausibility, points, sure(1)[0], SIZE) == () for points in heads(100))
    assert plausibility.distance(HEAD[::-1]) > plausibility.most_distance


def test_without_anything_known_the_score_alone_counts():
    plausibility = assumed_plausibility()
    assert doubts(plausibility, HEAD[::-1], sure(1)[0], SIZE) == ()
    assert len(doubts(plausibility, HEAD, np.full(19, 0.6), SIZE)) == 1


def test_it_survives_json(learnt):
    again = Plausibility(**json.loads(json.dumps(asdict(learnt))))
    assert again.distance(HEAD[::-1]) == learnt.distance(HEAD[::-1])


def test_a_calibration_keeps_it(learnt, tmp_path):
    scores = sure(60)
    calibration = replace(fit(LANDMARKS.abbreviations, scores, 20 * (1 - scores)), plausibility=learnt)
    save_calibration(calibration, tmp_path / 'calibration.json', ['a'])
    assert load_calibration(tmp_path / 'calibration.json', LANDMARKS, ['a']).plausibility == learnt
