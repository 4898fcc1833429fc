"""What the page asks for, without a server: a film that waits for its prediction, another picture, no calibration."""

import threading

import cv2
import numpy as np
import pytest
from films import LANDMARKS
from review_films import write_results
from test_look_ahead import Finder

from cephalometric.errors import InputError
from cephalometric.reviewing.look_ahead import ReviewModel
from cephalometric.reviewing.review_desk import ReviewDesk
from cephalometric.reviewing.review_inputs import open_review

MOVE = {'kind': 'move', 'landmark': 'S', 'x_px': 20, 'y_px': 30}
EDIT = {'base': 0, 'request': 'x', 'commands': [MOVE]}


@pytest.fixture
def folder(tmp_path):
    return write_results(tmp_path / 'results', ['one', 'two'])


def desk_of(inputs, out, model=None):
    desk = ReviewDesk(open_review(inputs).films, LANDMARKS, out, 'Ann', model)
    desk.start()
    return desk


def test_a_film_waits_for_its_prediction_and_the_next_one_is_ahead(folder, tmp_path):
    finder = Finder()
    finder.go = threading.Event()
    model = ReviewModel(finder, LANDMARKS, {'names': ['tiny'], 'weights_ids': ['a']})
    desk = desk_of([folder / 'films'], tmp_path / 'out', model)
    assert desk.film(0, [1]) == {'pending': True} and desk.rows()[0]['doubt'] is None
    with pytest.raises(InputError, match='not predicted yet'):
        desk.edit(0, EDIT)
    finder.go.set()
    while desk.film(0, [1]) == {'pending': True}:
        pass
    assert desk.film(0)['doubtful'].count(True) == 2 and desk.edit(0, EDIT)[0]
    while desk.rows()[1]['doubt'] is None:
        pass
    desk.end()
    kept = desk.store.load('one')[1]['begun_with']
    assert kept['model']['names'] == ['tiny'] and kept['found'][0]['expected_error_mm'] == 1


def test_a_record_of_another_picture_is_refused_and_kept(folder, tmp_path):
    desk = desk_of([folder / 'films'], tmp_path / 'out')
    desk.edit(0, EDIT)
    before = desk.store.path_of('one').read_bytes()
    image = cv2.imread(str(desk.films[0].path), 0)
    cv2.imwrite(str(desk.films[0].path), 255 - image)
    for ask in (lambda: desk.film(0), lambda: desk.edit(0, EDIT | {'base': 1, 'request': 'y'})):
        with pytest.raises(InputError, match='of another picture than'):
            ask()
    assert desk.store.path_of('one').read_bytes() == before
    desk.end()


def test_work_of_an_earlier_time_is_in_the_list_and_the_table(folder, tmp_path):
    first = desk_of([folder], tmp_path / 'out')
    first.edit(1, EDIT)
    first.end()
    (tmp_path / 'out' / 'Ann' / 'landmarks.csv').unlink()
    desk = desk_of([folder], tmp_path / 'out')
    assert [row['done'] for row in desk.rows()] == [0, 1]
    assert len((tmp_path / 'out' / 'Ann' / 'landmarks.csv').read_text().splitlines()) == 20
    desk.end()


def test_a_folder_with_other_landmarks_is_refused_at_once(folder, tmp_path):
    desk_of([folder], tmp_path / 'out').edit(0, EDIT)
    path = tmp_path / 'out' / 'Ann' / 'one.json'
    path.write_text('{"landmarks": 1}')
    with pytest.raises(InputError, match='not a review of these landmarks'):
        desk_of([folder], tmp_path / 'out')


def test_what_cannot_be_measured_is_said(folder, tmp_path):
    desk = desk_of([folder], tmp_path / 'out')
    asked = {'analysis': 'steiner', 'points': [None] * 19, 'expected_mm': [None] * 19, 'doubtful': [False] * 19}
    assert all(row['why_not'] for group in desk.values(asked)['groups'] for row in group['rows'])
    points = [[], *([point] * 19 for point in ([1, float('nan')], [1, 1e300], ['1', 2], [1], 7))]
    others = ({'analysis': 'x'}, {'spacing_mm': -1}, {'sex': 'x'}, {'age': -5}, {'doubtful': None})
    for change in (*others, *({'points': wrong} for wrong in points)):
        with pytest.raises(InputError, match='nothing that can be measured'):
            desk.values(asked | change)
    assert np.isfinite(desk.film(0)['width'])
    desk.end()
