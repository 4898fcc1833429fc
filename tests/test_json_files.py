"""JSON files: clear messages, the same bytes for the same content, whole or not at all."""

import pytest

from cephalometric.errors import InputError
from cephalometric.formats.json_files import read_json, write_json


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
