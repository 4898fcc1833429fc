"""Folders of results: all of a run or nothing of it, what an earlier run made gives way, and a user's files stay."""

import json
import shutil
import subprocess
import sys

import pytest

from cephalometric.errors import InputError
from cephalometric.output_folder import RECORD, output_folder

NAMES = ('main.json', 'pictures')


def make(folder, *names, overwrite=True, text='new', publish=True):
    with output_folder(folder, NAMES, overwrite) as output:
        for name in names:
            (output.stage / name).parent.mkdir(exist_ok=True)
            (output.stage / name).write_text(f'{text} {name}')
        if publish:
            output.publish(last='main.json')


def tree(folder):
    """Every visible file by its path, and what is in it."""
    paths = {path.relative_to(folder): path for path in folder.rglob('*') if path.is_file()}
    return {name.as_posix(): path.read_text() for name, path in paths.items() if '/.' not in f'/{name.as_posix()}'}


def hidden(folder):
    return sorted(path.name for path in folder.rglob('.*'))


@pytest.fixture
def out(tmp_path):
    """The results of an earlier run, and files of a user among them."""
    folder = tmp_path / 'out'
    make(folder, 'main.json', 'pictures/a.png', 'pictures/b.png', 'table.csv', text='old')
    (folder / 'notes.txt').write_text('mine')
    (folder / 'pictures' / 'mine.png').write_text('mine')
    return folder


def test_results_are_in_place_and_only_the_record_is_hidden(tmp_path):
    make(tmp_path / 'a' / 'b', 'main.json', 'pictures/a.png')
    assert tree(tmp_path / 'a' / 'b') == {'main.json': 'new main.json', 'pictures/a.png': 'new pictures/a.png'}
    assert hidden(tmp_path / 'a' / 'b') == [RECORD]
    assert json.loads((tmp_path / 'a' / 'b' / RECORD).read_text())['complete'] is True


def test_what_the_earlier_run_made_goes_and_nothing_else(out):
    make(out, 'main.json', 'pictures/b.png')
    assert tree(out) == {
        'main.json': 'new main.json',
        'pictures/b.png': 'new pictures/b.png',
        'notes.txt': 'mine',
        'pictures/mine.png': 'mine',
    }


def test_a_folder_of_the_earlier_run_goes_if_it_is_empty(out):
    (out / 'pictures' / 'mine.png').unlink()
    make(out, 'main.json')
    assert not (out / 'pictures').exists()


def test_a_file_that_a_user_has_changed_stays(out):
    (out / 'pictures' / 'a.png').write_text('my own marks')
    make(out, 'main.json')
    assert tree(out)['pictures/a.png'] == 'my own marks' and 'pictures/b.png' not in tree(out)


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt, InputError])
def test_a_failure_leaves_the_earlier_results(out, error):
    before = tree(out)
    with pytest.raises(error), output_folder(out, NAMES, overwrite=True) as output:
        (output.stage / 'main.json').write_text('half')
        raise error
    assert tree(out) == before and hidden(out) == [RECORD]


def test_a_run_that_publishes_nothing_leaves_no_folder(tmp_path):
    make(tmp_path / 'a' / 'b', 'main.json', publish=False)
    assert list(tmp_path.iterdir()) == []


def test_without_leave_nothing_is_replaced(out):
    before = tree(out)
    with pytest.raises(InputError, match=r'holds main\.json already.*--overwrite'):
        make(out, 'main.json', overwrite=False)
    assert tree(out) == before


@pytest.mark.parametrize(
    'name', ['../precious.txt', '{folder}/precious.txt', 'link/precious.txt', 'a/../../precious.txt']
)
def test_a_record_names_nothing_outside(out, name):
    precious = out.parent / 'precious.txt'
    precious.write_text('old precious')
    (out / 'link').symlink_to(out.parent)
    record = json.loads((out / RECORD).read_text())
    checksum = next(iter(record['files'].values()))
    shutil.copy(out / next(iter(record['files'])), precious)  # So that no checksum saves it.
    record['files'][name.format(folder=out.parent)] = checksum
    (out / RECORD).write_text(json.dumps(record))
    make(out, 'main.json')
    assert precious.is_file()


@pytest.mark.parametrize('text', ['', '[]', '{"files": 3}', '{"files": {"main.json": null}}', '\0'])
def test_a_damaged_record_is_none(out, text):
    (out / RECORD).write_text(text)
    make(out, 'main.json')
    assert tree(out)['main.json'] == 'new main.json' and 'pictures/a.png' in tree(out)


def test_a_file_or_folder_in_the_way_is_named(out, tmp_path):
    (tmp_path / 'file').write_text('mine')
    with pytest.raises(InputError, match='file is a file'):
        make(tmp_path / 'file', 'main.json')
    (out / 'new.json').mkdir()
    before = tree(out)
    with pytest.raises(InputError, match=r'new\.json is a folder'):
        make(out, 'new.json', 'main.json')
    assert tree(out) == before


KILLER = """
import os, signal, sys
from pathlib import Path
from cephalometric.output_folder import output_folder

left = int(sys.argv[2])

def kill(event, arguments):
    global left
    changes = event in ('os.rename', 'os.remove', 'os.mkdir', 'os.rmdir')
    changes = changes or event == 'open' and 'w' in str(arguments[1])
    if changes and sys.argv[1] in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
with output_folder(sys.argv[1], ('main.json',), True) as output:
    (output.stage / 'pictures').mkdir()
    for name in ('main.json', 'pictures/b.png', 'pictures/c.png'):
        (output.stage / name).write_text(f'new {name}')
    output.publish(last='main.json')
"""


def test_killed_at_any_moment_it_never_looks_complete_and_can_be_repeated(out):
    old, complete = tree(out), {'notes.txt': 'mine', 'pictures/mine.png': 'mine'}
    complete |= {name: f'new {name}' for name in ('main.json', 'pictures/b.png', 'pictures/c.png')}
    shutil.copytree(out, out.parent / 'start')
    seen = set()
    for moment in range(0, 100, 2):
        shutil.rmtree(out)
        shutil.copytree(out.parent / 'start', out)
        ended = subprocess.run([sys.executable, '-c', KILLER, out, str(moment)]).returncode == 0
        after = tree(out)
        assert after['notes.txt'] == after['pictures/mine.png'] == 'mine'
        if 'main.json' in after:
            assert after in (old, complete)
        seen.add(after == complete if 'main.json' in after else None)
        make(out, 'main.json', 'pictures/b.png', 'pictures/c.png')
        assert tree(out) == complete and hidden(out) == [RECORD]
        if ended:
            break
    assert ended and seen == {False, None, True}
