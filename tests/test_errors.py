"""How programs end: one line and status 2 for a user's mistake, a traceback for a defect."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import MOST_DETAILS, MOST_NAMES, InputError, Problems, in_words, run_step


def ending(error):
    def main():
        raise error

    with pytest.raises(SystemExit) as end:
        run_step(main)
    return end.value.code


def test_a_users_mistake_is_one_line_and_status_2(capsys):
    assert ending(InputError('stack.mha: truncated; copy it again')) == 2
    assert capsys.readouterr().err == 'error: stack.mha: truncated; copy it again\n'


def test_an_interruption_has_the_shells_status():
    assert ending(KeyboardInterrupt()) == 130


def test_a_defect_keeps_its_traceback():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_step(main)


@pytest.mark.parametrize(
    ('numbers', 'words'),
    [
        ([3], 'slice 3'),
        ([4, 3], 'slices 3, 4'),
        ([3, 7, *range(9, 41)], 'slices 3, 7, 9 to 40'),
        ([1, 1, 2, 2, 3, 3], 'slices 1 to 3'),
    ],
)
def test_runs_are_abbreviated(numbers, words):
    assert in_words(numbers) == words


@given(st.sets(st.integers(1, 200), min_size=1))
def test_the_words_name_exactly_the_numbers(numbers):
    named = set()
    for part in in_words(numbers).split(' ', 1)[1].split(', '):
        first, _, last = part.partition(' to ')
        named |= set(range(int(first), int(last or first) + 1))
    assert named == numbers


def test_no_problem_raises_nothing():
    problems = Problems()
    problems.raise_if_any('fine')
    assert problems.count == 0


def test_all_problems_are_in_one_report():
    problems = Problems()
    problems.add('blank slices', 4)
    problems.add('landmarks missing', 7, 'S (1)')
    problems.add('blank slices', 5)
    problems.add('landmarks missing', 8, 'S (1)')
    problems.add('landmarks missing', 8, 'N (2)')
    problems.add('unusable files', None, 'a.json: invalid')
    with pytest.raises(InputError) as caught:
        problems.raise_if_any('a.mha cannot be used')
    assert str(caught.value).splitlines() == [
        'a.mha cannot be used (6 problems):',
        '  blank slices: slices 4, 5',
        '  landmarks missing:',
        '    S (1): slices 7, 8',
        '    N (2): slice 8',
        '  unusable files:',
        '    a.json: invalid',
    ]


def test_files_are_placed_by_name_and_of_many_the_first_are_named():
    assert in_words(['b.png', 'a.png', 'b.png']) == 'a.png, b.png'
    names = [f'{letter}.png' for letter in 'abcdefghijklmn']
    assert in_words(names) == ', '.join(names[:MOST_NAMES]) + f' and {len(names) - MOST_NAMES} more'


def test_an_attempt_that_fails_is_a_problem():
    def fail(path):
        raise InputError(f'{path}: damaged')

    problems = Problems()
    assert problems.attempt(str.upper, 'a') == 'A' and problems.count == 0
    assert problems.attempt(fail, 'b.json') is None
    with pytest.raises(InputError, match=r'unusable files:\n    b\.json: damaged'):
        problems.raise_if_any('bad')


def test_remarks_are_no_problems():
    problems = Problems()
    problems.remark('it is coloured', 'b.png')
    problems.remark('it is coloured', 'a.png')
    problems.raise_if_any('fine')
    assert (problems.count, problems.remarks) == (0, ('it is coloured: a.png, b.png',))


def test_collections_are_merged():
    first, second = Problems(), Problems()
    first.add('blank slices', 4)
    second.add('blank slices', 5)
    second.add('landmarks missing', 5, 'S (1)')
    second.remark('it is coloured', 'a.png')
    first.merge(second)
    assert (first.count, second.count) == (3, 2)
    assert first.remarks == ('it is coloured: a.png',)
    with pytest.raises(InputError, match=r'blank slices: slices 4, 5\n  landmarks missing:\n    S \(1\): slice 5'):
        first.raise_if_any('bad')


def test_long_lists_are_cut_but_counted():
    problems = Problems()
    for number in range(1, MOST_DETAILS + 31):
        problems.add('points outside', number, f'at {number}')
    with pytest.raises(InputError) as caught:
        problems.raise_if_any('bad')
    lines = str(caught.value).splitlines()
    assert lines[0] == f'bad ({MOST_DETAILS + 30} problems):'
    assert len(lines) == MOST_DETAILS + 3
    assert lines[-1] == f'    and 30 more: slices {MOST_DETAILS + 1} to {MOST_DETAILS + 30}'


def test_a_warning_is_one_line():
    program = "import warnings; from cephalometric.errors import run_step; run_step(lambda: warnings.warn('blank'))"
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.stderr == 'warning: blank\n'
