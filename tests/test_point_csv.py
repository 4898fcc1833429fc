from functools import partial

import numpy as np
import pytest
from films import LANDMARKS, read_annotations, write_point_rows, write_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.formats.point_csv import read_any_csv

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
COORDINATE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=len(LANDMARKS), max_size=len(LANDMARKS)).map(np.array)
read = partial(read_annotations, read_any_csv)


@same_folder
@given(points=st.dictionaries(st.text('abc1', min_size=1), POINTS, max_size=3))
def test_round_trip(tmp_path, points):
    annotations, report = read(write_point_rows(tmp_path / 'points.csv', points))
    assert not report and set(annotations) == {f'{name}.png' for name in points}
    for name, points_px in points.items():
        np.testing.assert_array_equal(annotations[f'{name}.png'].points_px, points_px)


def test_spacing_other_columns_and_empty_rows(tmp_path):
    header = ['who', 'spacing', 'y', 'x', 'landmark', 'image']
    rows = [['me', '0.1', 2, 1, 'S', 'a'], ['me', '', 4, 3, 'N', 'a'], ['you', '', '', '', 'A', 'a']]
    annotations, report = read(write_table(tmp_path / 'points.csv', header, rows))
    assert not report and annotations['a'].spacing_mm == 0.1
    assert annotations['a'].points_px[:2].tolist() == [[1, 2], [3, 4]]
    assert annotations['a'].visible.sum() == 2


def test_a_file_with_one_row_an_image_is_known_by_its_columns(tmp_path):
    annotations, report = read(write_table(tmp_path / 'points.csv', ['image', 'x1', 'y1'], [['a', 1, 2]]))
    assert not report and annotations['a'].points_px[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ('row', 'expected'),
    [
        (['', 'S', 1, 2, ''], 'line 2'),
        (['a', 's', 1, 2, ''], '"s": a'),
        (['a', 'S', '', 2, ''], 'S at ("", "2"): a'),
        (['a', 'S', 1, 2, 'wide'], '"wide": a'),
    ],
)
def test_each_problem_is_reported(tmp_path, row, expected):
    path = write_table(tmp_path / 'points.csv', ['image', 'landmark', 'x', 'y', 'spacing'], [row])
    assert expected in read(path)[1]


def test_a_missing_column(tmp_path):
    with pytest.raises(InputError, match=r"points\.csv: there is no column 'y'"):
        read(write_table(tmp_path / 'points.csv', ['image', 'landmark', 'x'], []))
