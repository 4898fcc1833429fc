"""The report's sentences."""

import dataclasses

import numpy as np
import pytest
from evaluations import make_evaluation

from cephalometric.reporting.report_text import confidence_sentences, direction, subtitle, summary
from cephalometric.reporting.runs import Run
from cephalometric.statistics import Bias, check_calibration


@pytest.mark.parametrize(
    ('mean_mm', 'text'),
    [
        ((1.24, -0.3), '1.2 mm forward and 0.3 mm up'),
        ((-2.0, 0.04), '2.0 mm backward'),
        ((0.0, 0.5), '0.5 mm down'),
        ((0.01, -0.02), 'less than 0.1 mm'),
    ],
)
def test_a_shift_is_told_in_the_directions_of_the_face(mean_mm, text):
    assert direction(Bias(9, np.array(mean_mm), np.eye(2), 0.01)) == text


def test_the_summary_names_error_extremes_and_the_largest_shift(tmp_path):
    evaluation = make_evaluation(tmp_path, count=12, noise_mm=0.5, shift_mm=(3.0, 0.0))
    headline, extremes, shifts = summary([Run('run', evaluation)])
    scores = evaluation.overall()
    assert f'{scores.mre_mm:.2f} mm' in headline and f'{scores.sdr_percent[2.0]:.0f} %' in headline
    assert 'Found worst: sella' in extremes
    assert 'most of all sella: ' in shifts and 'forward' in shifts
    _, _, none = summary([Run('run', make_evaluation(tmp_path, count=3))])
    assert 'No landmark shows a systematic shift' in none and 'too few images' in none


def test_a_shift_that_is_the_same_in_every_image_is_said_to_be(tmp_path):
    *_, shifts = summary([Run('run', make_evaluation(tmp_path, count=12, noise_mm=0, shift_mm=(0.8, 0.0)))])
    assert 'most of all sella: 0.8 mm forward. 1 of them are off by the very same in every image' in shifts
    *_, shifts = summary([Run('run', make_evaluation(tmp_path, count=12, noise_mm=0.5, shift_mm=(3.0, 0.0)))])
    assert 'very same' not in shifts


def test_one_image_has_no_interval(tmp_path):
    headline, *_ = summary([Run('run', make_evaluation(tmp_path, count=1))])
    assert 'interval' not in headline and 'nan' not in headline


def test_a_run_that_errs_more_is_said_to(tmp_path):
    runs = [Run('good', make_evaluation(tmp_path, noise_mm=0.3)), Run('bad', make_evaluation(tmp_path, seed=1))]
    (sentence,) = summary(runs)
    assert sentence.startswith('bad errs by') and 'mm more than good (difference +' in sentence
    assert 'a significant difference' in sentence


def test_the_subtitle_does_without_provenance(tmp_path):
    evaluation = make_evaluation(tmp_path)
    assert subtitle([Run('a', evaluation)]) == 'a · 8 X-rays with 19 landmarks · data/test.json · 2026-01-02'
    assert subtitle([Run('a', dataclasses.replace(evaluation, provenance=None))]) == 'a · 8 X-rays with 19 landmarks'


def test_confidence_is_summed_up_run_by_run():
    judged = check_calibration(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 6.0]]))
    (alone,) = confidence_sentences([('a', judged)])
    assert alone.startswith('Expected on average: 2.00 mm; observed: 3.00 mm. Rank correlation 1.00')
    assert [text[:2] for text in confidence_sentences([('a', judged), ('b', judged)])] == ['a:', 'b:']


def test_a_large_shift_by_one_image_is_named_before_small_sure_ones(tmp_path):
    evaluation = make_evaluation(tmp_path, count=12, noise_mm=0.2, shift_mm=(0.5, 0.0))
    points_px = evaluation.points_px.copy()
    points_px[3, 9] += 80
    *_, shifts = summary([Run('run', dataclasses.replace(evaluation, points_px=points_px))])
    assert shifts.startswith('Largest mean shifts: gonion ') and '(uncertain)' in shifts
    assert 'most of all sella' in shifts
