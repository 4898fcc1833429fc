"""Numbers on the command line: every flag of every program that wants one refuses what cannot be meant, in one line."""

import argparse
import runpy
import sys
from unittest.mock import patch

import pytest
from command_lines import call
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.commands.number_flags import number, whole_number
from cephalometric.errors import InputError

COMMANDS = {
    'predict': ['film.png'],
    'measure': ['points.csv', '--out', 'out'],
    'calibrate': ['valid.json', '--model', 'm'],
    'phantom': ['out'],
}
WHOLE = [
    ('step2', '--split'),
    ('step2', '--seed'),
    ('step2', '--folds'),
    ('step3', '--seed'),
    ('step4', '--interval'),
    ('step4', '--cuda_id'),
    ('step5', '--cuda_id'),
    ('predict', '--batch-size'),
    ('predict', '--cuda_id'),
    ('calibrate', '--cuda_id'),
    ('phantom', '--count'),
    ('phantom', '--seed'),
]
NUMBERS = [
    ('step2', '--spacing'),
    ('step4', '--wait-time'),
    ('predict', '--spacing'),
    ('predict', '--flag-mm'),
    ('measure', '--spacing'),
    ('phantom', '--size-scale'),
]
FROM_1 = {'--interval', '--batch-size', '--count'}


REQUIRED = {
    'step3': ['CONFIG'],
    'step5': ['--model', 'm', '--load_mha_path', 'x.mha', '--save_json_path', 'y.json'],
}


def start(program, *arguments):
    """Exit status of a program that is to stop at its flags."""
    if program in COMMANDS:
        status, _, stderr = call(program, *COMMANDS[program], *arguments)
        print(stderr, end='', file=sys.stderr)
        return status
    (path,) = ROOT.glob(f'{program}_*.py')
    with patch.object(sys, 'argv', [path.name, *REQUIRED.get(program, []), *arguments]):
        try:
            runpy.run_path(str(path), run_name='__main__')
        except SystemExit as ended:
            return ended.code
    return 0


def wrong_numbers():
    for program, flag in WHOLE:
        # --split takes several numbers, and argparse -1 for a flag there.
        minus = [] if flag == '--split' else ['-1']
        for text in ('x', '1.5', *minus, *(['0'] if flag in FROM_1 else [])):
            yield program, flag, text
    for program, flag in NUMBERS:
        for text in ('x', 'nan', 'inf', '-1', '0,1', *([] if flag == '--wait-time' else ['0'])):
            yield program, flag, text


@pytest.mark.parametrize(('program', 'flag', 'text'), list(wrong_numbers()))
def test_a_number_that_cannot_be_meant_is_one_line_and_status_2(program, flag, text, capsys):
    # With an equals sign, so that argparse takes -1 for the value that it is.
    said = [flag, text, text, text] if flag == '--split' else [f'{flag}={text}']
    status, stderr = start(program, *said), capsys.readouterr().err
    assert status == 2
    assert stderr.startswith(f'error: {flag} {text}: say a') and stderr.count('\n') == 1


def test_every_flag_that_wants_a_number_is_among_these():
    """No program reads a number in another way."""
    files = [*ROOT.glob('step?_*.py'), *(ROOT / 'mmpose_package' / 'cephalometric' / 'commands').glob('*.py')]
    for path in files:
        text = path.read_text(encoding='utf-8')
        assert 'type=int' not in text and 'type=float' not in text, path.name
    assert len(files) > 10


@given(st.integers(-(10**6), 10**6), st.integers(0, 10), st.one_of(st.none(), st.integers(10, 10**6)))
def test_whole_numbers_within_the_limits_pass(value, least, most):
    read = whole_number('--n', least, most)
    if least <= value and (most is None or value <= most):
        assert read(str(value)) == value
    else:
        with pytest.raises(InputError, match='--n'):
            read(str(value))


@given(st.floats(), st.booleans())
def test_finite_numbers_above_0_pass(value, zero):
    read = number('--n', zero=zero)
    if (value > 0 and value != float('inf')) or (value == 0 and zero):
        assert read(repr(value)) == value
    else:
        with pytest.raises(InputError, match='--n'):
            read(repr(value))


def test_they_are_types_of_argparse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--n', type=whole_number('--n', 1))
    assert parser.parse_args(['--n', '3']).n == 3
    assert parser.parse_args([]).n is None
