"""README and the pages of docs: short enough, no dead link, no command that the programs do not understand."""

import argparse
import itertools
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

import cephalometric

ROOT = Path(__file__).parents[1]
README = ROOT / 'README.md'
CARDS = sorted(ROOT.glob('mmpose_package/cephalometric/zoo/*/MODEL_CARD.md'))
PAGES = [README, ROOT / 'README.zh-CN.md', ROOT / 'CHANGELOG.md', *sorted((ROOT / 'docs').glob('*.md')), *CARDS]
BLOCK = re.compile(r'^```(\w*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SHELL = ('', 'bash')
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')


class Parsed(Exception):
    """The flags were understood; nothing is to be run."""


def commands_of(page: Path) -> list[list[str]]:
    """The command lines of a page that call a step or the package: the program, then its arguments."""
    found = []
    blocks = [text for language, text in BLOCK.findall(page.read_text(encoding='utf-8')) if language in SHELL]
    for block in blocks:
        for line in block.replace('\\\n', ' ').splitlines():
            for part in re.split(r'&&|;', line):
                if not re.match(r' *(cephalometric|python|torchrun|srun) ', part):
                    continue
                words = shlex.split(part, comments=True)
                program = next((n for n, word in enumerate(words) if re.fullmatch(r'step\d_\w+\.py', word)), None)
                program = 0 if words[0] == 'cephalometric' else program
                if program is not None and '...' not in words:
                    found.append(words[program:])
    return found


def parse(program: str, *arguments: str) -> None:
    """Let a program parse its arguments, and do no more.

    Raises:
        SystemExit: It does not understand them.
    """
    original = argparse.ArgumentParser.parse_args

    def stop(parser: argparse.ArgumentParser, *values: object) -> None:
        original(parser, *values)
        raise Parsed

    with patch.object(sys, 'argv', [program, *arguments]), patch.object(argparse.ArgumentParser, 'parse_args', stop):
        if program == 'cephalometric':
            runpy.run_module('cephalometric', run_name='__main__')
        else:
            runpy.run_path(str(ROOT / program), run_name='__main__')


def anchor(heading: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r'[^\w\- ]', '', heading.strip().lower()).replace(' ', '-')


def dead_links(page: Path) -> list[str]:
    dead = []
    for link in LINK.findall(page.read_text(encoding='utf-8')):
        path, _, part = link.partition('#')
        if '://' in link:
            continue
        target = page.parent / path if path else page
        if not target.exists():
            dead.append(link)
        elif part:
            headings = re.findall(r'^#+ (.*)$', target.read_text(encoding='utf-8'), re.MULTILINE)
            if part not in map(anchor, headings):
                dead.append(link)
    return dead


COMMANDS = sorted({tuple(command) for page in PAGES for command in commands_of(page)})


def test_readme_is_read_in_one_go():
    assert len(README.read_text(encoding='utf-8').splitlines()) <= 250


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_a_page_links_to_what_is_there(page):
    assert dead_links(page) == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_a_page_is_finished(page):
    assert 'TODO' not in page.read_text(encoding='utf-8')


@pytest.mark.parametrize('command', COMMANDS, ids=' '.join)
def test_a_command_of_a_page_is_understood(command):
    # Asked for its help, a command ends by itself, and well.
    with pytest.raises(SystemExit if '--help' in command else Parsed) as ended:
        parse(*command)
    assert getattr(ended.value, 'code', 0) == 0


WRITES = {'--out', '--work-dir', '--show-dir', '--report', '--csv', '--dump', '--image_save_dir', '--save_json_path'}
# What a command writes where it is not told where.
USUAL = {
    'predict': ['results/landmarks.csv'],
    'step2_prepare_coco_dataset.py': ['data/cephalometric/images/1.png', 'data/cephalometric/train.json'],
    'step3_train_and_evaluation.py': ['work_dirs/some/best_model_weight.pth'],
    'step4_test_and_visualize.py': ['work_dirs/some/report_test/report.html'],
}


def written_by(command: tuple[str, ...]) -> list[str]:
    """What a command line of a page writes, relative to the root; of a folder a file in it."""
    name = command[1] if command[0] == 'cephalometric' and len(command) > 1 else command[0]
    written = [value for flag, value in itertools.pairwise(command) if flag in WRITES]
    if name == 'phantom':
        written.append(command[2])
    paths = [path if Path(path).suffix else f'{path}/file.png' for path in written]
    if '--image_save_dir' in command:
        images = Path(command[command.index('--image_save_dir') + 1])
        paths += [f'{images.parent}/{part}.json' for part in ('train', 'valid', 'test')]
    return paths or USUAL.get(name, [])


def test_what_the_commands_of_the_pages_write_is_ignored_by_git():
    written = sorted({path for command in COMMANDS for path in written_by(command) if not Path(path).is_absolute()})
    assert len(written) > 20
    asked = subprocess.run(
        ['git', 'check-ignore', '--no-index', '--stdin'],
        cwd=ROOT,
        input='\n'.join(path.removeprefix('../') for path in written),
        capture_output=True,
        text=True,
    )
    if asked.returncode == 128:
        pytest.skip('this is no working tree of git')
    ignored = asked.stdout.splitlines()
    assert [path for path in written if path.removeprefix('../') not in ignored] == []


def test_a_flag_that_nobody_knows_is_found():
    with pytest.raises(SystemExit):
        parse('cephalometric', 'predict', 'film.jpg', '--no-such-flag')


def test_readme_calls_every_step_in_order():
    steps = [command[0][:5] for command in commands_of(README) if command[0].startswith('step')]
    assert 'step1' in steps
    assert steps[steps.index('step1') :][:5] == ['step1', 'step2', 'step3', 'step4', 'step5']


def test_scripts_and_targets_that_pages_name_are_there():
    targets = re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.MULTILINE)
    for page in PAGES:
        text = page.read_text(encoding='utf-8')
        for script in re.findall(r'\bbenchmarks/\w+\.(?:py|sh)\b', text):
            assert (ROOT / script).is_file(), f'{page.name}: {script}'
        for target in re.findall(r'`make ([\w-]+)`', text):
            assert target in targets, f'{page.name}: make {target}'


def test_the_recipes_that_readme_names_are_those_that_are_there():
    named = re.findall(r'^\| `([\w.-]+\.py)` \|', README.read_text(encoding='utf-8'), re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / 'cldetection_configs').glob('*.py'))


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
    assert str(citation['version']) == cephalometric.__version__
