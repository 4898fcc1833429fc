import pytest

from cephalometric.errors import InputError
from cephalometric.formats.atomic import atomic_write
from cephalometric.formats.json_files import read_json, write_json


def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / 'scores.json'
    with atomic_write(path) as partial:
        partial.write_text('new')
        assert not path.exists()
    assert path.read_text() == 'new'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_a_failure_keeps_the_old_file(tmp_path, error):
    path = tmp_path / 'scores.json'
    path.write_text('old')
    with pytest.raises(error), atomic_write(path) as partial:
        partial.write_text('half')
        raise error
    assert path.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(('name', 'message'), [('absent/scores.json', 'does not exist'), ('.', 'is a folder')])
def test_places_that_cannot_be_written(tmp_path, name, message):
    with pytest.raises(InputError, match=message), atomic_write(tmp_path / name):
        pytest.fail('the block must not be entered')


def test_an_error_of_the_file_system_is_named(tmp_path):
    with pytest.raises(InputError, match=r'scores\.json cannot be written'), atomic_write(tmp_path / 'scores.json'):
        raise OSError(28, 'No space left on device')


def test_json_round_trip_is_the_same_bytes(tmp_path):
    content = {'b': [1, 0.1, 'é'], 'a': None}
    write_json(tmp_path / 'a.json', content)
    write_json(tmp_path / 'b.json', read_json(tmp_path / 'a.json'))
    assert read_json(tmp_path / 'b.json') == content
    assert (tmp_path / 'a.json').read_bytes() == (tmp_path / 'b.json').read_bytes()


def test_json_without_nan(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / 'a.json', [float('nan')])
    assert not list(tmp_path.iterdir())
