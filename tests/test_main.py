"""The command line of the package."""

import json

import pytest
from command_lines import call
from conftest import run_python

import cephalometric
from cephalometric.__main__ import COMMANDS
from cephalometric.xrays.mha import open_stack

LOADED = """
import atexit, runpy, sys
atexit.register(lambda: print('loaded', *sorted({'torch', 'mmpose', 'matplotlib'} & {*sys.modules})))
runpy.run_module('cephalometric', run_name='__main__')
"""


def test_phantom_writes_a_stack_and_its_annotations(tmp_path):
    options = ('--count', 2, '--size-scale', 0.1, '--landmarks', 'isbi2015', '--compressed')
    done = run_python('-m', 'cephalometric', 'phantom', tmp_path / 'data', *options)
    assert '2 synthetic X-rays' in done.stdout
    stack = open_stack(tmp_path / 'data' / 'train_stack.mha')
    assert (len(stack), stack.compressed) == (2, True)
    points = json.loads((tmp_path / 'data' / 'train-gt.json').read_text())['points']
    assert len(points) == 2 * 19

    again = run_python('-m', 'cephalometric', 'phantom', tmp_path / 'data', *options, check=2)
    assert again.stderr.startswith('error: ') and 'exists already' in again.stderr


def test_without_a_command_it_says_which_there_are():
    done = run_python('-m', 'cephalometric')
    assert 'COMMAND' in done.stdout and 'example' in done.stdout
    assert run_python('-m', 'cephalometric', '--version').stdout == f'cephalometric {cephalometric.__version__}\n'


@pytest.mark.parametrize('command', COMMANDS)
def test_every_help_ends_with_an_example(command):
    status, stdout, _ = call(command, '--help')
    assert status == 0 and f'  cephalometric {command} ' in stdout.partition('example')[2]


def test_help_and_measuring_load_no_torch(data_root, tmp_path):
    shown = run_python('-c', LOADED, '--help', fresh=True).stdout
    assert all(command in shown for command in ('predict', 'measure', 'report', 'calibrate', 'phantom'))
    measure = ('measure', data_root / 'test.json', '--out', tmp_path / 'out', '--no-overlay')
    measured = run_python('-c', LOADED, *measure, fresh=True)
    for done in (shown, measured.stdout):
        assert done.splitlines()[-1].split() == ['loaded']
