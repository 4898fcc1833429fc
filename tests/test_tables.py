"""Score tables as text and CSV."""

import csv

import numpy as np

from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.tables import COLUMNS, format_table, score_rows, write_csv
from cephalometric.scores import score, score_per_landmark

LANDMARKS = load_landmark_set('isbi2015')
ERRORS_MM = np.random.default_rng(0).uniform(0, 5, (7, len(LANDMARKS)))
ROWS = score_rows(LANDMARKS, score_per_landmark(ERRORS_MM), score(ERRORS_MM))


def test_one_row_a_landmark_and_one_for_all(tmp_path):
    write_csv(ROWS, tmp_path / 'table.csv')
    rows = list(csv.DictReader((tmp_path / 'table.csv').open(encoding='utf-8')))
    assert [row['landmark'] for row in rows] == [*LANDMARKS.abbreviations, 'all']
    assert tuple(rows[0]) == COLUMNS
    assert float(rows[3]['MRE mm']) == round(ERRORS_MM[:, 3].mean(), 3)
    assert float(rows[-1]['SDR 2.0mm %']) == round((ERRORS_MM <= 2).mean() * 100, 2)
    assert rows[-1]['count'] == str(ERRORS_MM.size)


def test_the_text_has_even_columns():
    lines = format_table(ROWS).splitlines()
    assert len(lines) == len(LANDMARKS) + 2
    assert len({len(line) for line in lines}) == 1
    assert lines[1].startswith('S ') and 'sella' in lines[1]
