"""The table of a reader, which ``measure`` and step 2 read as they read that of ``predict``."""

import numpy as np
from test_review_record import LANDMARKS, after, begin, move

from cephalometric.annotations.csv_labels import read_any_csv
from cephalometric.errors import Problems
from cephalometric.results.point_files import read_point_file
from cephalometric.reviewing.record_json import record_content
from cephalometric.reviewing.review_table import ReviewTable


def test_measure_and_step_2_read_it_and_what_is_not_visible_is_no_point(tmp_path):
    table = ReviewTable(tmp_path / 'landmarks.csv', '=reader', LANDMARKS)
    record = after(begin(), move('S', 3.125, 4), {'kind': 'hide', 'landmarks': ['N']})
    table.take('film', record_content(record))
    table.end()
    assert table.done('film') == 2 and table.done('other') == 0
    text = (tmp_path / 'landmarks.csv').read_text()
    assert 'film,S,sella,3.12,4.00,0.1,yes,corrected,2026-01-02T03:04:05+00:00' in text and 'film,N,nasion,,,' in text
    (xray,) = read_point_file(tmp_path / 'landmarks.csv').xrays
    assert xray.spacing_mm == 0.1 and xray.points_px[0].tolist() == [3.12, 4]
    assert np.isnan(xray.points_px[1]).all() and not xray.predicted
    labels = read_any_csv(tmp_path / 'landmarks.csv', LANDMARKS, Problems())['film']
    np.testing.assert_array_equal(labels.points_px, np.where(np.arange(19)[:, None] < 15, xray.points_px, np.nan))


def test_a_place_that_is_said_not_to_be_visible_is_no_point_either(tmp_path):
    path = tmp_path / 'own.csv'
    path.write_text('image,landmark,x_px,y_px,visible\nfilm,S,1,2,yes\nfilm,N,3,4,no\n')
    (xray,) = read_point_file(path).xrays
    assert np.isfinite(xray.points_px[0]).all() and np.isnan(xray.points_px[1]).all()
    labels = read_any_csv(path, LANDMARKS, Problems())['film']
    assert labels.visible.tolist() == [True] + [False] * 18


def test_nothing_is_written_while_nothing_is_done(tmp_path):
    table = ReviewTable(tmp_path / 'landmarks.csv', 'A', LANDMARKS)
    table.start()
    table.end()
    assert not (tmp_path / 'landmarks.csv').exists()
