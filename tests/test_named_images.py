"""A table of landmarks, as a reader leaves it, is drawn on the images that it names."""

import cv2
import numpy as np
import pytest
from command_lines import call
from films import LANDMARKS, points, write_images
from test_found_xrays import said  # noqa: F401

from cephalometric.csv_files import write_csv
from cephalometric.errors import InputError
from cephalometric.reporting.found_xrays import find_xrays_of
from cephalometric.reporting.named_images import with_image_files
from cephalometric.results.point_files import read_point_file
from cephalometric.xrays.mha import write_stack


def write_table(path, names):
    rows = [
        [name, short, x, y, 0.5, 'yes', 'corrected', '2026-01-02']
        for name in names
        for short, (x, y) in zip(LANDMARKS.abbreviations, points()['film1'].tolist(), strict=True)
    ]
    write_csv(path, [['image', 'landmark', 'x_px', 'y_px', 'spacing_mm', 'visible', 'status', 'date'], *rows])
    return path


def test_measure_draws_what_the_table_names(tmp_path):
    folder = write_images(tmp_path / 'films')
    table = write_table(tmp_path / 'landmarks.csv', ['film2', 'film1.png', 'gone'])
    status, _, err = call('measure', table, '--out', tmp_path / 'out', '--images', folder)
    drawn = sorted(path.name for path in (tmp_path / 'out' / 'analyses').iterdir())
    assert status == 0 and len(drawn) == 2 and drawn[1].startswith('film2_')
    assert 'no image of --images has its name: gone' in err
    assert cv2.imread(str(tmp_path / 'out' / 'analyses' / drawn[0])).shape[0] > 1000


def test_slices_are_found_by_their_number(tmp_path, said):  # noqa: F811
    write_stack(tmp_path / 'stack.mha', np.stack([np.full((240, 200, 3), n, np.uint8) for n in (40, 80)]), 2)
    table = read_point_file(write_table(tmp_path / 'landmarks.csv', ['stack_002']))
    ((_, xray, image),) = find_xrays_of(
        with_image_files(table, [tmp_path / 'stack.mha'], said.append).xrays, said.append
    )
    assert xray.slice == 2 and image.max() == 80 and said == []


def test_a_folder_without_images_is_refused(tmp_path):
    table = read_point_file(write_table(tmp_path / 'landmarks.csv', ['film']))
    with pytest.raises(InputError, match='no X-ray found'):
        with_image_files(table, [tmp_path], print)
