"""Predicted landmarks as JSON and CSV: units, gaps, and the way back.

Landmarks to measure on, from each kind of file.
"""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from cephalometric.annotations.coco import LabelledImage, coco_content
from cephalometric.errors import InputError
from cephalometric.geometry import Orientation
from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.tables import write_landmarks
from cephalometric.results.predictions import NOTICE, PredictedXray, Predictions, read_point_file, write_predictions

LANDMARKS = load_landmark_set('isbi2015')
COUNT = len(LANDMARKS)


def predicted(name='film', spacing_mm=0.1, calibrated=True, orientation=Orientation()):  # noqa: B008
    points_px = np.stack([np.arange(COUNT) * 10.0, np.arange(COUNT) * 20.0 + 0.25], axis=1)
    expected = np.linspace(0.5, 5, COUNT)
    return PredictedXray(
        name=name,
        file=f'films/{name}.png',
        slice=None,
        width=1900,
        height=2400,
        spacing_mm=spacing_mm,
        orientation=orientation,
        points_px=points_px,
        scores=np.linspace(1, 0.1, COUNT),
        expected_error_mm=expected if calibrated else None,
        flagged=expected > 3 if calibrated else None,
        warnings=('it is coloured',),
        measurements={'SNA': 82.0, 'overjet': np.nan},
        measurement_errors={'SNA': 1.25},
    )


def written(tmp_path, *xrays, failed=()):
    predictions = Predictions(LANDMARKS, xrays, dict(failed), {'config': 'recipe.py'})
    write_predictions(tmp_path / 'predictions.json', predictions)
    write_landmarks(tmp_path / 'landmarks.csv', predictions)
    with open(tmp_path / 'landmarks.csv', newline='', encoding='utf-8') as file:
        return json.loads((tmp_path / 'predictions.json').read_text()), list(csv.DictReader(file))


def test_a_row_and_an_entry_for_each_landmark_in_pixels_and_mm(tmp_path):
    content, rows = written(tmp_path, predicted('a'), predicted('b'))
    assert content['notice'] == NOTICE
    assert [entry['image'] for entry in content['images']] == ['a', 'b'] and len(rows) == 2 * COUNT
    entry, row = content['images'][1]['landmarks'][3], rows[COUNT + 3]
    assert (row['image'], row['landmark'], row['name']) == ('b', LANDMARKS.abbreviations[3], LANDMARKS.names[3])
    assert (entry['x_px'], entry['y_px'], entry['x_mm']) == (30.0, 60.25, 3.0)
    assert entry['y_mm'] == pytest.approx(6.025)
    assert [float(row[name]) for name in ('x_px', 'y_px', 'x_mm', 'y_mm')] == [30.0, 60.25, 3.0, 6.025]
    assert (row['flagged'], rows[-1]['flagged'], content['images'][0]['landmarks'][-1]['flagged']) == (
        'no',
        'yes',
        True,
    )
    assert float(rows[-1]['expected_error_mm']) == 5


def test_without_a_spacing_there_are_no_millimetres(tmp_path):
    content, rows = written(tmp_path, predicted(spacing_mm=None))
    assert not {'x_mm', 'y_mm'} & {*rows[0], *content['images'][0]['landmarks'][0]}
    assert content['images'][0]['measurements'] == {'SNA': 82.0, 'overjet': None}


def test_one_film_without_a_spacing_has_empty_cells_among_others(tmp_path):
    content, rows = written(tmp_path, predicted('a'), predicted('b', spacing_mm=None))
    assert rows[0]['x_mm'] == '0.000' and rows[COUNT]['x_mm'] == ''
    assert 'x_mm' not in content['images'][1]['landmarks'][0]


def test_without_a_calibration_nothing_is_expected_or_flagged(tmp_path):
    content, rows = written(tmp_path, replace(predicted(calibrated=False), warnings=()))
    assert list(rows[0]) == ['image', 'landmark', 'name', 'x_px', 'y_px', 'x_mm', 'y_mm', 'score']
    assert not {'expected_error_mm', 'flagged'} & {*content['images'][0]['landmarks'][0]}


def doubtful_xray(name='film', **changes):
    doubts = ('it is blank: its landmarks are put at its centre', 'it is coloured; taken as grey')
    return replace(predicted(name, **changes), doubtful=True, warnings=doubts, flagged=np.ones(COUNT, bool))


def test_warnings_are_in_every_row_of_their_xray(tmp_path):
    _, rows = written(tmp_path, predicted('a'), replace(predicted('b'), warnings=('grey', 'small')))
    assert [row['warnings'] for row in rows] == ['it is coloured'] * COUNT + ['grey; small'] * COUNT
    assert 'doubtful' not in rows[0]


