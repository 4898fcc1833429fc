"""The report's tables: the right numbers under the right headings, and in the right order."""

import dataclasses

import numpy as np
import pytest
from evaluations import LANDMARKS, make_evaluation

from cephalometric.reporting import report_tables
from cephalometric.reporting.report_columns import number_of
from cephalometric.reporting.runs import Run
from cephalometric.statistics import Interval


@pytest.fixture
def runs(tmp_path):
    return [
        Run('first', make_evaluation(tmp_path, seed=1)),
        Run('second', make_evaluation(tmp_path, seed=2, noise_mm=0.5)),
    ]


def column(table, title):
    (position,) = (k for k, one in enumerate(table.columns) if one.full_title == title)
    return [row[position] for row in table.rows]


def test_every_row_has_a_cell_for_every_column(runs):
    for make in (
        report_tables.headline,
        report_tables.per_landmark,
        report_tables.bias,
        report_tables.per_image,
        report_tables.per_source,
    ):
        table = make(runs)
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}, make
        titles = [one.full_title for one in table.columns]
        assert len(set(titles)) == len(titles)
        for row in table.rows:
            for one, cell in zip(table.columns, row, strict=True):
                assert isinstance(cell, Interval) == one.interval, (make, one)


def test_landmarks_have_their_scores(runs):
    evaluation = runs[0].evaluation
    table = report_tables.per_landmark(runs[:1])
    scores = evaluation.per_landmark()
    assert column(table, 'landmark') == list(LANDMARKS.abbreviations)
    assert column(table, 'images') == [one.count for one in scores] and scores[5].count == 7
    assert [cell.estimate for cell in column(table, 'MRE (mm)')] == pytest.approx([one.mre_mm for one in scores])
    assert column(table, 'SDR 2.5 mm (%)') == [one.sdr_percent[2.5] for one in scores]


def test_later_runs_are_compared_with_the_first(runs):
    first, second = (run.evaluation for run in runs)
    alone, row = report_tables.headline(runs).rows
    assert row[0] == 'second' and row[2] < 0.05 and np.isnan(alone[1].estimate) and np.isnan(alone[2])
    assert row[1].estimate == pytest.approx(second.overall().mre_mm - first.overall().mre_mm)
    table = report_tables.per_landmark(runs)
    differences = column(table, 'second: difference (mm)')
    expected = np.nanmean(second.errors_mm - first.errors_mm, axis=0)
    assert [cell.estimate for cell in differences] == pytest.approx(expected)


def test_a_shift_is_called_systematic(tmp_path):
    table = report_tables.bias([Run('run', make_evaluation(tmp_path, count=20, noise_mm=0.5, shift_mm=(2.0, -1.0)))])
    assert column(table, 'verdict')[0] == 'large, systematic'
    assert [word.endswith('systematic') for word in column(table, 'verdict')].count(True) <= 2
    assert column(table, 'dx (mm)')[0] == pytest.approx(2, abs=0.4)
    assert column(table, 'dy (mm)')[0] == pytest.approx(-1, abs=0.4)


def test_the_same_shift_in_every_image_is_called_constant_and_not_too_few_images(tmp_path):
    def verdicts(count):
        shifted = make_evaluation(tmp_path, count=count, noise_mm=0, shift_mm=(0.8, 0.0))
        return column(report_tables.bias([Run('run', shifted)]), 'verdict')

    assert verdicts(12)[:2] == ['small, constant shift', 'small, uncertain']
    assert verdicts(3)[:2] == ['small, too few images'] * 2


def test_images_are_grouped_by_source(runs):
    table = report_tables.per_source(runs[:1])
    assert column(table, 'spacing and size') == ['0.8 mm, 240 × 300', '1 mm, 200 × 250']
    assert column(table, 'images') == [4, 4]
    errors_mm = runs[0].evaluation.errors_mm
    assert column(table, 'MRE (mm)')[0].estimate == pytest.approx(np.nanmean(errors_mm[::2]))


def test_images_name_their_worst_landmark(runs):
    evaluation = runs[0].evaluation
    table = report_tables.per_image(runs[:1])
    worst = np.nanargmax(evaluation.errors_mm, axis=1)
    assert column(table, 'worst landmark') == [LANDMARKS.abbreviations[k] for k in worst]
    assert column(table, 'its error (mm)') == pytest.approx(np.nanmax(evaluation.errors_mm, axis=1))


def test_a_comparison_has_names_once_and_differences_first(runs):
    for make in (report_tables.per_landmark, report_tables.bias, report_tables.per_image, report_tables.per_source):
        table = make([*runs, Run('third', runs[0].evaluation)])
        assert [run for run, _ in table.headings] == ['', 'second', 'third', 'first']
        shown = [table.columns[place] for place in table.shown]
        for name in ('second', 'third'):
            assert next(one for one in shown if one.run == name).is_change
        assert not any(one.is_change for one in shown if one.run == 'first')
        assert all(
            value == 0 for value in map(number_of, column(table, f'third: {change_title(table)}')) if value == value
        )


def change_title(table):
    return next(one.title for one in table.columns if one.is_change)


@pytest.mark.parametrize('count', [1, 2, 3, 5, 9])
def test_a_page_shows_as_many_columns_as_it_has_room_for_and_the_csv_file_all(runs, count):
    several = [Run(f'run {n}', runs[n % 2].evaluation) for n in range(count)]
    table = report_tables.per_landmark(several)
    assert len(table.shown) <= 14
    everything = len(report_tables.per_landmark(several[:1]).columns) - 3
    assert len(table.columns) == 3 + count * everything + 2 * (count - 1)


def test_a_large_shift_that_may_be_chance_is_not_called_less_than_a_small_sure_one(tmp_path):
    evaluation = make_evaluation(tmp_path, count=12, noise_mm=0.2)
    points_px = evaluation.points_px.copy()
    points_px[:, 1] += 0.5  # Small in every image.
    points_px[3, 2] += 80  # Large, by one image alone.
    table = report_tables.bias([Run('run', dataclasses.replace(evaluation, points_px=points_px))])
    verdicts = column(table, 'verdict')
    assert (verdicts[1], verdicts[2]) == ('small, systematic', 'large, uncertain')
    assert table.bad[2] and not table.bad[1] and table.worst == 'shift (mm)'


def test_rows_with_a_mean_error_above_two_millimetres_are_bad(runs):
    evaluation = runs[0].evaluation
    points_px = evaluation.points_px.copy()
    points_px[:, 4] += 9
    table = report_tables.per_landmark([Run('run', dataclasses.replace(evaluation, points_px=points_px)), runs[1]])
    means = [scores.mre_mm for scores in evaluation.per_landmark()]
    assert table.bad[4] and sum(table.bad) <= 1 + sum(mean > 2 for mean in means)
