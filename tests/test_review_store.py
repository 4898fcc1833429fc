"""Records on disk: whole files, two writers at once, and other readers."""

import os
import random
import signal
import threading
import time

import pytest
from test_review_record import LANDMARKS, begin, move

from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import load_landmark_set
from cephalometric.reviewing.review_store import ReviewStore, RevisionConflict


def save(store, base, *commands, request='one', stem='film'):
    record = begin()
    return store.save(stem, {'image': stem}, (record.beginning, record.size), base, list(commands), request)


def test_a_record_is_written_and_read_again(tmp_path):
    store = ReviewStore(tmp_path, 'A. Reader', LANDMARKS)
    saved = save(store, 0, move('S'))
    found, content = ReviewStore(tmp_path, 'A. Reader', LANDMARKS).load('film')
    assert found.marks == saved.marks and content['reader'] == 'A. Reader' and content['created'] == content['changed']
    assert store.stems() == ['film'] and not list(tmp_path.rglob('.*'))


def test_a_reader_whose_name_is_a_path_stays_in_the_folder(tmp_path):
    for reader in ('../evil', '/tmp/evil', '.hidden', 'a/b', 'CON'):
        store = ReviewStore(tmp_path / 'out', reader, LANDMARKS)
        save(store, 0, move('S'))
        assert store.path_of('film').resolve().parent.parent == (tmp_path / 'out').resolve()


def test_a_save_that_follows_another_revision_writes_nothing(tmp_path):
    store = ReviewStore(tmp_path, 'A', LANDMARKS)
    save(store, 0, move('S'))
    before = store.path_of('film').read_bytes()
    with pytest.raises(RevisionConflict) as conflict:
        save(store, 0, move('N'), request='two')
    assert conflict.value.current.revision == 1 and store.path_of('film').read_bytes() == before
    assert save(store, 0, move('S'), request='one').revision == 1  # Its answer was lost.
    assert store.path_of('film').read_bytes() == before


def test_of_many_writers_each_counts_once(tmp_path):
    wins = []

    def write(number):
        store = ReviewStore(tmp_path, 'A', LANDMARKS)  # As another process has one.
        base = 0
        while True:
            try:
                save(store, base, move('S', number, number), request=f'writer {number}')
            except RevisionConflict as conflict:
                base = conflict.current.revision
                continue
            wins.append(number)
            return

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record, _ = ReviewStore(tmp_path, 'A', LANDMARKS).load('film')
    assert sorted(wins) == list(range(6)) and record.revision == 6 and len(record.edits) == 6


def write_on(folder, pipe):
    """Move a landmark until the process is killed, and say of each revision that it is written."""
    store = ReviewStore(folder, 'A', LANDMARKS)
    base = store.load('film')[0].revision if store.stems() else 0
    while True:
        base = save(store, base, move('S', base % 100, 7), request=f'{base}').revision
        os.write(pipe, f'{base}\n'.encode())


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='a process that is killed, without the start of another Python')
def test_a_program_that_is_killed_at_any_moment_leaves_every_edit_that_it_has_answered(tmp_path):
    random.seed(3)
    answered = 0
    for _ in range(12):
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                write_on(tmp_path, theirs)
            finally:
                os._exit(1)
        os.close(theirs)
        time.sleep(random.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        with open(ours, encoding='ascii') as pipe:
            answered = max([answered, *map(int, pipe.read().split())])
        if ReviewStore(tmp_path, 'A', LANDMARKS).stems():
            record, _ = ReviewStore(tmp_path, 'A', LANDMARKS).load('film')
            assert answered <= record.revision <= answered + 1 and len(record.edits) == record.revision
            answered = record.revision  # The next one begins there, whether or not that was answered.
    assert answered > 2


def test_others_are_found_and_files_that_are_none_of_ours_are_passed_over(tmp_path):
    ann, ben = (ReviewStore(tmp_path, reader, LANDMARKS) for reader in ('Ann', 'Ben'))
    save(ann, 0, move('S'), stem='film[1]')
    assert list(ben.others('film[1]')) == ['Ann'] and ann.others('film[1]') == {}
    ann.path_of('film[1]').write_text('{"format": "something else"}')
    assert ben.others('film[1]') == {}


def test_a_file_of_other_landmarks_or_another_program_is_named_and_kept(tmp_path):
    store = ReviewStore(tmp_path, 'A', LANDMARKS)
    save(store, 0, move('S'))
    other = ReviewStore(tmp_path, 'A', load_landmark_set('cldetection2023'))
    with pytest.raises(InputError, match=r'film.json: not a review of these landmarks.*--out'):
        other.load('film')
    store.path_of('film').write_text('{')
    with pytest.raises(InputError, match='invalid JSON'):
        save(store, 1, move('N'), request='two')
    assert store.path_of('film').read_text() == '{'


def test_dates_of_beginning_and_change(tmp_path, monkeypatch):
    store = ReviewStore(tmp_path, 'A', LANDMARKS)
    save(store, 0, move('S'))
    created = read_json(store.path_of('film'))['created']
    save(store, 1, move('N'), request='two')
    assert read_json(store.path_of('film'))['created'] == created
