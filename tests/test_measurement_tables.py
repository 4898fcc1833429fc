"""The report's part about measurements: errors, right classes and confusions of each analysis."""

import dataclasses

import numpy as np
import pytest
from evaluations import make_evaluation

from cephalometric.measurements import analyses_for
from cephalometric.reporting.measurement_tables import measurement_part
from cephalometric.reporting.runs import Run


@pytest.fixture
def evaluation(tmp_path):
    return make_evaluation(tmp_path, count=12, noise_mm=3.0)


def column(table, title):
    (place,) = (k for k, one in enumerate(table.columns) if one.full_title == title)
    return [row[place] for row in table.rows]


def test_perfect_landmarks_measure_right_and_have_the_right_classes(evaluation):
    perfect = dataclasses.replace(evaluation, points_px=evaluation.true_px)
    part = measurement_part([Run('perfect', perfect)])
    for table in part.tables[:3]:
        for title in ('mean absolute error', 'mean error of angles (°)'):
            if title in [one.title for one in table.columns]:
                assert np.nanmax(column(table, title)) < 1e-9
    assert set(column(part.tables[1], 'right class (%)')) & {100.0}
    assert all(not analysis.confusions for analysis in part.analyses)


def test_the_benchmark_comes_first_with_its_eight_and_every_analysis_follows(evaluation):
    part = measurement_part([Run('run', evaluation)])
    names = [analysis.name for analysis in part.analyses]
    assert names[0] == 'isbi2015' and len(part.analyses[0].table.rows) == 8
    assert set(names) == set(analyses_for(evaluation.landmarks)) and len(names) == len(set(names))
    assert part.analyses[0].table.csv_name == 'analysis_measurements.csv'


def test_confusions_count_the_images_and_agree_with_the_share_of_right_classes(evaluation):
    part = measurement_part([Run('run', evaluation)])
    first = part.analyses[0]
    assert first.confusions
    shares = dict(zip(column(first.table, 'measurement'), column(first.table, 'right class (%)'), strict=True))
    for confusion in first.confusions:
        counts = np.array(confusion.counts)
        assert counts.shape == (len(confusion.classes),) * 2 and 0 < counts.sum() <= 12
        assert np.trace(counts) / counts.sum() * 100 == pytest.approx(shares[confusion.title])
    classes = part.tables[3]
    total = sum(row[-1] for row in classes.rows if row[:2] == (first.title, first.confusions[0].title))
    assert total == np.sum(first.confusions[0].counts)


def test_runs_are_compared(evaluation):
    perfect = dataclasses.replace(evaluation, points_px=evaluation.true_px)
    part = measurement_part([Run('noisy', evaluation), Run('perfect', perfect)])
    table = part.analyses[0].table
    changes = np.array(column(table, 'perfect: difference'), float)
    assert np.all(changes[np.isfinite(changes)] < 0)
    assert any(confusion.title.endswith(', perfect') for confusion in part.analyses[0].confusions)
