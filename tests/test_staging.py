import pytest

from cephalometric.errors import InputError
from cephalometric.staging import RECORD, staging


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def make(stage, *files):
    for name in files:
        (stage.folder / name).parent.mkdir(exist_ok=True)
        (stage.folder / name).write_text(f'new {name}')


def test_published_files_are_in_place_and_the_hidden_folder_is_gone(tmp_path):
    with staging(tmp_path / 'a' / 'b', 'images') as stage:
        make(stage, 'images/1.png', 'train.json', 'not published')
        assert names(tmp_path / 'a' / 'b')[0] == '.images.partial'
        stage.publish(['images/1.png', 'train.json'])
    assert names(tmp_path / 'a' / 'b') == ['images', 'images/1.png', 'train.json']


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, error):
    with pytest.raises(error), staging(tmp_path / 'a' / 'b', 'images') as stage:
        make(stage, 'images/1.png')
        raise error
    assert names(tmp_path) == []


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / 'data').mkdir()
    with pytest.raises(ValueError), staging(tmp_path / 'data', 'images'):
        raise ValueError
    assert names(tmp_path) == ['data']


def test_a_failure_while_publishing_takes_back_what_was_published(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(InputError, match='cannot be written'), staging(tmp_path, 'images') as stage:
        make(stage, 'images/1.png')
        stage.publish(['images/1.png', 'absent.json'])
    assert [name for name in names(tmp_path) if name != 'images'] == ['notes.txt']


def test_older_files_make_way(tmp_path):
    for name in ('train.json', '7.png', 'notes.txt'):
        (tmp_path / name).write_text('old')
    with staging(tmp_path, 'images') as stage:
        make(stage, 'train.json')
        stage.publish(['train.json'], replaced=['train.json', '7.png'])
    assert names(tmp_path) == ['notes.txt', 'train.json']
    assert (tmp_path / 'train.json').read_text() == 'new train.json'


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    killed = tmp_path / '.images.partial'
    killed.mkdir()
    (killed / RECORD).write_text('["1.png", "2.png", "train.json"]')
    (killed / 'train.json').write_text('half')
    (tmp_path / '1.png').write_text('half')
    with staging(tmp_path, 'images') as stage:
        assert names(tmp_path) == ['.images.partial', f'.images.partial/{RECORD}', 'notes.txt']
        stage.publish([])
    assert names(tmp_path) == ['notes.txt']


def test_a_foreign_folder_is_not_touched(tmp_path):
    foreign = tmp_path / '.images.partial'
    foreign.mkdir()
    (foreign / 'letter.txt').write_text('mine')
    with pytest.raises(InputError, match='not made by an earlier run'), staging(tmp_path, 'images'):
        pytest.fail('the block must not be entered')
    assert names(tmp_path) == ['.images.partial', '.images.partial/letter.txt']


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / 'data').write_text('mine')
    with pytest.raises(InputError, match='data cannot be written to'), staging(tmp_path / 'data', 'images'):
        pytest.fail('the block must not be entered')
    assert (tmp_path / 'data').read_text() == 'mine'
