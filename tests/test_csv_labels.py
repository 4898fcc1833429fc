"""Tables of labels, one row an image or one row a landmark: read back as written, every problem named."""

import csv
import io
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
read_points = partial(read_annotations, read_any_csv)


@same_folder
@given(points=st.dictionaries(st.text('abc1', min_size=1), POINTS, max_size=3), spacing=st.floats(0.01, 1))
def test_round_trip(tmp_path, points, spacing):
    annotations, report = read(write_labels(tmp_path / 'labels.csv', points, spacing))
    assert not report and set(annotations) == {f'{name}.bmp' for name in points}
    for name, points_px in points.items():
        np.testing.assert_array_equal(annotations[f'{name}.bmp'].points_px, points_px)
        assert annotations[f'{name}.bmp'].spacing_mm == spacing


def spelled(value, comma):
    return f'{value}'.replace('.', ',') if comma else f'{value}'


PIXELS = st.floats(-5, 3000).map(lambda value: round(value, 3))


@same_folder
@given(
    points=st.dictionaries(
        st.text('ab1é', min_size=1), st.lists(st.tuples(PIXELS, PIXELS), min_size=19, max_size=19), max_size=2
    ),
    dialect=st.sampled_from([',.', ';.', ';,', '\t.', '\t,', ',"']),
    encoding=st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32', 'gb18030']),
    end=st.sampled_from(['\n', '\r\n', '\r']),
    one_row_an_image=st.booleans(),
    said=st.booleans(),
)
def test_any_labels_in_any_dialect_read_back_the_same_or_are_refused_in_one_line(
    tmp_path, points, dialect, encoding, end, one_row_an_image, said
):
    separator, comma = dialect[0], dialect[1] in ',"'
    if one_row_an_image:
        rows = [['image', *(f'{name}_{axis}' for name in LANDMARKS.abbreviations for axis in 'xy')]]
        rows += [[name, *(spelled(v, comma) for pair in pairs for v in pair)] for name, pairs in points.items()]
    else:
        rows = [['image', 'landmark', 'x', 'y']]
        for name, pairs in points.items():
            for landmark, (x, y) in zip(LANDMARKS.abbreviations, pairs, strict=True):
                rows.append([name, landmark, spelled(x, comma), spelled(y, comma)])
    text = io.StringIO(newline='')
    if said:
        text.write(f'sep={separator}{end}')
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    (tmp_path / 'a.csv').write_bytes(text.getvalue().encode(encoding))
    try:
        annotations, report = read_points(tmp_path / 'a.csv')
    except InputError as error:
        assert encoding == 'gb18030' or 'may be' in str(error)
        assert '\n' not in str(error)
        return
    assert not report and set(annotations) == set(points)
    for name, pairs in points.items():
        np.testing.assert_array_equal(annotations[name].points_px, pairs)


def test_columns_may_be_typed_in_other_ways(tmp_path):
    header = ['Image', 'POG\u2019_X', 'POG\u2019_Y', 'pog_x', 'pog_y', 's_x', 'S_Y', 'Spacing']
    annotations, report = read(write_table(tmp_path / 'a.csv', header, [['a', 1, 2, 3, 4, 5, 6, 0.1]]))
    assert not report and annotations['a'].spacing_mm == 0.1
    found = {name: annotations['a'].points_px[LANDMARKS.find(name)].tolist() for name in ("Pog'", 'Pog', 'S')}
    assert found == {"Pog'": [1, 2], 'Pog': [3, 4], 'S': [5, 6]}


def test_python_only_numbers_are_refused(tmp_path):
    path = write_table(tmp_path / 'a.csv', ['image', 'x1', 'y1'], [['a', '1_2_2.0', 5]])
    assert 'S (1) at (1_2_2.0, 5): a' in read(path)[1]


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


def test_what_predict_wrote_is_read(tmp_path):
    header = ['image', 'landmark', 'name', 'x_px', 'y_px', 'spacing_mm', 'x_mm', 'y_mm', 'score']
    rows = [['film', 'S', 'sella', '10.50', '20.00', '0.1', '1.050', '2.000', '0.9']]
    annotations, report = read_points(write_table(tmp_path / 'landmarks.csv', header, rows))
    assert not report and annotations['film'].points_px[0].tolist() == [10.5, 20]
    assert annotations['film'].spacing_mm == 0.1


def test_a_missing_column(tmp_path):
    with pytest.raises(InputError, match=r"points\.csv: there is no column 'y' or 'y_px'"):
        read_points(write_table(tmp_path / 'points.csv', ['image', 'landmark', 'x'], []))
