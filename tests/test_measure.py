"""The command measure by real command lines."""

import json

import cv2
import numpy as np
import pytest
from command_lines import call, rows_of
from test_predictions import LANDMARKS, predicted, written

from cephalometric.annotations.coco import load_coco
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import measure


def test_the_ground_truth_of_a_coco_file_is_measured_and_drawn(data_root, tmp_path):
    status, stdout, _ = call(
        'measure', data_root / 'test.json', '--out', tmp_path / 'out', '--analysis', 'steiner', 'downs'
    )
    assert status == 0 and 'measurements of 3 X-rays' in stdout
    labelled = load_coco(data_root / 'test.json')
    image = labelled.images[0]
    expected = measure(image.points_px, load_landmark_set(labelled.landmark_set), image.spacing_mm)
    row = rows_of(tmp_path / 'out' / 'measurements.csv')[0]
    assert float(row['SNA (deg)']) == pytest.approx(expected['SNA'], abs=0.001)
    assert float(row['wits (mm)']) == pytest.approx(expected['wits'], abs=0.001)
    content = json.loads((tmp_path / 'out' / 'measurements.json').read_text())
    assert content['images'][0]['values']['SNA']['value'] == pytest.approx(expected['SNA'])
    pictures = sorted(path.name for path in (tmp_path / 'out' / 'analyses').iterdir())
    assert len(pictures) == 6 and pictures[0].endswith('_downs.png')
    drawn = cv2.imread(str(tmp_path / 'out' / 'analyses' / pictures[0]))
    assert drawn.shape[2] == 3 and (drawn[..., 0] != drawn[..., 2]).any()


def test_predictions_as_json_and_as_csv_measure_the_same(tmp_path):
    xray = predicted()
    xray.points_px[:] = np.random.default_rng(0).uniform(0, 1500, xray.points_px.shape)
    written(tmp_path, xray)
    for name in ('predictions.json', 'landmarks.csv'):
        assert call('measure', tmp_path / name, '--out', tmp_path / name.partition('.')[2], '--no-overlay')[0] == 0
    (from_json,), (from_csv,) = (rows_of(tmp_path / kind / 'measurements.csv') for kind in ('json', 'csv'))
    assert from_json.keys() == from_csv.keys()
    for name in from_json.keys() - {'image'}:
        assert float(from_json[name]) == pytest.approx(float(from_csv[name]), abs=0.01), name
    assert not (tmp_path / 'json' / 'analyses').exists()


def test_without_a_spacing_there_are_no_lengths_unless_one_is_given(tmp_path):
    written(tmp_path, predicted(spacing_mm=None))
    call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'a', '--no-overlay')
    assert not [name for name in rows_of(tmp_path / 'a' / 'measurements.csv')[0] if '(mm)' in name]
    call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'b', '--no-overlay', '--spacing', 0.1)
    assert [name for name in rows_of(tmp_path / 'b' / 'measurements.csv')[0] if '(mm)' in name]


def test_xrays_that_are_not_found_or_changed_are_not_drawn_and_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, predicted('gone'), predicted('other'))
    (tmp_path / 'films').mkdir()
    cv2.imwrite(str(tmp_path / 'films' / 'other.png'), np.zeros((24, 19), np.uint8))
    status, _, stderr = call('measure', 'predictions.json', '--out', 'out')
    assert status == 0 and 'films/gone.png' in stderr and 'is 19 x 24 pixels' in stderr
    assert list((tmp_path / 'out' / 'analyses').iterdir()) == []
    assert len(rows_of(tmp_path / 'out' / 'measurements.csv')) == 2
    status, _, stderr = call('measure', 'landmarks.csv', '--out', 'from_csv')
    assert status == 0 and 'nothing is drawn' in stderr


def test_mistakes_end_with_status_2(tmp_path):
    written(tmp_path, predicted())
    file, out = tmp_path / 'predictions.json', tmp_path / 'out'
    assert call('measure', file, '--out', out, '--no-overlay')[0] == 0
    before = (out / 'measurements.csv').read_bytes()
    for arguments, words in (
        ((file, '--out', out), '--overwrite'),
        ((file, '--out', tmp_path / 'new', '--analysis', 'nobody'), 'steiner'),
        ((file, '--out', tmp_path / 'new', '--spacing', 0), '0'),
        ((file, '--out', file), 'is a file'),
        ((tmp_path / 'none.json', '--out', tmp_path / 'new'), 'none.json cannot be read'),
    ):
        status, _, stderr = call('measure', *arguments)
        assert status == 2 and stderr.startswith('error: ') and words in stderr
    assert (out / 'measurements.csv').read_bytes() == before and not (tmp_path / 'new').exists()
    assert call('measure', file, '--out', out, '--no-overlay', '--overwrite')[0] == 0


def test_a_measurement_of_ones_own(tmp_path):
    written(tmp_path, predicted())
    entry = {
        'name': 'mine',
        'title': 'My angle',
        'unit': 'deg',
        'formula': {'angle': list(LANDMARKS.abbreviations[:3])},
        'sign': 'larger: more',
        'definition': 'An angle.',
        'source': 'here',
    }
    (tmp_path / 'mine.json').write_text(json.dumps({'measurements': [entry]}))
    options = ('--measurements', tmp_path / 'mine.json', '--no-overlay')
    assert call('measure', tmp_path / 'predictions.json', '--out', tmp_path / 'out', *options)[0] == 0
    assert float(rows_of(tmp_path / 'out' / 'measurements.csv')[0]['mine (deg)']) > 0
