"""Predictions read from the disk one by one: the same as all at once, and what is damaged is named."""

import json

import numpy as np
import pytest
from test_predictions import LANDMARKS, predicted

from cephalometric.errors import InputError
from cephalometric.results.point_files import read_point_file
from cephalometric.results.predictions import Predictions, parse_predictions, write_predictions
from cephalometric.results.stored_xrays import StoredXrays, read_predictions


def write(path, count=3, failed=()):
    xrays = tuple(predicted(f'film{n}', spacing_mm=0.1 if n % 2 else 5.0) for n in range(count))
    write_predictions(path, Predictions(LANDMARKS, xrays, dict(failed), {'names': ['m']}, run={'files': count}))
    return path


@pytest.mark.parametrize('count', [0, 1, 3])
@pytest.mark.parametrize('failed', [{}, {'a.png': 'damaged', 'b.png': 'gone'}])
def test_they_are_those_of_the_whole_file(tmp_path, count, failed):
    path = write(tmp_path / 'predictions.json', count, failed)
    whole, stored = parse_predictions(path, json.loads(path.read_text())), read_predictions(path)
    assert isinstance(stored.xrays, StoredXrays) and len(stored.xrays) == count == len(list(stored.xrays))
    assert (stored.failed, stored.run, stored.model, stored.complete) == (failed, {'files': count}, whole.model, True)
    for one, other in zip(stored.xrays, whole.xrays, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.points_px, other.points_px)
    assert [json.loads(text) for text in stored.xrays.texts()] == json.loads(path.read_text())['images']
    if count:
        assert stored.xrays[-1].name == f'film{count - 1}'


def test_a_file_that_somebody_has_saved_anew_is_read_whole(tmp_path):
    path = write(tmp_path / 'predictions.json')
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    assert isinstance(read_predictions(path).xrays, tuple)


def test_changes_are_made_when_they_are_read(tmp_path):
    found = read_point_file(write(tmp_path / 'predictions.json'), spacing_mm=7.0)
    assert isinstance(found.xrays, StoredXrays)
    assert {xray.spacing_mm for xray in found.xrays} == {7.0}
    assert all('unusual' in xray.warnings[-1] for xray in found.xrays) and len(found.notes) == 3


@pytest.mark.parametrize('cut', [0.3, 0.6, 0.99])
def test_a_damaged_file_is_refused(tmp_path, cut):
    path = write(tmp_path / 'predictions.json')
    content = path.read_bytes()
    path.write_bytes(content[: int(cut * len(content))])
    with pytest.raises(InputError, match='predictions'):
        read_predictions(path)
