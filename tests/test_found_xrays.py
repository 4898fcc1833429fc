"""X-rays that results name are found again, and others are said."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from test_predictions import predicted

from cephalometric.reporting.found_xrays import find_xrays_of
from cephalometric.xrays.mha import write_stack


@pytest.fixture
def said():
    return []


def test_images_come_with_their_results_and_a_name_of_their_own(tmp_path, said):
    xrays = []
    for folder in ('a', 'b'):
        (tmp_path / folder).mkdir()
        film = tmp_path / folder / 'film.png'
        cv2.imwrite(str(film), np.full((24, 19), 50 if folder == 'a' else 90, np.uint8))
        xrays.append(replace(predicted('film'), file=str(film), width=19, height=24))
    found = list(find_xrays_of(xrays, said.append))
    assert [(xray.file, int(image[0, 0])) for _, xray, image in found] == [(xrays[0].file, 50), (xrays[1].file, 90)]
    assert len({stem for stem, *_ in found}) == 2 and said == []


def test_slices_are_matched_by_their_number(tmp_path, said):
    slices = np.stack([np.full((24, 19, 3), level, np.uint8) for level in (40, 80, 120)])
    write_stack(tmp_path / 'stack.mha', slices, 3)
    xray = replace(predicted('stack_2'), file=str(tmp_path / 'stack.mha'), slice=2, width=19, height=24)
    ((_, found, image),) = find_xrays_of([xray], said.append)
    assert found is xray and image.max() == 80 and said == []


def test_what_is_gone_or_another_image_by_now_is_said_and_costs_the_others_nothing(tmp_path, said):
    for name, size in (('other', (10, 10)), ('same', (24, 19))):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.zeros(size, np.uint8))
    xrays = [
        replace(predicted(name), file=str(tmp_path / f'{name}.png'), width=19, height=24)
        for name in ('gone', 'other', 'same')
    ]
    assert [xray.name for _, xray, _ in find_xrays_of(xrays, said.append)] == ['same']
    assert len(said) == 2 and 'gone.png' in said[0] and 'is 10 x 10 pixels' in said[1]


def test_results_of_a_table_name_no_files(said):
    assert list(find_xrays_of([replace(predicted(), file='')], said.append)) == []
    assert said == ['nothing is drawn, because a CSV file names no X-ray files: give predictions.json, or --images']