def test_a_doubtful_xray_among_others_that_were_not_assessed(tmp_path):
    _, rows = written(tmp_path, predicted('a', calibrated=False), doubtful_xray('b', calibrated=False))
    assert [row['flagged'] for row in rows] == [''] * COUNT + ['yes'] * COUNT
    assert [row['doubtful'] for row in rows] == [''] * COUNT + ['yes'] * COUNT
    assert 'expected_error_mm' not in rows[0]


@pytest.mark.parametrize('name', ['predictions.json', 'landmarks.csv'])
def test_flags_doubts_and_warnings_come_back(tmp_path, name):
    xrays = [predicted('a'), predicted('b', calibrated=False), doubtful_xray('c', calibrated=False)]
    xrays[1] = replace(xrays[1], warnings=())
    written(tmp_path, *xrays)
    found = read_point_file(tmp_path / name).xrays
    np.testing.assert_array_equal(found[0].flagged, xrays[0].flagged)
    assert found[1].flagged is None and found[1].warnings == ()
    assert found[2].flagged.all() and [xray.doubtful for xray in found] == [False, False, True]
    assert ['; '.join(xray.warnings) for xray in found] == ['; '.join(xray.warnings) for xray in xrays]
    assert all(xray.predicted for xray in found)


def test_a_turned_film_says_so_in_every_row(tmp_path):
    content, rows = written(tmp_path, predicted(orientation=Orientation(mirrored=True)))
    assert {row['orientation'] for row in rows} == {'mirrored (facing left)'}
    assert content['images'][0]['orientation']['mirrored'] is True


def test_a_run_without_any_xray_has_its_headings(tmp_path):
    content, rows = written(tmp_path, failed={'bad.png': 'damaged'}.items())
    assert rows == [] and (tmp_path / 'landmarks.csv').read_text().startswith('image,landmark,name,x_px,y_px')
    assert content['failed'] == [{'file': 'bad.png', 'error': 'damaged'}]


@pytest.mark.parametrize('calibrated', [True, False])
def test_predictions_come_back_the_same(tmp_path, calibrated):
    xray = predicted(calibrated=calibrated, orientation=Orientation(inverted=True))
    points_px = xray.points_px.copy()
    points_px[2] = np.nan
    written(tmp_path, replace(xray, points_px=points_px))
    back = read_point_file(tmp_path / 'predictions.json')
    assert back.landmarks == LANDMARKS and back.model == {'config': 'recipe.py'}
    (again,) = back.xrays
    np.testing.assert_array_equal(again.points_px, points_px)
    np.testing.assert_array_equal(again.scores, xray.scores)
    assert (again.expected_error_mm is None) is (again.flagged is None) is (not calibrated)
    assert again.orientation == xray.orientation and again.spacing_mm == 0.1
    assert np.isnan(again.measurements['overjet'])
    assert again.measurement_errors == xray.measurement_errors


@pytest.mark.parametrize(
    'change',
    [
        lambda content: content.pop('landmark_set'),
        lambda content: content.update(format='cephalometric predictions 99'),
        lambda content: content['images'][0]['landmarks'].pop(),
        lambda content: content['images'][0]['landmarks'][0].update(x_px='left'),
        lambda content: content['images'][0].update(orientation={'tilted': True}),
        lambda content: content.update(images=3),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    content, _ = written(tmp_path, predicted())
    change(content)
    (tmp_path / 'predictions.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match='not a file of predictions'):
        read_point_file(tmp_path / 'predictions.json')


@pytest.mark.parametrize('name', ['predictions.json', 'landmarks.csv'])
def test_the_outputs_of_predict(tmp_path, name):
    xrays = [predicted('a'), predicted('b', spacing_mm=None), predicted('c')]
    xrays[2].points_px[4] = np.nan
    written(tmp_path, *xrays)
    found = read_point_file(tmp_path / name)
    assert found.landmarks.abbreviations == LANDMARKS.abbreviations
    assert [xray.name for xray in found.xrays] == ['a', 'b', 'c']
    for xray, again in zip(xrays, found.xrays, strict=True):
        np.testing.assert_allclose(again.points_px, xray.points_px, atol=0.01)
    assert found.xrays[0].spacing_mm == pytest.approx(0.1, rel=1e-3) and found.xrays[1].spacing_mm is None


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
    with pytest.raises(InputError, match='line 3: left, 2'):
        read_point_file(path)


@pytest.mark.parametrize(
    'name, text, words',
    [
        ('a.json', '[]', 'not a file of predictions'),
        ('a.json', '{"annotations": []}', 'not a COCO file'),
        ('a.json', '{', 'invalid JSON'),
        ('a.csv', 'image,landmark,x,y\nfilm,N,1,2\n', "no column 'x_px'"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_point_file(tmp_path / name)
