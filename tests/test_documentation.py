"""The examples of docs and of --help run as they are written, each finding what the one before has made."""

import argparse
import contextlib
import io
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

import cv2
import pytest
from command_lines import call
from conftest import ROOT, run_python

from cephalometric.__main__ import COMMANDS, main_or_exit
from cephalometric.phantom.rendering import make_phantom

DOCS = Path(__file__).parents[1] / 'docs'
NOTEBOOK = DOCS / 'predict.ipynb'
BLOCK = re.compile(r'^```python\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a synthetic X-ray of full size."""
    cv2.imwrite(str(tmp_path / 'film.png'), make_phantom(0).image)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_in_order(sources: list[str]) -> dict:
    names = {'__name__': 'documentation'}
    for number, source in enumerate(sources, start=1):
        exec(compile(source, f'block {number}', 'exec'), names)
    return names


def test_the_examples_of_the_python_page_run_from_top_to_bottom(working_folder):
    blocks = BLOCK.findall((DOCS / 'python.md').read_text(encoding='utf-8'))
    names = run_in_order(blocks)
    assert len(blocks) > 5
    assert names['result'].points_px.shape == (19, 2)
    assert (working_folder / 'overlay.jpg').is_file()


def test_the_notebook_runs_from_top_to_bottom(working_folder):
    notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
    run_in_order([''.join(cell['source']) for cell in notebook['cells'] if cell['cell_type'] == 'code'])


def test_the_notebook_is_one_of_format_4_with_its_outputs():
    notebook = json.loads(NOTEBOOK.read_text(encoding='utf-8'))
    assert (notebook['nbformat'], notebook['nbformat_minor']) == (4, 5)
    assert len({cell['id'] for cell in notebook['cells']}) == len(notebook['cells'])
    cells = [cell for cell in notebook['cells'] if cell['cell_type'] == 'code']
    assert all(set(cell) >= {'source', 'outputs', 'execution_count', 'metadata'} for cell in cells)
    assert any(cell['outputs'] for cell in cells)


STEPS = [path.name for path in sorted(ROOT.glob('step?_*.py'))]


def help_of(program: str) -> str:
    """What a step or a command says when it is asked for help."""
    if program in COMMANDS:
        return call(program, '--help')[1]
    shown = io.StringIO()
    quiet = contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit)
    with patch.object(sys, 'argv', [program, '--help']), quiet[0], quiet[1]:
        runpy.run_path(str(ROOT / program), run_name='__main__')
    return shown.getvalue()


def examples_of(program: str) -> list[list[str]]:
    """The commands that its help ends with, without the name of the interpreter."""
    text = re.split(r'^examples?:', help_of(program), flags=re.MULTILINE)[1].replace('\\\n', ' ')
    found = [shlex.split(line) for line in text.splitlines() if re.match(r'  (python|torchrun|cephalometric) ', line)]
    return [
        words[next(n for n, word in enumerate(words) if word.endswith('.py') or word in COMMANDS) :] for words in found
    ]


class Stopped(Exception):
    """The flags were understood."""


def start(words: list[str]) -> None:
    """Start a program in this process, so that what it imports is imported once."""
    program = words[0]
    with patch.object(sys, 'argv', ['cephalometric', *words] if program in COMMANDS else words):
        if program in COMMANDS:
            main_or_exit()
        else:
            runpy.run_path(str(ROOT / program), run_name='__main__')


@pytest.mark.parametrize('program', [*STEPS, *COMMANDS])
def test_every_example_of_a_help_is_understood(program):
    parse = argparse.ArgumentParser.parse_args

    def stop(parser, *values):
        parse(parser, *values)
        raise Stopped

    examples = examples_of(program)
    assert examples
    for words in examples:
        with patch.object(argparse.ArgumentParser, 'parse_args', stop), pytest.raises(Stopped):
            start(words)


def run_example(program: str, number: int, *more: str) -> None:
    """Run an example, counted from 1, in the working folder, and insist that it ends well."""
    words = [*examples_of(program)[number - 1], *more]
    try:
        start(words)
    except SystemExit as ended:
        assert not ended.code, words


def test_the_examples_of_the_helps_run_one_after_the_other(tmp_path, monkeypatch):
    """From a stack to measurements: what the examples of one step write, those of the next read."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / 'cldetection_configs', tmp_path / 'cldetection_configs')
    small = ['--cfg-options', 'codec.input_size=(64,64)', 'codec.heatmap_size=(16,16)']
    # What stands behind the flags of an example makes it quick.
    run_example('phantom', 1, '--count', '11', '--size-scale', '0.2')
    run_example(STEPS[1], 1)
    # In a process of its own: MMEngine keeps loggers and more of a run for as long as a process lasts.
    words = examples_of(STEPS[2])[0]
    quick = [*small, 'train_cfg.max_epochs=1', 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
    run_python(ROOT / words[0], *words[1:], *quick, folder=tmp_path)
    run_example(STEPS[3], 1)
    assert (tmp_path / 'work_dirs' / 'scores.json').is_file() and list((tmp_path / 'work_dirs' / 'pictures').iterdir())
    run_example(STEPS[3], 2, *small)
    run_example(STEPS[4], 1)
    assert json.loads((tmp_path / 'expected_output.json').read_text())['points']
    cv2.imwrite('film.jpg', make_phantom(0, 0.5).image)
    run_example('predict', 1)
    run_example('measure', 1)
    assert list((tmp_path / 'measured').iterdir())
    shutil.copytree(next((tmp_path / 'work_dirs').glob('cpu_*')), tmp_path / 'work_dirs' / 'mine')
    for program, number in (('report', 1), ('calibrate', 1), ('models', 4)):
        run_example(program, number)
