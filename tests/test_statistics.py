"""Intervals, bias, paired comparison and calibration: known values, and what holds for any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from cephalometric.statistics import (
    bias_per_landmark,
    bootstrap_mean,
    check_calibration,
    compare_landmarks,
    compare_paired,
    correct_p_values,
    cumulative_curve,
    detection_rate,
)

errors = arrays(
    float,
    array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=8),
    elements=st.one_of(st.floats(0, 50), st.just(np.nan)),
)


@settings(max_examples=40)
@given(errors)
def test_an_interval_holds_the_mean_and_stays_within_the_data(values):
    interval = bootstrap_mean(values)
    seen = values[np.isfinite(values)]
    if seen.size == 0:
        assert np.isnan([interval.estimate, interval.low, interval.high]).all()
        return
    assert interval.estimate == pytest.approx(seen.mean())
    if np.isfinite(values).any(axis=1).sum() > 1:
        assert seen.min() - 1e-9 <= interval.low <= interval.high <= seen.max() + 1e-9
    else:
        assert np.isnan(interval.low) and np.isnan(interval.high)


def test_the_interval_of_many_independent_images_is_the_normal_one():
    values = np.random.default_rng(1).normal(2, 1, 400)
    interval = bootstrap_mean(values)
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.01)
    assert bootstrap_mean(values) == interval  # The seed is fixed.


def test_images_are_resampled_and_not_landmarks():
    image_means = np.random.default_rng(1).normal(2, 1, 20)
    repeated = np.repeat(image_means[:, None], 50, axis=1)
    one, many = bootstrap_mean(image_means), bootstrap_mean(repeated)
    assert (many.low, many.high) == pytest.approx((one.low, one.high))


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(2)
    intervals = [bootstrap_mean(random.exponential(1, 40)) for _ in range(80)]
    assert 0.85 <= np.mean([interval.low <= 1 <= interval.high for interval in intervals]) <= 0.99


def test_a_detection_rate_counts_errors_up_to_the_threshold():
    rate = detection_rate(np.array([[1.0, 2.0], [2.5, np.nan]]), 2.0)
    assert rate.estimate == pytest.approx(200 / 3)
    assert (rate.low, rate.high) == (0, 100)


@given(
    st.floats(-5, 5),
    st.floats(-5, 5),
    st.floats(-5000, 5000),
    st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]),
)
def test_a_shift_that_never_varies_is_no_chance_and_is_told_from_too_few_images(dx, dy, origin, varying):
    """Errors that vary in no direction, or in one alone, as numbers far from 0 have them in their last digits."""
    truth = np.full((12, 2), origin)
    along = np.linspace(-1, 1, 12)[:, None] * np.asarray(varying, float)
    differences = (truth + along + (dx, dy)) - truth
    (bias,) = bias_per_landmark(differences[:, None])
    assert np.isfinite(bias.p_value)
    mean = np.array([dx, dy])
    across = mean if not any(varying) else mean @ [-varying[1], varying[0]] / np.hypot(*varying)
    if np.abs(across).max() > 1e-5:
        assert bias.p_value == 0
        assert bias.is_constant == (not any(varying))
    elif np.abs(mean).max() < 1e-8:
        assert bias.p_value > 0.99 and not bias.is_constant


def test_bias_tells_a_shift_from_noise():
    random = np.random.default_rng(3)
    differences_mm = random.normal(0, 1, (60, 3, 2))
    differences_mm[:, 1] += (1.0, -0.5)
    differences_mm[:, 2, 0] += 3 * random.normal(size=60)
    noise, shifted, wide = bias_per_landmark(differences_mm)
    assert shifted.p_value < 1e-4 < 0.05 < min(noise.p_value, wide.p_value)
    np.testing.assert_allclose(shifted.mean_mm, (1.0, -0.5), atol=0.4)
    scatter = wide.scatter_ellipse()
    assert scatter.semi_axes[0] > 2 * scatter.semi_axes[1]
    assert abs((scatter.angle_deg + 90) % 180 - 90) < 15


@settings(max_examples=40)
@given(angle=st.floats(0, 180), long=st.floats(1.5, 5), shift=st.floats(-3, 3))
def test_the_ellipse_follows_axes_and_angle(angle, long, shift):
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    cross = np.array([(long, 0), (-long, 0), (0, 1), (0, -1)]) @ rotation.T + shift
    (bias,) = bias_per_landmark(cross[:, None])
    ellipse = bias.scatter_ellipse()
    assert ellipse.centre == pytest.approx((shift, shift), abs=1e-9)
    assert ellipse.semi_axes[0] / ellipse.semi_axes[1] == pytest.approx(long)
    assert abs((ellipse.angle_deg - angle + 90) % 180 - 90) < 0.01


def test_the_confidence_ellipse_excludes_the_origin_exactly_when_the_test_rejects():
    random = np.random.default_rng(4)
    for shift in np.linspace(0, 1.2, 25):
        differences_mm = random.normal(0, 1, (12, 1, 2)) + (shift, 0)
        (bias,) = bias_per_landmark(differences_mm)
        ellipse = bias.confidence_ellipse()
        turn = np.radians(ellipse.angle_deg)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        origin_inside = np.hypot(*(axes @ -bias.mean_mm / ellipse.semi_axes)) < 1
        assert origin_inside == (bias.p_value > 0.05)


@pytest.mark.parametrize('count', [0, 1, 2, 3])
def test_few_images_allow_no_test(count):
    (bias,) = bias_per_landmark(np.random.default_rng(5).normal(size=(count, 1, 2)))
    assert bias.count == count and np.isnan(bias.p_value)
    assert np.isnan(bias.confidence_ellipse().angle_deg) == (count < 3)


def test_paired_differences_see_what_separate_intervals_do_not():
    random = np.random.default_rng(6)
    hard = random.exponential(2, (30, 1)) + np.zeros((30, 5))
    first = hard + random.normal(0, 0.02, hard.shape)
    second = hard - 0.1 + random.normal(0, 0.02, hard.shape)
    pair = compare_paired(first, second)
    assert pair.difference_mm.estimate == pytest.approx(-0.1, abs=0.02)
    assert pair.difference_mm.high < 0 and pair.p_value < 1e-4
    assert bootstrap_mean(first).low < bootstrap_mean(second).high


def test_the_test_is_wilcoxons_on_image_means():
    random = np.random.default_rng(7)
    first, second = random.exponential(1, (2, 15, 4))
    expected = stats.wilcoxon((second - first).mean(axis=1)).pvalue
    assert compare_paired(first, second).p_value == pytest.approx(expected)


@settings(max_examples=30)
@given(errors, st.integers(0, 2**32 - 1))
def test_swapping_the_runs_turns_the_difference_round(first, seed):
    second = np.random.default_rng(seed).permutation(first.ravel()).reshape(first.shape)
    there, back = compare_paired(first, second), compare_paired(second, first)
    assert there.difference_mm.estimate == pytest.approx(-back.difference_mm.estimate, nan_ok=True)
    assert there.p_value == pytest.approx(back.p_value, nan_ok=True)


def test_equal_runs_do_not_differ():
    pair = compare_paired(np.ones((5, 2)), np.ones((5, 2)))
    assert (pair.difference_mm.estimate, pair.p_value) == (0, 1)


def test_p_values_of_many_landmarks_are_corrected():
    assert correct_p_values([0.01, 0.04, np.nan, 0.03]) == pytest.approx([0.03, 0.04, np.nan, 0.04], nan_ok=True)
    random = np.random.default_rng(8)
    first = random.exponential(1, (40, 200))
    second = first + random.normal(0, 0.3, first.shape)
    second[:, 0] += 1
    pairs = compare_landmarks(first, second)
    assert pairs[0].p_value < 0.001
    assert sum(pair.p_value < 0.05 for pair in pairs[1:]) <= 2


@settings(max_examples=40)
@given(errors)
def test_the_cumulative_curve_ends_with_all_and_passes_the_rates(values):
    distances, percent = cumulative_curve(values)
    seen = values[np.isfinite(values)]
    assert (np.diff(distances) >= 0).all() and len(distances) == seen.size + 1
    if seen.size:
        assert percent[-1] == pytest.approx(100)
        limit = float(np.median(seen))
        at_limit = percent[np.searchsorted(distances, limit, side='right') - 1]
        assert at_limit == pytest.approx((seen <= limit).mean() * 100)


def test_honest_and_dishonest_confidence():
    random = np.random.default_rng(9)
    expected = random.uniform(0.5, 4, (30, 40))
    observed = expected * random.exponential(1, expected.shape)
    observed[0, 0] = np.nan
    honest = check_calibration(expected, observed)
    assert sum(group.count for group in honest.bins) == 30 * 40 - 1
    assert [group.expected_mm for group in honest.bins] == sorted(group.expected_mm for group in honest.bins)
    for group in honest.bins:
        assert group.observed_mm.estimate == pytest.approx(group.expected_mm, rel=0.3)
    assert honest.rank_correlation > 0.3
    assert honest.observed_mm == pytest.approx(honest.expected_mm, rel=0.1)
    shuffled = check_calibration(random.permuted(expected, axis=1), observed)
    assert abs(shuffled.rank_correlation) < 0.15
    assert np.isnan(check_calibration(np.ones((2, 2)), np.ones((2, 2))).rank_correlation)
