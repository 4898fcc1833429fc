"""The journal of a run: what is torn at its end is taken off, and another run is refused."""

import pytest

from cephalometric.errors import InputError
from cephalometric.results.run_journal import JOURNAL, begin_journal, reopen_journal

RUN = {'inputs': 'abc', '--flag-mm': 3.0}


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'out' / 'stage').mkdir(parents=True)
    return tmp_path / 'out' / 'stage' / JOURNAL


def write(path):
    journal = begin_journal(path, RUN)
    journal.add('{"image": "a"}', ('a.jpg', 'sum'))
    journal.end_file()
    journal.end_file('b.png is damaged')
    journal.add('{"image": "c_001"}', None)
    journal.close()


def told(journal):
    return [(line.entry and line.entry['image'], line.overlay, line.error) for line in journal.lines()]


@pytest.mark.parametrize('torn', ['', '{"overlay": null, "entry": {"im', '\0' * 40, '{"end": 2, "error": null}'])
def test_it_goes_on_after_the_last_file_that_is_done(path, torn):
    write(path)
    with open(path, 'a') as file:
        file.write(torn)
    journal = reopen_journal(path, RUN)
    assert journal.done == 2
    assert told(journal) == [('a', ('a.jpg', 'sum'), None), (None, None, None), (None, None, 'b.png is damaged')]
    journal.add('{"image": "c_001"}', None)
    journal.end_file()
    journal.close()
    assert reopen_journal(path, RUN).done == 3


def test_cut_anywhere_it_is_read_up_to_a_whole_file(path):
    write(path)
    content = path.read_bytes()
    seen = set()
    for length in range(content.index(b'\n') + 1, len(content)):
        path.write_bytes(content[:length])
        journal = reopen_journal(path, RUN)
        lines = told(journal)
        assert sum(entry is None for entry, *_ in lines) == journal.done
        assert not lines or lines[-1][0] is None
        seen.add(journal.done)
        journal.close()
    assert seen == {0, 1, 2}


def test_another_run_and_what_is_no_journal_are_refused(path):
    write(path)
    with pytest.raises(InputError, match=r'out holds a run of another kind \(--flag-mm was 3.0 and is 2.0\)'):
        reopen_journal(path, RUN | {'--flag-mm': 2.0})
    path.write_bytes(b'')
    with pytest.raises(InputError, match='damaged'):
        reopen_journal(path, RUN)
