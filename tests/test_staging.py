"""Many files that appear together or not at all; nothing is removed that the step has not made."""

import json
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.preparation.staging import RECORD, staging

MADE = re.compile(r'images/[0-9]+\.png|(train|valid|absent)\.json')


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def make(stage, *files):
    for name in files:
        (stage.folder / name).parent.mkdir(exist_ok=True)
        (stage.folder / name).write_text(f'new {name}')


def test_published_files_are_in_place_and_the_hidden_folder_is_gone(tmp_path):
    with staging(tmp_path / 'a' / 'b', 'images', MADE) as stage:
        make(stage, 'images/1.png', 'train.json', 'valid.json')
        assert names(tmp_path / 'a' / 'b')[0] == '.images.partial'
        stage.publish(['images/1.png', 'train.json'])
    assert names(tmp_path / 'a' / 'b') == ['images', 'images/1.png', 'train.json']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, error):
    with pytest.raises(error), staging(tmp_path / 'a' / 'b', 'images', MADE) as stage:
        make(stage, 'images/1.png')
        raise error
    assert names(tmp_path) == []


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / 'data').mkdir()
    with pytest.raises(ValueError), staging(tmp_path / 'data', 'images', MADE):
        raise ValueError
    assert names(tmp_path) == ['data']


def test_a_failure_while_publishing_takes_back_what_was_published(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(InputError, match='cannot be written'), staging(tmp_path, 'images', MADE) as stage:
        make(stage, 'images/1.png')
        stage.publish(['images/1.png', 'absent.json'])
    assert [name for name in names(tmp_path) if name != 'images'] == ['notes.txt']


def test_older_files_make_way(tmp_path):
    (tmp_path / 'images').mkdir()
    for name in ('train.json', 'images/7.png', 'notes.txt'):
        (tmp_path / name).write_text('old')
    with staging(tmp_path, 'images', MADE) as stage:
        make(stage, 'train.json')
        stage.publish(['train.json'], replaced=['train.json', 'images/7.png'])
    assert names(tmp_path) == ['images', 'notes.txt', 'train.json']
    assert (tmp_path / 'train.json').read_text() == 'new train.json'


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    killed = tmp_path / '.images.partial'
    killed.mkdir()
    (killed / RECORD).write_text('["images/1.png", "images/2.png", "train.json"]')
    (killed / 'train.json').write_text('half')
    (killed / '.valid.json.1f.partial').write_text('half')
    (killed / '.valid.json.lock').write_text('process 5')
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / '1.png').write_text('half')
    with staging(tmp_path, 'images', MADE) as stage:
        assert names(tmp_path) == ['.images.partial', f'.images.partial/{RECORD}', 'images', 'notes.txt']
        stage.publish([])
    assert names(tmp_path) == ['images', 'notes.txt']


def test_a_foreign_folder_is_not_touched(tmp_path):
    foreign = tmp_path / '.images.partial'
    foreign.mkdir()
    (foreign / 'letter.txt').write_text('mine')
    with pytest.raises(InputError, match='not made by an earlier run'), staging(tmp_path, 'images', MADE):
        pytest.fail('the block must not be entered')
    assert names(tmp_path) == ['.images.partial', '.images.partial/letter.txt']


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / 'data').write_text('mine')
    with pytest.raises(InputError, match='data cannot be written to'), staging(tmp_path / 'data', 'images', MADE):
        pytest.fail('the block must not be entered')
    assert (tmp_path / 'data').read_text() == 'mine'


def planted(root, record, *inside):
    """A hidden folder as a killed run leaves it, with any record."""
    folder = root / '.images.partial'
    folder.mkdir(parents=True)
    (folder / RECORD).write_text(record)
    for name in inside:
        (folder / name).write_text('mine')
    return folder


def contents(folder):
    return {str(path): path.is_file() and path.read_bytes() for path in sorted(folder.rglob('*'))}


@pytest.mark.parametrize(
    'record',
    [
        ['../precious.txt'],
        ['images/../../precious.txt'],
        ['notes.txt'],
        ['images/1.png', 'images/holiday.jpg'],
        [3],
        {'images/1.png': 1},
        'images/1.png',
    ],
)
def test_a_record_of_other_files_removes_nothing(tmp_path, record):
    root = tmp_path / 'data'
    planted(root, json.dumps(record))
    (root / 'images').mkdir()
    for path in (tmp_path / 'precious.txt', root / 'notes.txt', root / 'images/1.png', root / 'images/holiday.jpg'):
        path.write_text('mine')
    before = contents(tmp_path)
    with pytest.raises(InputError, match='nothing was removed'), staging(root, 'images', MADE):
        pytest.fail('the block must not be entered')
    assert contents(tmp_path) == before


def test_an_absolute_path_in_a_record_removes_nothing(tmp_path):
    precious = tmp_path / 'precious.txt'
    precious.write_text('mine')
    planted(tmp_path / 'data', json.dumps([str(precious)]))
    with pytest.raises(InputError, match='does not make'), staging(tmp_path / 'data', 'images', MADE):
        pytest.fail('the block must not be entered')
    assert precious.exists()


def test_a_record_leads_through_no_link(tmp_path):
    root, elsewhere = tmp_path / 'data', tmp_path / 'elsewhere'
    elsewhere.mkdir()
    (elsewhere / '1.png').write_text('mine')
    planted(root, '["images/1.png"]')
    (root / 'images').symlink_to(elsewhere)
    with pytest.raises(InputError, match='behind a link'), staging(root, 'images', MADE):
        pytest.fail('the block must not be entered')
    assert (elsewhere / '1.png').exists()


def test_the_hidden_folder_may_be_no_link(tmp_path):
    elsewhere = planted(tmp_path / 'elsewhere', '[]')
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / '.images.partial').symlink_to(elsewhere)
    with pytest.raises(InputError, match='is no folder'), staging(tmp_path / 'data', 'images', MADE):
        pytest.fail('the block must not be entered')
    assert (elsewhere / RECORD).exists()


def test_a_letter_beside_a_record_is_not_removed(tmp_path):
    folder = planted(tmp_path, '[]', 'letter.txt')
    with pytest.raises(InputError, match='not made by an earlier run'), staging(tmp_path, 'images', MADE):
        pytest.fail('the block must not be entered')
    assert (folder / 'letter.txt').exists()


def test_a_name_that_the_step_does_not_make_is_not_published(tmp_path):
    with pytest.raises(ValueError, match='letter'), staging(tmp_path, 'images', MADE) as stage:
        stage.publish([], replaced=['letter.txt'])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=st.binary() | st.lists(st.text() | st.just('images/1.png')).map(lambda names: json.dumps(names).encode()))
@example(record=b'[]')
@example(record=b'["images/1.png"]')
def test_any_record_removes_only_what_the_step_makes(tmp_path_factory, record):
    root = tmp_path_factory.mktemp('data')
    (root / 'notes.txt').write_text('mine')
    (root / '.images.partial').mkdir()
    (root / '.images.partial' / RECORD).write_bytes(record)
    try:
        with staging(root, 'images', MADE):
            pass
    except InputError as error:
        assert '\n' not in str(error)
    assert (root / 'notes.txt').read_text() == 'mine'
