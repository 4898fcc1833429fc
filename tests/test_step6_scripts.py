"""The messages of build.sh, test.sh and export.sh that need no container engine; test_container.sh does the rest."""

import subprocess
from pathlib import Path

import pytest

STEP6 = Path(__file__).parents[1] / 'step6_docker_and_upload'
SCRIPTS = ['build.sh', 'test.sh', 'export.sh']


def run(script, *arguments, **environment):
    return subprocess.run(
        ['bash', STEP6 / script, *arguments],
        capture_output=True,
        text=True,
        env={'PATH': '/usr/bin:/bin', 'HOME': '/nonexistent', **environment},
    )


@pytest.mark.parametrize('script', SCRIPTS)
def test_help_names_every_option(script):
    result = run(script, '--help')
    assert result.returncode == 0
    options = [word for word in (STEP6 / script).read_text().split() if word.startswith('--') and word.endswith(')')]
    assert options
    for option in options:
        assert option.rstrip(')') in result.stdout or option in ('--help)', '--)')


@pytest.mark.parametrize('script', SCRIPTS)
@pytest.mark.parametrize(
    ('arguments', 'environment', 'message'),
    [
        (['--colour'], {}, 'unknown option --colour'),
        (['--image'], {}, '--image needs a value'),
        ([], {'CONTAINER_ENGINE': 'no_such_engine'}, 'no_such_engine is not installed'),
        ([], {'CONTAINER_ENGINE': 'false'}, 'false does not answer'),
    ],
)
def test_a_mistake_is_told_in_one_line(script, arguments, environment, message):
    result = run(script, *arguments, **environment)
    assert result.returncode == 1
    assert result.stderr.startswith('error: ') and message in result.stderr and result.stderr.count('\n') == 1


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--api-method', 'get'], '--api-method get: exec or invoke'),
        (['--model'], '--model needs a value'),
        (['--model', 'a', 'b', '--colour'], 'unknown option --colour'),
        (['--runtime', 'tensorflow'], '--runtime tensorflow: torch, onnxruntime or onnxruntime-gpu'),
        (['--with'], '--with needs a value'),
        (['--requirements', 'nowhere.txt'], '--requirements nowhere.txt: there is no such file'),
        (['--cpu-wheels', 'wheels'], '--cpu-wheels wheels: the address of a package index'),
    ],
)
def test_build_refuses_other_values(arguments, message):
    result = run('build.sh', *arguments)
    assert result.returncode == 1
    assert message in result.stderr


def test_a_full_disk_is_told_with_what_is_needed(tmp_path):
    check = f'source {STEP6}/common.sh; check_space {tmp_path} {{}} "the export"'
    assert subprocess.run(['bash', '-c', check.format(0)]).returncode == 0
    result = subprocess.run(['bash', '-c', check.format(10**9)], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith(f'error: {tmp_path} has ')
    assert result.stderr.endswith(f' GB left, and the export needs {10**9} GB: make room\n')
