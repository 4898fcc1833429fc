"""JSON files: clear messages, the same bytes for the same content, whole or not at all.

Checksums of files.
"""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.files import atomic_write, read_json, read_text, sha256, write_json


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
