"""Landmarks to measure on, from each kind of file: read as they stand, or refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from films import keypoint_content, points
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_predictions import COUNT, LANDMARKS, predicted, written

from cephalometric.annotations.coco import LabelledImage, coco_content
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import measure
from cephalometric.results.point_files import read_point_file

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
HEADER = 'image,landmark,name,x_px,y_px,x_mm,y_mm'
AS_PREDICTED = {
    'S': '100.00,100.00,10.000,10.000',
    'UL': '300.00,300.00,30.000,30.000',
    'Prn': '400.00,200.00,40.000,20.000',
    "Pog'": '300.00,500.00,30.000,50.000',
}


def table(tmp_path, header=HEADER, **changes):
    """A landmarks.csv as predict wrote it before it had a column for the spacing, with some rows changed."""
    rows = [f'film,{name},,{row}' for name, row in (AS_PREDICTED | changes).items()]
    (tmp_path / 'landmarks.csv').write_text('\n'.join([header, *rows]) + '\n')
    return tmp_path / 'landmarks.csv'


def upper_lip_mm(path):
    predictions = read_point_file(path)
    (xray,) = predictions.xrays
    return measure(xray.points_px, predictions.landmarks, xray.spacing_mm)['UL_E_mm'], predictions.notes


def test_a_corrected_pixel_changes_no_length_of_the_others_and_its_row_is_named(tmp_path):
    expected, notes = upper_lip_mm(table(tmp_path))
    assert round(expected, 3) == -6.325 and notes == ()
    found, (note,) = upper_lip_mm(table(tmp_path, S='1000.00,100.00,10.000,10.000'))
    assert found == pytest.approx(expected, abs=1e-9)
    assert 'film' in note and 'S (1000.00, 100.00 px; 10.000, 10.000 mm)' in note and 'UL (' not in note
    found, (note,) = upper_lip_mm(table(tmp_path, UL='350,300.00,30.000,30.000'))
    assert found != pytest.approx(expected, abs=1) and 'UL (350, 300.00 px' in note


def test_a_corrected_millimetre_is_named_or_taken(tmp_path):
    expected, _ = upper_lip_mm(table(tmp_path))
    found, (note,) = upper_lip_mm(table(tmp_path, UL='300.00,300.00,35.000,30.000'))
    assert found == pytest.approx(expected) and 'UL (300.00, 300.00 px; 35.000, 30.000 mm)' in note
    assert 'empty its x_px and y_px' in note
    corrected, notes = upper_lip_mm(table(tmp_path, UL=',,35.000,30.000'))
    assert notes == () and corrected == pytest.approx(upper_lip_mm(table(tmp_path, UL='350,300,35,30'))[0])


def test_rows_that_agree_on_no_spacing_are_refused_unless_the_user_says_it(tmp_path):
    rows = {'S': '100,100,20,20', 'UL': '300,300,90,90', 'Prn': '400,200,160,80', "Pog'": '300,500,150,250'}
    path = table(tmp_path, **rows)
    with pytest.raises(InputError, match=r'the rows of film agree on no spacing.*--spacing'):
        read_point_file(path)
    predictions = read_point_file(path, 0.1)
    assert predictions.xrays[0].spacing_mm == 0.1 and 'agree on no spacing' in predictions.notes[0]


def test_a_stated_spacing_counts_and_what_contradicts_it_is_named(tmp_path):
    header = 'image,landmark,name,x_px,y_px,x_mm,y_mm,spacing_mm'
    rows = {name: f'{row},0.2' for name, row in AS_PREDICTED.items()}
    predictions = read_point_file(table(tmp_path, header, **rows))
    assert predictions.xrays[0].spacing_mm == 0.2
    assert 'stand for a spacing of 0.1 mm, but spacing_mm is 0.2' in predictions.notes[0]
    rows['S'] = AS_PREDICTED['S'] + ',0.1'
    with pytest.raises(InputError, match=r'film has several values of spacing_mm: 0\.1, 0\.2; give it one'):
        read_point_file(table(tmp_path, header, **rows))
    rows['S'] = AS_PREDICTED['S'] + ',0'
    with pytest.raises(InputError, match='line 2: spacing_mm is 0'):
        read_point_file(table(tmp_path, header, **rows))


def test_what_predict_writes_states_the_spacing_exactly(tmp_path):
    written(tmp_path, predicted('a', spacing_mm=1 / 7), predicted('b', spacing_mm=None))
    predictions = read_point_file(tmp_path / 'landmarks.csv')
    assert [xray.spacing_mm for xray in predictions.xrays] == [1 / 7, None] and predictions.notes == ()


@pytest.mark.parametrize(
    ('row', 'expected'),
    [
        ('inf,1,1,1', "line 2: x_px is 'inf'; write a finite number"),
        ('1,nan,1,1', "y_px is 'nan'"),
        ('1_0,1,1,1', 'finite number'),
        ('1e999,1,1,1', 'finite number'),
        ('1,,1,1', 'line 2: of x_px and y_px one is empty'),
    ],
)
def test_cells_that_are_refused(tmp_path, row, expected):
    with pytest.raises(InputError, match=expected):
        read_point_file(table(tmp_path, S=row))


def test_a_second_row_for_a_landmark_is_refused_however_it_is_typed(tmp_path):
    with pytest.raises(InputError, match="lines 5 and 6: film has two rows for Pog'"):
        read_point_file(table(tmp_path, **{'pog\u2019': '300.00,500.00,30.000,50.000'}))


@pytest.mark.parametrize('typed', ['Pog\u2019', 'POG\u2032', "pog'", 'Pog\u00b4'])
def test_landmarks_are_understood_as_they_are_typed(tmp_path, typed):
    rows = {typed if name == "Pog'" else name: row for name, row in AS_PREDICTED.items()}
    lines = [f'film,{name},,{row}' for name, row in rows.items()]
    (tmp_path / 'a.csv').write_text('\n'.join([HEADER, *lines]), encoding='utf-8')
    assert round(upper_lip_mm(tmp_path / 'a.csv')[0], 3) == -6.325


def test_unknown_abbreviations_are_named(tmp_path):
    predictions = read_point_file(table(tmp_path, Sella='1,2,0.1,0.2', Zyg='5,6,0.5,0.6'))
    assert len(predictions.notes) == 1 and predictions.notes[0].endswith("knows 'Sella', 'Zyg'")
    assert read_point_file(tmp_path / 'landmarks.csv', known={*AS_PREDICTED, 'Sella', 'Zyg'}).notes == ()


def test_a_point_at_the_origin_is_not_annotated(tmp_path):
    predictions = read_point_file(table(tmp_path, S='0,0,0,0'))
    assert np.isnan(predictions.xrays[0].points_px[0]).all() and 'at (0, 0): S' in predictions.notes[0]


def test_coordinates_from_0_to_1_are_no_pixels(tmp_path):
    (tmp_path / 'a.csv').write_text('image,landmark,x_px,y_px\nfilm,S,0.1,0.2\nfilm,N,0.5,0.9\n')
    with pytest.raises(InputError, match='points of film lie from 0 to 1'):
        read_point_file(tmp_path / 'a.csv')


def test_a_spacing_that_is_hardly_right_is_said(tmp_path):
    predictions = read_point_file(table(tmp_path), 100)
    assert '100 mm per pixel is unusual' in predictions.notes[0]
    assert '100 mm per pixel is unusual' in predictions.xrays[0].warnings[0]


@same_folder
@given(data=st.data(), spacing=st.floats(0.03, 0.9), separator=st.sampled_from([',', ';', '\t']), comma=st.booleans())
def test_most_rows_decide_the_spacing_in_any_dialect(tmp_path, data, spacing, separator, comma):
    count = data.draw(st.integers(5, 12))
    coordinate = st.floats(50, 2500)
    px = data.draw(st.lists(st.tuples(coordinate, coordinate), min_size=count, max_size=count))
    spoilt = data.draw(st.sets(st.integers(0, count - 1), max_size=(count - 1) // 2))
    rows, names = [], LANDMARKS.abbreviations[:count]
    for k, (name, (x, y)) in enumerate(zip(names, px, strict=True)):
        shift = data.draw(st.floats(20, 500)) if k in spoilt else 0
        numbers = [f'{x + shift:.2f}', f'{y:.2f}', f'{x * spacing:.3f}', f'{y * spacing:.3f}']
        rows.append(
            ['film', name, *(text.replace('.', ',') if comma and separator != ',' else text for text in numbers)]
        )
    lines = [separator.join(row) for row in [['image', 'landmark', 'x_px', 'y_px', 'x_mm', 'y_mm'], *rows]]
    (tmp_path / 'a.csv').write_text('\n'.join(lines), encoding='utf-16')
    predictions = read_point_file(tmp_path / 'a.csv')
    assert predictions.xrays[0].spacing_mm == pytest.approx(spacing, rel=2e-3)
    assert (
        all((f'{names[k]} (' in ' '.join(predictions.notes)) == (k in spoilt) for k in range(count)) or len(spoilt) > 5
    )
    for k, (x, y) in enumerate(px):
        if k not in spoilt:
            assert predictions.xrays[0].points_px[k].tolist() == [round(x, 2), round(y, 2)]


def test_the_coco_file_of_a_landmark_set_of_ones_own_needs_no_table(tmp_path):
    own = LandmarkSet('mine', 'mine', ('sella', 'nasion', 'zygion'), ('S', 'N', 'Zyg'), ('bone',) * 3, ((0, 1),))
    image = LabelledImage(1, 'images/1.png', 190, 240, 0.125, np.array([[10.0, 20], [30, 40], [50, 60]]))
    (tmp_path / 'test.json').write_text(json.dumps(coco_content([image], own)))
    predictions = read_point_file(tmp_path / 'test.json')
    found = predictions.landmarks
    assert (found.name, found.names, found.abbreviations, found.lines) == (
        own.name,
        own.names,
        own.abbreviations,
        own.lines,
    )
    np.testing.assert_array_equal(predictions.xrays[0].points_px, image.points_px)
    assert "knows 'Zyg'" in predictions.notes[0]


def test_the_coco_file_of_another_program(tmp_path):
    content = keypoint_content(points())
    content['categories'][0]['keypoints'][15] = 'Pog\u2019'
    content['images'][0] |= {'spacing': 0.1, 'width': 168, 'height': 208}
    content['images'][1]['file_name'], content['images'][2]['file_name'] = 'a/1.png', '..\\b\\1.png'
    content['annotations'][0]['keypoints'][:3] = [0, 0, 2]
    (tmp_path / 'cvat.json').write_text(json.dumps(content))
    predictions = read_point_file(tmp_path / 'cvat.json')
    assert predictions.landmarks.abbreviations == LANDMARKS.abbreviations and predictions.landmarks.lines == ((0, 1),)
    assert [xray.name for xray in predictions.xrays] == ['film1', 'a_1', 'b_1']
    assert [xray.spacing_mm for xray in predictions.xrays] == [0.1, None, None]
    assert (predictions.xrays[0].width, predictions.xrays[0].file) == (168, str(tmp_path / 'film1.png'))
    np.testing.assert_array_equal(predictions.xrays[0].points_px[1:], points()['film1'][1:])
    assert np.isnan(predictions.xrays[0].points_px[0]).all() and '(0, 0): S' in predictions.notes[0]


def test_a_coco_file(tmp_path):
    points_px = np.arange(COUNT * 2.0).reshape(COUNT, 2)
    points_px[3] = np.nan
    images = [LabelledImage(7, 'images/7.png', 190, 240, 0.125, points_px)]
    path = tmp_path / 'test.json'
    path.write_text(json.dumps(coco_content(images, LANDMARKS)))
    (xray,) = read_point_file(path).xrays
    np.testing.assert_array_equal(xray.points_px, points_px)
    assert (xray.name, xray.file, xray.spacing_mm) == ('7', str(tmp_path / 'images/7.png'), 0.125)


def test_a_spacing_of_the_user_goes_first(tmp_path):
    written(tmp_path, predicted('a'), predicted('b', spacing_mm=None))
    found = read_point_file(tmp_path / 'predictions.json', 0.2)
    assert [xray.spacing_mm for xray in found.xrays] == [0.2, 0.2]


def test_any_csv_with_the_four_columns_in_any_order(tmp_path):
    path = tmp_path / 'mine.csv'
    path.write_text('y_px,image,x_px,landmark\n2,film,1,N\n4,film,3,S\n,film,,A\n')
    (xray,) = read_point_file(path).xrays
    assert read_point_file(path).landmarks.abbreviations == ('N', 'S', 'A')
    np.testing.assert_array_equal(xray.points_px, [[1, 2], [3, 4], [np.nan, np.nan]])


def test_flags_are_yes_or_no(tmp_path):
    path = tmp_path / 'mine.csv'
    path.write_text('image,landmark,x_px,y_px,flagged\nfilm,N,1,2,Yes\nfilm,S,3,4,\nfilm,A,5,6,no\n')
    (xray,) = read_point_file(path).xrays
    assert xray.flagged.tolist() == [True, False, False] and not xray.predicted
    path.write_text('image,landmark,x_px,y_px,flagged\nfilm,N,1,2,perhaps\n')
    with pytest.raises(InputError, match="line 2: flagged is 'perhaps'; write yes, no or nothing"):
        read_point_file(path)


def test_a_cell_that_is_no_number_is_named_by_its_line(tmp_path):
    path = tmp_path / 'mine.csv'
    path.write_text('image,landmark,x_px,y_px\nfilm,N,1,2\nfilm,S,left,2\n')
    with pytest.raises(InputError, match="line 3: x_px is 'left'"):
        read_point_file(path)


@pytest.mark.parametrize(
    'name, text, words',
    [
        ('a.json', '[]', 'not a file of predictions'),
        ('a.json', '{"annotations": []}', 'not a COCO file with keypoints'),
        ('a.json', '{"annotations": [], "categories": [{"landmark_set": 3}]}', 'not a COCO file of this project'),
        ('a.json', '{', 'invalid JSON'),
        ('a.csv', 'image,landmark,x,y\nfilm,N,1,2\n', "no column 'x_px'"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_point_file(tmp_path / name)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def places(content, path=()):
    """Every place in the tree of a JSON file."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def small_content(kind, tmp_path):
    few = {'film1': points()['film1']}
    if kind == 'cvat':
        return keypoint_content(few)
    if kind == 'ours':
        return coco_content([LabelledImage(1, 'images/1.png', 190, 240, 0.125, few['film1'])], LANDMARKS)
    written(tmp_path, predicted())
    return json.loads((tmp_path / 'predictions.json').read_text())


