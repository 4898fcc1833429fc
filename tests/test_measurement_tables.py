"""Measurements as CSV and JSON."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from test_predictions import predicted

from cephalometric.formats.predictions import NOTICE
from cephalometric.measurements import load_measurements
from cephalometric.reporting.measurement_tables import write_measurement_json, write_measurements

MEASUREMENTS = [m for m in load_measurements() if m.name in ('SNA', 'ANB', 'wits')]


@pytest.fixture
def xrays():
    first = replace(predicted('a'), measurements={'SNA': 82.0, 'ANB': 9.5, 'wits': np.nan})
    return [first, replace(predicted('b'), measurements={'SNA': np.nan, 'ANB': 4.0, 'wits': np.nan})]


def test_a_column_for_each_measurement_that_any_image_has(tmp_path, xrays):
    write_measurements(tmp_path / 'out.csv', xrays, MEASUREMENTS)
    with open(tmp_path / 'out.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {'image': 'a', 'SNA (deg)': '82.000', 'ANB (deg)': '9.500'},
        {'image': 'b', 'SNA (deg)': '', 'ANB (deg)': '4.000'},
    ]


def test_json_says_what_a_value_means(tmp_path, xrays):
    write_measurement_json(tmp_path / 'out.json', xrays, MEASUREMENTS)
    content = json.loads((tmp_path / 'out.json').read_text())
    assert content['notice'] == NOTICE
    assert {entry['name'] for entry in content['measurements']} == {'SNA', 'ANB'}
    sna = next(m for m in MEASUREMENTS if m.name == 'SNA')
    values = content['images'][0]['values']
    assert values['SNA']['value'] == 82.0 and values['SNA']['unit'] == 'deg'
    assert values['SNA']['deviation_sd'] == pytest.approx((82 - sna.norm.mean) / sna.norm.sd)
    assert values['ANB']['class'] == 'Class II'
    assert 'SNA' not in content['images'][1]['values']
