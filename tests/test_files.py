"""JSON files: clear messages, the same bytes for the same content, whole or not at all.

Checksums of files.
"""

import os
import stat
import subprocess
import sys
import threading

import pytest

from cephalometric.errors import InputError
from cephalometric.files import RECORD, atomic_write, check_place, read_json, sha256, staging, write_json


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


def test_what_is_written_is_read_and_the_bytes_repeat(tmp_path):
    content = {'b': [1, 2.5, None], 'a': "Pog'"}
    for name in ('one.json', 'two.json'):
        write_json(tmp_path / name, content)
    assert read_json(tmp_path / 'one.json') == content
    assert (tmp_path / 'one.json').read_bytes() == (tmp_path / 'two.json').read_bytes()


@pytest.mark.parametrize('text', ['', '{', '[1,', 'NaN]', '\x00'])
def test_invalid_json_is_named(tmp_path, text):
    (tmp_path / 'bad.json').write_text(text)
    with pytest.raises(InputError, match=r'bad\.json: invalid JSON'):
        read_json(tmp_path / 'bad.json')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'gone\.json cannot be read'):
        read_json(tmp_path / 'gone.json')


def test_content_that_json_does_not_know_leaves_the_old_file(tmp_path):
    write_json(tmp_path / 'scores.json', {'MRE': 1.0})
    with pytest.raises(ValueError, match='JSON'):
        write_json(tmp_path / 'scores.json', {'MRE': float('nan')})
    assert read_json(tmp_path / 'scores.json') == {'MRE': 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ['scores.json']


def test_it_is_the_published_one(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'abc')
    # The example of FIPS 180-2, appendix B.1.
    assert sha256(path) == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'


def test_a_missing_file_has_no_checksum(tmp_path):
    with pytest.raises(InputError, match='missing file cannot be read'):
        sha256(tmp_path / 'missing file')


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


def test_a_link_of_the_users_stays_and_its_file_is_written(tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    link, target = tmp_path / 'scores.json', tmp_path / 'elsewhere' / 'real.json'
    link.symlink_to(target)
    for text in ('first', 'second'):
        with atomic_write(link) as partial:
            partial.write_text(text)
        assert link.is_symlink() and target.read_text() == text and not target.is_symlink()
    assert names(tmp_path) == ['elsewhere', 'elsewhere/real.json', 'scores.json']


def test_a_planted_link_at_the_temporary_name_is_not_followed(tmp_path):
    precious = tmp_path / 'precious'
    precious.write_text('mine')
    with atomic_write(tmp_path / 'scores.json') as partial:
        temporary = partial.name
    (tmp_path / temporary).symlink_to(precious)
    with atomic_write(tmp_path / 'scores.json') as partial:
        assert not partial.is_symlink()
        partial.write_text('new')
    assert precious.read_text() == 'mine' and (tmp_path / 'scores.json').read_text() == 'new'


def test_several_at_once_do_not_disturb_each_other(tmp_path):
    path = tmp_path / 'scores.json'
    with atomic_write(path) as first, atomic_write(path) as second:
        assert first != second
        first.write_text('first')
        second.write_text('second')
    assert path.read_text() == 'first' and names(tmp_path) == ['scores.json']

    def write(number):
        for _ in range(20):
            write_json(path, [number] * 1000)

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = read_json(path)
    assert len(content) == 1000 and len(set(content)) == 1 and names(tmp_path) == ['scores.json']


def test_what_a_killed_run_leaves_goes_with_the_next(tmp_path):
    script = (
        'import os, sys\nfrom cephalometric.files import atomic_write\n'
        'with atomic_write(sys.argv[1]) as partial:\n    partial.write_text("half")\n    os.kill(os.getpid(), 9)'
    )
    path = tmp_path / 'scores.json'
    path.write_text('old')
    subprocess.run([sys.executable, '-c', script, path])
    assert path.read_text() == 'old' and len(names(tmp_path)) > 1
    write_json(path, 1)
    assert names(tmp_path) == ['scores.json']


def test_an_error_of_what_is_read_meanwhile_is_not_blamed_on_the_output(tmp_path):
    with pytest.raises(InputError) as caught, atomic_write(tmp_path / 'out.json') as partial:
        partial.write_text((tmp_path / 'gone.txt').read_text())
    assert str(caught.value).startswith(str(tmp_path / 'gone.txt')) and 'cannot be written' not in str(caught.value)
    assert names(tmp_path) == []


@pytest.mark.parametrize('umask', [0o022, 0o077, 0o002])
def test_the_rights_are_those_of_new_files(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_json(tmp_path / 'a.json', 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / 'a.json').stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize('path', ['/dev/null', '/dev/full'])
def test_a_device_is_not_replaced(path):
    with pytest.raises(InputError, match='neither a file nor new'), atomic_write(path):
        pytest.fail('the block must not be entered')
    assert stat.S_ISCHR(os.stat(path).st_mode)


@pytest.mark.parametrize('name', ['x' * 255, 'x' * 256, 'a\0b'])
def test_a_name_at_its_longest_and_names_that_are_none(tmp_path, name):
    if len(name) == 255:
        write_json(tmp_path / name, 1)
        assert names(tmp_path) == [name]
    else:
        with pytest.raises(InputError, match='cannot be written'):
            write_json(tmp_path / name, 1)


def test_a_place_is_checked_before_the_work_and_nothing_stays(tmp_path):
    check_place(tmp_path / 'a.json')
    assert names(tmp_path) == []
    for path in (tmp_path, tmp_path / 'none' / 'a.json', tmp_path / 'a.json' / 'b.json'):
        with pytest.raises(InputError):
            check_place(path)


@pytest.mark.skipif(os.name == 'nt', reason='Windows limits no files by size')
def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path):
    # A file may be no larger than the limit, which is how a disk that has no room left looks to a program.
    script = (
        'import resource, signal, sys\nfrom cephalometric.errors import run_step\n'
        'from cephalometric.files import write_json\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n'
        'run_step(lambda: write_json(sys.argv[1], ["x" * 100000]))'
    )
    path = tmp_path / 'scores.json'
    path.write_text('old')
    done = subprocess.run([sys.executable, '-c', script, path], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == f'error: {path} cannot be written: File too large\n'
    assert path.read_text() == 'old' and names(tmp_path) == ['scores.json']
