"""Expected errors: honest on images that were not learnt from, monotone, safe beyond what was seen."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.calibration import (
    NOTHING_SEEN_MM,
    fit,
    load_calibration,
    reliability,
    save_calibration,
)

LANDMARKS = load_landmark_set('isbi2015')
NAMES = LANDMARKS.abbreviations


def simulate(images, seed, ensemble=False):
    """Errors whose true mean falls with the score, differs between landmarks and grows with the spread."""
    random = np.random.default_rng(seed)
    scores = random.uniform(0.4, 1, (images, len(NAMES)))
    mean_mm = (4.5 - 4 * scores) * np.linspace(0.5, 2, len(NAMES))
    spread_mm = random.gamma(4, 0.25, scores.shape) if ensemble else None
    mean_mm = mean_mm * spread_mm if ensemble else mean_mm
    errors_mm = np.hypot(*random.normal(0, 1, (2, *scores.shape))) * mean_mm / np.sqrt(np.pi / 2)
    return scores, errors_mm, spread_mm, mean_mm


@pytest.mark.parametrize('images, tolerance', [(20, 0.3), (150, 0.15)])
def test_expected_is_observed_on_other_images(images, tolerance):
    calibration = fit(NAMES, *simulate(images, seed=1)[:2])
    scores, errors_mm, _, mean_mm = simulate(2000, seed=2)
    found = reliability(calibration.expected_error_mm(scores), errors_mm)
    np.testing.assert_allclose(found.expected_mm, found.observed_mm, rtol=tolerance)
    assert found.observed_mm[-1] > 3 * found.observed_mm[0]
    assert np.corrcoef(calibration.expected_error_mm(scores).ravel(), mean_mm.ravel())[0, 1] > 0.9


def test_cross_validation_tells_the_same_as_new_images():
    calibration = fit(NAMES, *simulate(60, seed=3)[:2])
    found = calibration.held_out
    assert sum(found.count) == 60 * len(NAMES)
    np.testing.assert_allclose(found.expected_mm, found.observed_mm, rtol=0.3)


def test_cross_validation_sees_through_scores_that_say_nothing():
    random = np.random.default_rng(4)
    scores = random.uniform(0, 1, (20, len(NAMES)))
    errors_mm = random.exponential(2, scores.shape)
    expected = fit(NAMES, scores, errors_mm).held_out.expected_mm
    assert expected[-2] < 2 * expected[0]


def test_the_spread_of_an_ensemble_makes_it_sharper():
    scores, errors_mm, spread_mm, _ = simulate(60, seed=5, ensemble=True)
    calibration = fit(NAMES, scores, errors_mm, spread_mm)
    scores, errors_mm, spread_mm, mean_mm = simulate(2000, seed=6, ensemble=True)
    with_it, without = calibration.expected_error_mm(scores, spread_mm), calibration.expected_error_mm(scores)
    correlations = [np.corrcoef(expected.ravel(), mean_mm.ravel())[0, 1] for expected in (with_it, without)]
    assert correlations[0] > 0.9 > correlations[1]
    assert without.mean() == pytest.approx(errors_mm.mean(), rel=0.1)
    assert with_it.mean() == pytest.approx(errors_mm.mean(), rel=0.1)


@settings(max_examples=50)
@given(st.integers(1, 12), st.integers(0, 10**6), st.booleans())
def test_it_falls_with_the_score_and_rises_with_the_spread(images, seed, ensemble):
    random = np.random.default_rng(seed)
    scores = np.round(random.uniform(0, 1, (images, 3)), random.integers(1, 4))
    errors_mm = np.where(random.random(scores.shape) < 0.2, np.nan, random.exponential(2, scores.shape))
    errors_mm[0, 0] = 1.0
    spread_mm = np.round(random.exponential(1, scores.shape), 1) if ensemble else None
    calibration = fit('abc', scores, errors_mm, spread_mm)
    steps = np.linspace(0, 1, 101)[:, None] * np.ones(3)
    by_score = calibration.expected_error_mm(steps)
    assert np.isfinite(by_score).all() and (by_score >= 0).all()
    assert (np.diff(by_score, axis=0) <= 1e-9).all()
    if ensemble:
        by_spread = calibration.expected_error_mm(np.full((101, 3), 0.5), steps * 20)
        assert np.isfinite(by_spread).all() and (np.diff(by_spread, axis=0) >= -1e-9).all()


def test_scores_below_all_that_were_seen_are_never_trusted():
    calibration = fit(NAMES, *simulate(20, seed=7)[:2])
    nothing, low, seen = (calibration.expected_error_mm(np.full(len(NAMES), score)) for score in (0, 0.2, 0.4))
    np.testing.assert_allclose(nothing, NOTHING_SEEN_MM * np.array(calibration.landmark_factors))
    assert (low > 3 * seen).all()


def test_one_image_suffices_and_gives_no_cross_validation():
    calibration = fit(NAMES, *simulate(1, seed=8)[:2])
    assert calibration.held_out is None
    assert max(calibration.landmark_factors) < 1.5


def test_equal_scores_and_equal_spreads_do_not_depend_on_the_order_of_the_images():
    scores, errors_mm, _, _ = simulate(40, seed=12)
    scores[:, ::2] = 1.0
    errors_mm[:20] *= 3
    calibration = fit(NAMES, scores, errors_mm, np.zeros_like(scores))
    expected = calibration.expected_error_mm(scores, np.zeros_like(scores))
    assert expected.mean() == pytest.approx(errors_mm.mean(), rel=0.02)
    assert expected[:, ::2].mean() == pytest.approx(errors_mm[:, ::2].mean(), rel=0.05)


def test_a_perfect_model_is_expected_to_be_perfect():
    ones = np.ones((4, len(NAMES)))
    calibration = fit(NAMES, ones, 0 * ones, 0 * ones)
    assert calibration.expected_error_mm(ones, 0 * ones).max() == 0


def test_landmarks_without_truth_do_not_count_and_none_at_all_is_refused():
    scores, errors_mm, _, _ = simulate(20, seed=9)
    errors_mm[:, 3] = np.nan
    calibration = fit(NAMES, scores, errors_mm)
    assert calibration.landmark_factors[3] == pytest.approx(1)
    with pytest.raises(InputError, match='no labelled landmark'):
        fit(NAMES, scores, np.full_like(errors_mm, np.nan))


def test_reliability_is_by_rising_expectation():
    expected = np.repeat([[4.0, 1.0], [2.0, np.nan]], 10, axis=0)
    observed = np.repeat([[5.0, 1.5], [2.5, 9.0]], 10, axis=0)
    found = reliability(expected, observed, bins=3)
    assert (found.expected_mm, found.observed_mm, found.count) == ([1, 2, 4], [1.5, 2.5, 5], [10, 10, 10])


@pytest.fixture
def saved(tmp_path):
    scores, errors_mm, spread_mm, _ = simulate(20, seed=10, ensemble=True)
    calibration = fit(NAMES, scores, errors_mm, spread_mm)
    save_calibration(calibration, tmp_path / 'calibration.json', ['b', 'a'])
    return tmp_path / 'calibration.json', calibration


def test_it_comes_back_the_same_whatever_the_order_of_the_models(saved):
    path, calibration = saved
    again = load_calibration(path, LANDMARKS, ['a', 'b'])
    scores, _, spread_mm, _ = simulate(5, seed=11, ensemble=True)
    np.testing.assert_array_equal(
        again.expected_error_mm(scores, spread_mm), calibration.expected_error_mm(scores, spread_mm)
    )
    assert again.held_out == calibration.held_out and again.usual_score == calibration.usual_score


def test_other_weights_and_other_landmarks_are_refused(saved):
    path, _ = saved
    with pytest.raises(InputError, match='19 other landmarks than the 38'):
        load_calibration(path, load_landmark_set('cldetection2023'), ['a', 'b'])
    for others in (['a'], ['a', 'c'], ['a', 'b', 'c']):
        with pytest.raises(InputError, match=f'{path.name} was made for other models'):
            load_calibration(path, LANDMARKS, others)


@pytest.mark.parametrize(
    'change',
    [
        lambda content: content.pop('score_knots'),
        lambda content: content.update(format='something else'),
        lambda content: content.update(error_knots_mm=[1, 2]),
        lambda content: content.update(landmark_factors=['a'] * len(NAMES)),
        lambda content: content.update(held_out=3),
        lambda content: content.update(more=3),
    ],
)
def test_a_damaged_file_is_refused(saved, change):
    path, _ = saved
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match='not a calibration'):
        load_calibration(path, LANDMARKS, ['a', 'b'])
