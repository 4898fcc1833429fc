"""The report's tables: the right numbers under the right headings, on the page and as CSV."""

import csv
import dataclasses

import numpy as np
import pytest
from evaluations import LANDMARKS, make_evaluation

from cephalometric.reporting import report_tables
from cephalometric.reporting.report_tables import Column, Table, write_table
from cephalometric.reporting.runs import Run
from cephalometric.statistics import Interval


@pytest.fixture
def runs(tmp_path):
    return [
        Run('first', make_evaluation(tmp_path, seed=1)),
        Run('second', make_evaluation(tmp_path, seed=2, noise_mm=0.5)),
    ]


def column(table, title):
    (position,) = (k for k, one in enumerate(table.columns) if one.title == title)
    return [row[position] for row in table.rows]


def test_every_row_has_a_cell_for_every_column(runs):
    for make in (
        report_tables.headline,
        report_tables.comparison,
        report_tables.comparison_per_landmark,
        report_tables.per_landmark,
        report_tables.bias,
        report_tables.per_image,
        report_tables.per_source,
        report_tables.measurements,
    ):
        table = make(runs)
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}, make
        titles = [one.title for one in table.columns]
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
    (row,) = report_tables.comparison(runs).rows
    assert row[0] == 'second' and row[2] < 0.05
    assert row[1].estimate == pytest.approx(second.overall().mre_mm - first.overall().mre_mm)
    differences = column(report_tables.comparison_per_landmark(runs), 'second: difference (mm)')
    expected = np.nanmean(second.errors_mm - first.errors_mm, axis=0)
    assert [cell.estimate for cell in differences] == pytest.approx(expected)


def test_a_shift_is_called_systematic(tmp_path):
    table = report_tables.bias([Run('run', make_evaluation(tmp_path, count=20, noise_mm=0.5, shift_mm=(2.0, -1.0)))])
    assert column(table, 'verdict')[0] == 'systematic'
    assert column(table, 'verdict').count('systematic') <= 2
    assert column(table, 'dx (mm)')[0] == pytest.approx(2, abs=0.4)
    assert column(table, 'dy (mm)')[0] == pytest.approx(-1, abs=0.4)


def test_the_same_shift_in_every_image_is_called_constant_and_not_too_few_images(tmp_path):
    def verdicts(count):
        shifted = make_evaluation(tmp_path, count=count, noise_mm=0, shift_mm=(0.8, 0.0))
        return column(report_tables.bias([Run('run', shifted)]), 'verdict')

    assert verdicts(12)[:2] == ['constant shift', 'not shown']
    assert verdicts(3)[:2] == ['too few images'] * 2


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


def test_measurements_compare_predicted_with_true_values(runs):
    evaluation = dataclasses.replace(runs[0].evaluation, points_px=np.nan_to_num(runs[0].evaluation.true_px))
    table = report_tables.measurements([Run('perfect', evaluation)])
    assert 'SNA' in column(table, 'measurement')
    row = column(table, 'measurement').index('SNA')
    assert column(table, 'mean absolute error')[row] == pytest.approx(0, abs=1e-9)
    assert column(table, 'unit')[row] == 'deg'


def test_csv_has_plain_numbers_and_intervals_as_three_columns(tmp_path):
    columns = (Column('name'), Column('count'), Column('x', 1), Column('y', 2, interval=True))
    rows = (('a, b', 3, -1.25, Interval(1.0, 0.5, 1.5)), ('c', 0, np.nan, Interval(2.0, np.nan, np.nan)))
    write_table(Table('t', columns, rows), tmp_path / 't.csv')
    first, second = csv.DictReader((tmp_path / 't.csv').open(encoding='utf-8'))
    assert first == {
        'name': 'a, b',
        'count': '3',
        'x': '-1.25',
        'y': '1.0',
        'y (95% CI low)': '0.5',
        'y (95% CI high)': '1.5',
    }
    assert (second['x'], second['y'], second['y (95% CI low)']) == ('', '2.0', '')
