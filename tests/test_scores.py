"""Mean radial error and success detection rate."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.scores import THRESHOLDS_MM, score, score_per_landmark

errors = arrays.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(0, 50))


def test_hand_made_errors():
    scores = score(np.array([[1.0, 2.0], [2.5, 4.5]]))
    assert scores.as_metrics() == {
        'MRE': 2.5,
        'SDR 2.0mm': 50.0,
        'SDR 2.5mm': 75.0,
        'SDR 3.0mm': 75.0,
        'SDR 4.0mm': 75.0,
    }
    assert scores.sd_mm == pytest.approx(np.sqrt((1.5**2 + 0.5**2 + 0 + 2**2) / 4))
    assert (scores.count, scores.median_mm) == (4, 2.25)


@pytest.mark.parametrize('threshold', THRESHOLDS_MM)
def test_an_error_of_exactly_the_threshold_is_a_success(threshold):
    assert score(np.array([threshold])).sdr_percent[threshold] == 100
    assert score(np.array([np.nextafter(threshold, 9)])).sdr_percent[threshold] == 0


@given(errors)
def test_rates_grow_with_the_threshold_and_stay_percentages(errors_mm):
    rates = list(score(errors_mm).sdr_percent.values())
    assert rates == sorted(rates)
    assert min(rates) >= 0 and max(rates) <= 100


@given(errors, st.data())
def test_invisible_landmarks_do_not_count_whatever_they_hold(errors_mm, data):
    visible = data.draw(arrays.arrays(bool, errors_mm.shape))
    spoilt = np.where(visible, errors_mm, np.nan)
    assert score(spoilt, visible).count == visible.sum()
    if visible.any():
        assert score(spoilt, visible) == score(errors_mm[visible])


@given(errors)
def test_the_mean_over_landmarks_is_the_mean_over_all(errors_mm):
    per_landmark = [scores.mre_mm for scores in score_per_landmark(errors_mm)]
    assert len(per_landmark) == errors_mm.shape[1]
    assert np.mean(per_landmark) == pytest.approx(score(errors_mm).mre_mm)


def test_nothing_visible_scores_nan_and_not_zero():
    scores = score(np.array([1.0]), np.array([False]))
    assert scores.count == 0 and np.isnan(scores.mre_mm) and np.isnan(scores.sdr_percent[2.0])


def test_a_visible_error_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match='finite'):
        score(np.array([1.0, np.nan]))
