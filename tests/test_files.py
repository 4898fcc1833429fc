"""JSON files: clear messages, the same bytes for the same content, whole or not at all.

Checksums of files.
"""

import json
import os
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.files import atomic_write, check_place, read_json, read_text, sha256, write_json


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


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


ENCODINGS = ('utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'utf-32-be')
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.lists(JSON, max_size=3) | st.dictionaries(st.text(), JSON, max_size=3),
    encoding=st.sampled_from(ENCODINGS),
)
def test_json_in_any_encoding_of_unicode_is_read(tmp_path, content, encoding):
    (tmp_path / 'a.json').write_bytes(json.dumps(content, ensure_ascii=False, indent=1).encode(encoding))
    assert read_json(tmp_path / 'a.json') == content


@pytest.mark.parametrize(('encoding', 'text'), [('gb18030', '{"a": "蝶鞍点"}'), ('cp1252', '{"a": "Größe"}')])
def test_another_encoding_is_named_with_the_remedy_and_not_guessed(tmp_path, encoding, text):
    (tmp_path / 'a.json').write_bytes(text.encode(encoding))
    with pytest.raises(InputError, match=r'a\.json.*line 1.*save it as UTF-8') as caught:
        read_json(tmp_path / 'a.json')
    assert '\n' not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary())
def test_any_bytes_are_json_or_one_line(tmp_path, content):
    (tmp_path / 'a.json').write_bytes(content)
    for read in (read_json, read_text):
        try:
            read(tmp_path / 'a.json')
        except InputError as error:
            assert 'a.json' in str(error) and '\n' not in str(error)


def test_names_that_no_file_can_have(tmp_path):
    for name in ('a\0b', 'a' * 5000):
        with pytest.raises(InputError, match='cannot be read'):
            read_json(tmp_path / name)


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
