"""Landmarks to measure on, from each kind of file."""

import json

import numpy as np
import pytest
from test_predictions import COUNT, LANDMARKS, predicted, written

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImage, coco_content
from cephalometric.formats.point_files import read_point_file


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
