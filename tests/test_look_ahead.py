"""Films are predicted one at a time, those that are looked at first, and each once."""

import threading
import time

import pytest
from films import LANDMARKS, phantoms
from review_films import predicted, write_results

from cephalometric.errors import InputError
from cephalometric.reviewing.look_ahead import LookAhead, ReviewModel
from cephalometric.reviewing.review_inputs import open_review


class Finder:
    """Finds the landmarks of a film at once, or when it is told to."""

    def __init__(self):
        self.names, self.go = [], threading.Event()
        self.go.set()

    def __call__(self, xray):
        self.go.wait(10)
        self.names.append(xray.name)
        if xray.name == 'broken':
            raise ZeroDivisionError('a defect')
        size = xray.image.shape[1], xray.image.shape[0]
        return predicted(xray.name, xray.path, phantoms()['film1'].points_px, size)


@pytest.fixture
def films(tmp_path):
    folder = write_results(tmp_path / 'results', ['one', 'two', 'three', 'broken'])
    return open_review([folder / 'films']).films


def look(films, folder, finder, weights='a', everything=False):
    model = ReviewModel(finder, LANDMARKS, {'names': ['tiny'], 'weights_ids': [weights]})
    ahead = LookAhead(model, films, lambda film: film.read(), folder, everything)
    ahead.start()
    return ahead


def test_what_is_asked_last_comes_first_and_is_kept(films, tmp_path):
    finder = Finder()
    finder.go.clear()
    ahead = look(films, tmp_path / 'kept', finder)
    names = [film.stem for film in films]
    ahead.ask([1])
    time.sleep(0.2)
    ahead.ask([3, 2])
    ahead.ask([2, 1])  # The film on its way is not done twice.
    assert ahead.found(2) is None
    finder.go.set()
    assert ahead.found(2, 10).name == names[2]
    ahead.ask([2])
    time.sleep(0.2)
    ahead.end()
    assert finder.names == [names[1], names[2]]
    again = Finder()
    ahead = look(films, tmp_path / 'kept', again)
    assert ahead.found(2).name == names[2] and again.names == []
    ahead.end()
    other = look(films, tmp_path / 'kept', again, weights='b')
    assert other.found(2) is None
    other.end()


def test_a_film_that_cannot_be_read_or_predicted_costs_no_other(films, tmp_path, capsys):
    films[3].path.write_bytes(b'damaged')
    ahead = look(films, tmp_path / 'kept', Finder(), everything=True)
    failed = 0
    for number in range(4):
        try:
            assert ahead.found(number, 10) is not None
        except InputError:
            failed += 1
    ahead.end()
    assert failed == 2 and 'ZeroDivisionError' in capsys.readouterr().err