@same_folder
@given(data=st.data(), kind=st.sampled_from(['cvat', 'ours', 'predictions']))
def test_a_file_with_any_part_exchanged_or_gone_is_read_or_refused_in_one_line(tmp_path, data, kind):
    content = small_content(kind, tmp_path)
    for _ in range(data.draw(st.integers(1, 2))):
        spots = sorted(places(content), key=len)
        *above, last = data.draw(st.sampled_from(spots[: max(40, len(spots) // 2)]))
        holder = content
        for key in above:
            holder = holder[key]
        if data.draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = data.draw(VALUES)
    (tmp_path / 'a.json').write_text(json.dumps(content))
    one_line_or_points(tmp_path / 'a.json')


CELLS = [
    '',
    'a',
    'S',
    '1',
    '-1',
    '0',
    '10,5',
    '1.5',
    'inf',
    '1e999',
    '1_2',
    'yes',
    '\u0661',
    '1e308',
    '-1e308',
    '1e-320',
]


@same_folder
@given(
    rows=st.lists(st.lists(st.sampled_from(CELLS), min_size=7, max_size=7), max_size=5),
    spacing=st.none() | st.just(0.1),
)
def test_any_cells_are_read_or_refused_in_one_line(tmp_path, rows, spacing):
    lines = [['image', 'landmark', 'x_px', 'y_px', 'x_mm', 'y_mm', 'spacing_mm'], *rows]
    (tmp_path / 'a.csv').write_text('\n'.join('\t'.join(line) for line in lines), encoding='utf-8')
    one_line_or_points(tmp_path / 'a.csv', spacing)


def one_line_or_points(path: Path, spacing: float | None = None) -> None:
    try:
        predictions = read_point_file(path, spacing)
    except InputError as error:
        assert path.name in str(error) and '\n' not in str(error)
    else:
        for xray in predictions.xrays:
            assert xray.points_px.shape == (len(predictions.landmarks), 2) and not np.isinf(xray.points_px).any()
            assert xray.spacing_mm is None or xray.spacing_mm > 0
            measure(xray.points_px, predictions.landmarks, xray.spacing_mm)
