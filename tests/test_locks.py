"""One run at a time in a folder, by the kernel's locks, tried with real processes."""

import signal
import subprocess
import sys

import pytest

from cephalometric.errors import InputError
from cephalometric.locks import LOCK, locked

HOLDER = """
import sys, time
from cephalometric.locks import locked
with locked(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder "out"."""
    process = subprocess.Popen([sys.executable, '-c', HOLDER, tmp_path / 'out'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'held\n'
    yield process
    process.kill()
    process.communicate()


def test_the_second_run_is_told_where_and_who(tmp_path, other):
    with pytest.raises(InputError) as caught, locked(tmp_path / 'out'):
        pytest.fail('the block must not be entered')
    assert str(tmp_path / 'out') in str(caught.value) and f'process {other.pid}' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_another_folder_is_free(tmp_path, other):
    with locked(tmp_path / 'another') as held:
        assert held


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_holds_nothing(tmp_path, other, number):
    other.send_signal(number)
    other.wait(20)
    with locked(tmp_path / 'out') as held:
        assert held
    assert not (tmp_path / 'out' / LOCK).exists()


def test_nothing_is_left_and_what_was_made_goes_if_nothing_is_in_it(tmp_path):
    with locked(tmp_path / 'a' / 'b'):
        assert (tmp_path / 'a' / 'b').is_dir()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), locked(tmp_path / 'a' / 'b'):
        (tmp_path / 'a' / 'b' / 'file').touch()
        raise KeyError
    assert [path.name for path in (tmp_path / 'a' / 'b').iterdir()] == ['file']


def test_a_folder_that_was_there_stays(tmp_path):
    (tmp_path / 'out').mkdir()
    with locked(tmp_path / 'out'):
        pass
    assert (tmp_path / 'out').is_dir()


@pytest.mark.parametrize('name', ['file', 'file/below', 'x' * 300])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, name):
    (tmp_path / 'file').write_text('mine')
    with pytest.raises(InputError, match=r'(cannot be made|is a file).*name a'), locked(tmp_path / name):
        pytest.fail('the block must not be entered')
    assert (tmp_path / 'file').read_text() == 'mine'


def test_where_no_lock_can_be_had_work_goes_on(tmp_path):
    (tmp_path / LOCK).mkdir()  # As on a file system that refuses: no file of that name can be opened.
    with locked(tmp_path) as held:
        assert not held
    (tmp_path / LOCK).rmdir()


def test_many_at_once_are_one_after_another(tmp_path):
    script = (
        'import sys, os, time\nfrom cephalometric.errors import InputError\nfrom cephalometric.locks import locked\n'
        'from pathlib import Path\nfolder, won = Path(sys.argv[1]), 0\nend = time.time() + 2\n'
        'while time.time() < end:\n'
        '    try:\n        with locked(folder):\n'
        '            os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL)); won += 1\n'
        '            time.sleep(0.001); os.unlink(folder / "inside")\n'
        '    except InputError:\n        pass\n'
        'print(won)'
    )
    processes = [
        subprocess.Popen([sys.executable, '-c', script, tmp_path / 'out'], stdout=subprocess.PIPE) for _ in range(3)
    ]
    won = [int(process.communicate()[0]) for process in processes]
    assert all(process.returncode == 0 for process in processes) and sum(won) > 20
