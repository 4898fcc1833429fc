"""What would break on Windows and macOS, as far as the code shows it: neither can be tried here."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'mmpose_package' / 'cephalometric'
FILES = sorted([*PACKAGE.rglob('*.py'), *ROOT.glob('*.py'), *(ROOT / 'cldetection_configs').rglob('*.py')], key=str)
UNIX_ALONE = {'fcntl', 'termios', 'pwd', 'grp', 'resource', 'pty', 'posix', 'syslog', 'crypt'}
UNIX_FUNCTIONS = {'fork', 'forkpty', 'getuid', 'geteuid', 'setsid', 'killpg', 'chown', 'mkfifo', 'statvfs', 'uname'}
# The container is Linux: these are its own folders.
OF_THE_CONTAINER = ('/input', '/output', '/opt')
# Looked for, and done without where they are not there.
OF_LINUX = ('/dev/kfd', '/dev/shm')


def nodes(path: Path, kind: type) -> list:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))) if isinstance(node, kind)]


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_asks_for_unix(path):
    imported = {alias.name.partition('.')[0] for node in nodes(path, ast.Import) for alias in node.names}
    imported |= {node.module.partition('.')[0] for node in nodes(path, ast.ImportFrom) if node.module}
    assert imported & UNIX_ALONE == set()
    called = {node.attr for node in nodes(path, ast.Attribute) if getattr(node.value, 'id', '') == 'os'}
    assert called & UNIX_FUNCTIONS == set()


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_folder_is_fixed(path):
    texts = [node.value for node in nodes(path, ast.Constant) if isinstance(node.value, str)]
    fixed = [text for text in texts if text.startswith(('/tmp', '/var', '/home', '/dev', 'C:', '~/'))]
    assert not [text for text in fixed if not text.startswith(OF_THE_CONTAINER) and text not in OF_LINUX]


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_files_are_utf_8_everywhere(path):
    """Windows would take the code page of the country."""
    for call in nodes(path, ast.Call):
        name = getattr(call.func, 'attr', getattr(call.func, 'id', ''))
        keywords = {keyword.arg for keyword in call.keywords}
        said = 'encoding' in keywords or any(getattr(argument, 'value', '') == 'utf-8' for argument in call.args)
        if name in ('read_text', 'write_text') and isinstance(call.func, ast.Attribute) and None not in keywords:
            assert said, f'line {call.lineno}: {ast.unparse(call)}'
        if isinstance(call.func, ast.Name) and name == 'open':
            modes = [str(getattr(argument, 'value', '')) for argument in call.args[1:2]]
            modes += [str(getattr(keyword.value, 'value', '')) for keyword in call.keywords if keyword.arg == 'mode']
            assert 'b' in ''.join(modes) or 'encoding' in keywords, f'line {call.lineno}: {ast.unparse(call)}'


@pytest.mark.parametrize(
    'command',
    [
        *(['-m', 'cephalometric', name, '--help'] for name in ('predict', 'measure', 'report', 'calibrate', 'phantom')),
        ['-m', 'cephalometric', 'models', 'isbi2015'],
        ['step2_prepare_coco_dataset.py', '--help'],
        ['step5_predict_expected_output.py', '--help'],
    ],
    ids=' '.join,
)
def test_a_console_of_windows_can_print_it(command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {'PYTHONIOENCODING': 'cp1252:strict'},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode('cp1252')
    assert done.stdout.decode('cp1252').strip()
