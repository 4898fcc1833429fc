"""Tables of labels, one row an image or one row a landmark: read back as written, every problem named."""

from functools import partial

import numpy as np
import pytest
from films import LANDMARKS, read_annotations, write_labels, write_point_rows, write_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.csv_labels import read_any_csv, read_labels_csv
from cephalometric.errors import InputError

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
COORDINATE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=len(LANDMARKS), max_size=len(LANDMARKS)).map(np.array)
HEADERS = {
    'cldetection2024': lambda k, axis: f'p{k + 1}{axis}',
    'isbi2015': lambda k, axis: f'{axis}{k + 1}',
    'abbreviations': lambda k, axis: f'{LANDMARKS.abbreviations[k]}_{axis}',
}
read = partial(read_annotations, read_labels_csv)


@same_folder
@given(points=st.dictionaries(st.text('abc1', min_size=1), POINTS, max_size=3), spacing=st.floats(0.01, 1))
def test_round_trip(tmp_path, points, spacing):
    annotations, report = read(write_labels(tmp_path / 'labels.csv', points, spacing))
    assert not report and set(annotations) == {f'{name}.bmp' for name in points}
    for name, points_px in points.items():
        np.testing.assert_array_equal(annotations[f'{name}.bmp'].points_px, points_px)
        assert annotations[f'{name}.bmp'].spacing_mm == spacing


@pytest.mark.parametrize('name', HEADERS.values(), ids=HEADERS)
def test_columns_may_be_called_in_three_ways_and_come_in_any_order(tmp_path, name):
    header = [name(k, axis) for k in range(len(LANDMARKS)) for axis in 'xy'][::-1]
    values = list(range(len(header)))[::-1]
    annotations, report = read(write_table(tmp_path / 'a.csv', [*header, 'image'], [[*values, 'a.png']]))
    assert not report and np.isnan(annotations['a.png'].spacing_mm)
    np.testing.assert_array_equal(annotations['a.png'].points_px.ravel(), range(len(header)))


def test_empty_cells_and_absent_columns_say_that_nothing_is_annotated(tmp_path):
    annotations, report = read(
        write_table(tmp_path / 'a.csv', ['image', 'x1', 'y1', 'x2', 'y2'], [['a', 1, 2, '', '']])
    )
    assert not report and np.flatnonzero(annotations['a'].visible).tolist() == [0]


@pytest.mark.parametrize(
    ('header', 'row', 'expected'),
    [
        ('image,x1,y1,x20,y20', 'a,1,2,3,4', 'set isbi2015 (take them out, or choose another set with --landmarks):'),
        ('image,x1,y1,age', 'a,1,2,3', "    'age'"),
        ('image,x1,y1,x2', 'a,1,2,3', "    'x2'"),
        ('image,x1,y1,p1x,p1y', 'a,1,2,1,2', "    'x1'"),
        ('image,x1,y1', 'a,1,', 'S (1) at (1, ): a'),
        ('image,x1,y1', 'a,1,inf', 'S (1) at (1, inf): a'),
        ('image,x1,y1', ',1,2', "line 2: ''"),
        ('image,x1,y1', 'a,1,2\na,1,2', "line 3: 'a'"),
        ('image,x1,y1,spacing', 'a,1,2,0', '"0": a'),
    ],
)
def test_each_problem_is_reported(tmp_path, header, row, expected):
    path = tmp_path / 'labels.csv'
    path.write_text(f'{header}\n{row}\n')
    assert expected in read(path)[1]


@pytest.mark.parametrize(
    ('header', 'expected'), [('film,x1,y1', "'image' or 'image file'"), ('image,x,y', 'such as S_x')]
)
def test_a_file_without_the_columns_that_matter(tmp_path, header, expected):
    path = tmp_path / 'labels.csv'
    path.write_text(f'{header}\n1,2,3\n')
    with pytest.raises(InputError, match=expected) as caught:
        read(path)
    assert 'labels.csv' in str(caught.value)


@same_folder
@given(st.lists(st.lists(st.sampled_from(['', 'a', '1', '-1', 'nan', '1e999', 'x']), min_size=4, max_size=4)))
def test_any_cells_give_finite_points_or_a_report(tmp_path, rows):
    annotations, report = read(write_table(tmp_path / 'a.csv', ['image', 'spacing', 'x1', 'y1'], rows))
    spoilt = [row for row in rows if any(row) and (row[2:] != ['', ''] and not set(row[2:]) <= {'1', '-1'})]
    assert report or not spoilt
    for annotation in annotations.values():
        assert np.isfinite(annotation.points_px[annotation.visible]).all()


same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
COORDINATE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=len(LANDMARKS), max_size=len(LANDMARKS)).map(np.array)
read_points = partial(read_annotations, read_any_csv)


@same_folder
@given(points=st.dictionaries(st.text('abc1', min_size=1), POINTS, max_size=3))
def test_round_trip_of_rows_of_points(tmp_path, points):
    annotations, report = read_points(write_point_rows(tmp_path / 'points.csv', points))
    assert not report and set(annotations) == {f'{name}.png' for name in points}
    for name, points_px in points.items():
        np.testing.assert_array_equal(annotations[f'{name}.png'].points_px, points_px)


def test_spacing_other_columns_and_empty_rows(tmp_path):
    header = ['who', 'spacing', 'y', 'x', 'landmark', 'image']
    rows = [['me', '0.1', 2, 1, 'S', 'a'], ['me', '', 4, 3, 'N', 'a'], ['you', '', '', '', 'A', 'a']]
    annotations, report = read_points(write_table(tmp_path / 'points.csv', header, rows))
    assert not report and annotations['a'].spacing_mm == 0.1
    assert annotations['a'].points_px[:2].tolist() == [[1, 2], [3, 4]]
    assert annotations['a'].visible.sum() == 2


def test_a_file_with_one_row_an_image_is_known_by_its_columns(tmp_path):
    annotations, report = read_points(write_table(tmp_path / 'points.csv', ['image', 'x1', 'y1'], [['a', 1, 2]]))
    assert not report and annotations['a'].points_px[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ('row', 'expected'),
    [
        (['', 'S', 1, 2, ''], 'line 2'),
        (['a', 'Zyg', 1, 2, ''], '"Zyg": a'),
        (['a', 'S', '', 2, ''], 'S at ("", "2"): a'),
        (['a', 'S', 1, 2, 'wide'], '"wide": a'),
    ],
)
def test_each_problem_of_a_point_is_reported(tmp_path, row, expected):
    path = write_table(tmp_path / 'points.csv', ['image', 'landmark', 'x', 'y', 'spacing'], [row])
    assert expected in read_points(path)[1]


def test_a_missing_column(tmp_path):
    with pytest.raises(InputError, match=r"points\.csv: there is no column 'y'"):
        read_points(write_table(tmp_path / 'points.csv', ['image', 'landmark', 'x'], []))
