"""Training curves: a table that survives resumption, and a picture."""

import csv

import cv2

from cephalometric.reporting.training_curves import COLUMNS, Curves


def rows(folder):
    return list(csv.DictReader((folder / 'curves.csv').open()))


def test_table_and_picture(tmp_path):
    curves = Curves(tmp_path)
    curves.add(1, loss=0.5, learning_rate=0.1)
    curves.add(2, loss=0.25, learning_rate=0.1)
    curves.add(2, **{'MRE': 3.5, 'SDR 2.0mm': 40.0, 'data_time': 9.0})
    curves.write_table()
    curves.draw()
    first, second = rows(tmp_path)
    assert tuple(first) == COLUMNS
    assert (first['epoch'], first['loss'], first['MRE']) == ('1', '0.5', '')
    assert (second['MRE'], second['SDR 2.0mm']) == ('3.5', '40.0')
    picture = cv2.imread(str(tmp_path / 'curves.png'))
    assert picture.shape[1] > picture.shape[0] and len({tuple(pixel) for pixel in picture.reshape(-1, 3)[::97]}) > 3


def test_a_resumed_run_keeps_finished_epochs_and_drops_later_ones(tmp_path):
    first = Curves(tmp_path)
    for epoch in (1, 2, 3):
        first.add(epoch, loss=epoch / 3)
    first.write_table()
    resumed = Curves(tmp_path, finished_epochs=2)
    resumed.add(3, loss=9.0)
    resumed.write_table()
    assert [row['loss'] for row in rows(tmp_path)] == [str(1 / 3), str(2 / 3), '9.0']


def test_a_new_run_starts_a_new_table(tmp_path):
    first = Curves(tmp_path)
    first.add(1, loss=1.0)
    first.write_table()
    again = Curves(tmp_path)
    again.add(1, loss=2.0)
    again.write_table()
    assert [row['loss'] for row in rows(tmp_path)] == ['2.0']
