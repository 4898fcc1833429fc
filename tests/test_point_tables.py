"""The rows of landmarks.csv: the spacing that most of them say, and who disagrees."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.csv_files import read_csv
from cephalometric.errors import InputError
from cephalometric.results.point_tables import point_rows, spacing_of_rows

NAMES = [f'L{k}' for k in range(9)]


def table(folder: Path, rows, header=('image', 'landmark', 'x_px', 'y_px', 'x_mm', 'y_mm')):
    path = folder / 'landmarks.csv'
    with open(path, 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([header, *rows])
    return read_csv(path)


def rows_of(points_px, spacing_mm):
    return [
        ['film', name, f'{x:.2f}', f'{y:.2f}', f'{x * spacing_mm:.3f}', f'{y * spacing_mm:.3f}']
        for name, (x, y) in zip(NAMES, points_px, strict=True)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spacing_mm=st.floats(0.03, 0.5),
    seed=st.integers(0, 2**16),
    corrected=st.sets(st.integers(0, 8), max_size=3),
)
def test_the_spacing_is_that_of_most_rows_and_the_others_are_named(tmp_path, spacing_mm, seed, corrected):
    points = np.random.default_rng(seed).uniform(50, 2500, (9, 2))
    written = rows_of(points, spacing_mm)
    for place in corrected:
        written[place][2] = f'{points[place, 0] * 1.2 + 20:.2f}'
    rows = point_rows(table(tmp_path, written), [])
    found_mm, texts = spacing_of_rows(tmp_path / 'landmarks.csv', rows, None)
    assert found_mm == pytest.approx(spacing_mm, rel=2e-4)
    named = {name for name in NAMES if any(f'{name} (' in text for text in texts)}
    assert named == {NAMES[place] for place in corrected}


def test_what_the_column_says_counts(tmp_path):
    header = ('image', 'landmark', 'x_px', 'y_px', 'spacing_mm')
    rows = point_rows(table(tmp_path, [['film', 'S', '10', '20', '0.1'], ['film', 'N', '30', '20', '0.1']], header), [])
    assert spacing_of_rows(tmp_path / 'landmarks.csv', rows, None) == (0.1, ())
    rows = point_rows(table(tmp_path, [['film', 'S', '10', '20', '0.1'], ['film', 'N', '30', '20', '0.2']], header), [])
    with pytest.raises(InputError, match=r'film has several values of spacing_mm: 0\.1, 0\.2'):
        spacing_of_rows(tmp_path / 'landmarks.csv', rows, None)


def test_rows_that_agree_on_nothing_are_refused_unless_the_user_says(tmp_path):
    rows = point_rows(
        table(tmp_path, [['film', name, '100', '100', f'{k + 1}', f'{9 - k}'] for k, name in enumerate(NAMES)]), []
    )
    with pytest.raises(InputError, match=r'agree on no spacing.*give --spacing'):
        spacing_of_rows(tmp_path / 'landmarks.csv', rows, None)
    assert spacing_of_rows(tmp_path / 'landmarks.csv', rows, 0.1)[0] is None


@pytest.mark.parametrize(
    ('cells', 'message'),
    [
        (['film', 'S', 'inf', '1', '', ''], "x_px is 'inf'; write a finite number or nothing"),
        (['film', 'S', '1_2', '1', '', ''], "x_px is '1_2'"),
        (['film', 'S', '1', '', '', ''], 'one is empty'),
        (['', 'S', '1', '1', '', ''], 'must be named'),
    ],
)
def test_cells_that_cannot_be_used_are_named_with_their_line(tmp_path, cells, message):
    with pytest.raises(InputError, match='line 3') as caught:
        point_rows(table(tmp_path, [['film', 'N', '1', '2', '', ''], cells]), [])
    assert message in str(caught.value)


def test_expected_errors_are_read_and_are_not_negative(tmp_path):
    header = ('image', 'landmark', 'x_px', 'y_px', 'expected_error_mm')
    (row,) = point_rows(table(tmp_path, [['film', 'S', '1', '2', '1.25']], header), [])
    assert row.expected_error_mm == 1.25
    with pytest.raises(InputError, match='expected_error_mm is -1'):
        point_rows(table(tmp_path, [['film', 'S', '1', '2', '-1']], header), [])
