"""Tables: scores as text and CSV, measurements as CSV and JSON, and what is marked in them."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from test_predictions import predicted

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import Person, load_analyses, load_measurements, measure
from cephalometric.reporting.measurement_json import write_measurement_json
from cephalometric.reporting.tables import (
    COLUMNS,
    format_table,
    score_rows,
    write_csv,
    write_measurements,
)
from cephalometric.results.predictions import NOTICE
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


MEASUREMENTS = [m for m in load_measurements() if m.name in ('SNA', 'ANB', 'wits')]


@pytest.fixture
def xrays():
    values = {'SNA': 82.0, 'ANB': 9.5, 'wits': np.nan}, {'SNA': np.nan, 'ANB': 4.0, 'wits': np.nan}
    plain = replace(predicted(calibrated=False), warnings=(), measurement_errors={})
    return [replace(plain, name=name, measurements=each) for name, each in zip('ab', values, strict=True)]


def rows_written(tmp_path, xrays):
    write_measurements(tmp_path / 'out.csv', xrays, MEASUREMENTS)
    with open(tmp_path / 'out.csv', newline='') as file:
        return list(csv.DictReader(file))


def json_written(tmp_path, xrays):
    analyses = {'steiner': load_analyses()['steiner']}
    write_measurement_json(tmp_path / 'out.json', xrays, MEASUREMENTS, LANDMARKS, analyses, Person('female', 30))
    return json.loads((tmp_path / 'out.json').read_text())


def test_a_column_for_each_measurement_that_any_image_has(tmp_path, xrays):
    assert rows_written(tmp_path, xrays) == [
        {'image': 'a', 'SNA (deg)': '82.000', 'ANB (deg)': '9.500'},
        {'image': 'b', 'SNA (deg)': '', 'ANB (deg)': '4.000'},
    ]


def test_json_says_what_a_value_means(tmp_path, xrays):
    content = json_written(tmp_path, xrays)
    assert content['notice'] == NOTICE
    assert {entry['name'] for entry in content['measurements']} == {'SNA', 'ANB'}
    values = content['images'][0]['values']
    assert values['SNA'] == {'value': 82.0, 'unit': 'deg', 'standard_error': None}
    assert 'SNA' not in content['images'][1]['values']
    assert (content['sex'], content['age']) == ('female', 30)


def test_json_says_what_a_value_is_worth_in_an_analysis(tmp_path):
    xray = predicted()
    xray.points_px[:] = np.random.default_rng(1).uniform(0, 1500, xray.points_px.shape)
    values = measure(xray.points_px, LANDMARKS, xray.spacing_mm, MEASUREMENTS)
    content = json_written(tmp_path, [replace(xray, measurements=values, measurement_errors={'SNA': 1.5})])
    image = content['images'][0]
    assert image['values']['SNA']['standard_error'] == 1.5 and image['values']['ANB']['standard_error'] is None
    sna = image['analyses']['steiner']['SNA']
    assert (sna['norm']['mean'], sna['norm']['sd'], sna['norm']['name']) == (82, 3.9, 'Riedel 1952')
    assert sna['deviation_sd'] == pytest.approx((values['SNA'] - 82) / 3.9)
    assert sna['class'] in ('retrognathic maxilla', 'prognathic maxilla') and sna['undecided'] in (True, False)


def test_standard_errors_stand_beside_their_values(tmp_path, xrays):
    sure = replace(xrays[0], measurement_errors={'SNA': 1.25, 'ANB': np.nan})
    first, second = rows_written(tmp_path, [sure, xrays[1]])
    assert list(first) == ['image', 'SNA (deg)', 'SNA (deg) SE', 'ANB (deg)']
    assert (first['SNA (deg) SE'], second['SNA (deg) SE']) == ('1.250', '')


FLAGS = np.arange(len(LANDMARKS)) == 0


def test_rows_name_their_marked_measurements_doubts_and_warnings(tmp_path, xrays):
    marked = replace(xrays[0], flagged=FLAGS, flagged_measurements=frozenset({'SNA', 'ANB', 'wits'}))
    doubtful = replace(
        xrays[1], flagged=~FLAGS, flagged_measurements=frozenset({'ANB'}), doubtful=True, warnings=('blank', 'grey')
    )
    first, second = rows_written(tmp_path, [marked, doubtful])
    assert (first['flagged'], first['doubtful'], first['warnings']) == ('SNA ANB', '', '')
    assert (second['flagged'], second['doubtful'], second['warnings']) == ('ANB', 'yes', 'blank; grey')


def test_json_marks_each_value_where_landmarks_were_assessed(tmp_path, xrays):
    marked = replace(xrays[0], flagged=FLAGS, flagged_measurements=frozenset({'SNA'}), warnings=('grey',))
    first, second = json_written(tmp_path, [marked, xrays[1]])['images']
    assert {name: value['flagged'] for name, value in first['values'].items()} == {'SNA': True, 'ANB': False}
    assert (first['warnings'], first['doubtful']) == (['grey'], False)
    assert 'flagged' not in second['values']['ANB']
    (doubtful,) = json_written(tmp_path, [replace(marked, doubtful=True)])['images']
    assert doubtful['doubtful'] is True
