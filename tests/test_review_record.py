"""What edits lead to, undo and redo, and the record as JSON and back."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.reviewing.record_json import parse_record, record_content
from cephalometric.reviewing.review_record import LABELLED, Beginning, ReviewMark, ReviewRecord, row_of

LANDMARKS = load_landmark_set('isbi2015')
NAMES = LANDMARKS.abbreviations


def begin(placed=15):
    """Fifteen landmarks have a label, the others have no place."""
    marks = {
        name: ReviewMark(10.0 + k, 20.0, True, LABELLED) if k < placed else ReviewMark() for k, name in enumerate(NAMES)
    }
    nothing = np.full((len(NAMES), 2), np.nan)
    return ReviewRecord(Beginning(marks, nothing, nothing[:, 0], np.zeros(len(NAMES), bool), 0.1), (200, 240))


def after(record, *commands):
    for command in commands:
        record = record.followed([command], 'request', '2026-01-02T03:04:05+00:00')
    return record


def move(name, x=5.0, y=6.0):
    return {'kind': 'move', 'landmark': name, 'x_px': x, 'y_px': y}


def test_what_a_person_does_has_a_status_and_a_date():
    confirmed = {'kind': 'confirm', 'landmarks': ['N', 'S']}
    record = after(begin(), move('S'), confirmed, move(NAMES[18]), {'kind': 'hide', 'landmarks': ['A']})
    marks = record.marks
    assert marks['S'] == ReviewMark(5.0, 6.0, True, 'corrected', '2026-01-02T03:04:05+00:00')
    assert marks['N'].status == 'confirmed' and marks['N'].x_px == 11
    assert marks[NAMES[18]].status == 'placed'
    assert marks['A'] == ReviewMark(None, None, False, 'corrected', '2026-01-02T03:04:05+00:00')
    assert marks['B'] == ReviewMark(15.0, 20.0, True, LABELLED)
    assert record.progress == (4, 19) and record.revision == 4
    assert after(record, {'kind': 'reset', 'landmarks': ['S']}).marks['S'] == begin().marks['S']


def test_spacing_is_of_the_file_the_reader_or_the_ruler():
    record = begin()
    assert (record.spacing_mm, record.spacing_from) == (0.1, 'file')
    record = after(record, {'kind': 'spacing', 'spacing_mm': 0.2})
    assert (record.spacing_mm, record.spacing_from) == (0.2, 'reader')
    ruler = {'from_px': [0, 0], 'to_px': [100, 0], 'length_mm': 30}
    record = after(record, {'kind': 'spacing', 'spacing_mm': 0.3, 'ruler': ruler})
    assert (record.spacing_mm, record.spacing_from) == (0.3, 'ruler')
    record = after(record, {'kind': 'undo'}, {'kind': 'undo'})
    assert (record.spacing_mm, record.spacing_from) == (0.1, 'file')


COMMANDS = st.one_of(
    st.builds(move, st.sampled_from(NAMES), st.floats(0, 200), st.floats(0, 240)),
    st.builds(lambda name: {'kind': 'hide', 'landmarks': [name]}, st.sampled_from(NAMES)),
    st.builds(lambda name: {'kind': 'confirm', 'landmarks': [name]}, st.sampled_from(NAMES[:15])),
    st.builds(lambda name: {'kind': 'reset', 'landmarks': [name]}, st.sampled_from(NAMES[:15])),
)


@given(st.lists(COMMANDS, max_size=12))
def test_undo_leads_back_to_each_state_and_redo_forth_also_through_a_file(commands):
    states = [begin()]
    for command in commands:
        states.append(after(states[-1], command))
    record = states[-1]
    for state in reversed(states[:-1]):
        record = parse_record(json.loads(json.dumps(record_content(after(record, {'kind': 'undo'})))), LANDMARKS)
        assert record.marks == state.marks
    assert after(record, {'kind': 'undo'}).marks == begin().marks
    for state in states[1:]:
        record = after(record, {'kind': 'redo'})
        assert record.marks == state.marks
    assert after(record, {'kind': 'redo'}).marks == states[-1].marks


def test_an_edit_takes_the_place_of_what_was_undone():
    record = after(begin(), move('S'), move('N'), {'kind': 'undo'}, move('A'))
    assert [edit['landmarks'][0]['landmark'] for edit in record.edits] == ['S', 'A']
    assert after(record, {'kind': 'redo'}).marks == record.marks


def test_several_commands_are_done_together_or_not_at_all():
    with pytest.raises(InputError, match='no place that could be confirmed'):
        begin().followed([move('S'), {'kind': 'confirm', 'landmarks': [NAMES[18]]}], 'x', '')
    record = begin().followed([move('S'), move('N')], 'x', 'today')
    assert record.revision == 1 and len(record.edits) == 2


@pytest.mark.parametrize(
    'change',
    [
        {'applied': 7},
        {'applied': 'x'},
        {'begun_with': {}},
        {'edits': [{'landmarks': [{'landmark': 'none of them'}]}]},
        {'edits': [{'landmarks': [row_of('S', ReviewMark(1.0, None))]}]},
        {'edits': [{'landmarks': [row_of('S', ReviewMark(1.0, 2.0, status='guessed'))]}]},
        {'edits': 5},
        {'width': 'wide'},
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(change):
    with pytest.raises((ArithmeticError, AttributeError, LookupError, TypeError, ValueError)):
        parse_record(record_content(after(begin(), move('S'))) | change, LANDMARKS)
