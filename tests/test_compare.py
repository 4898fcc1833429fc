"""The comparison of a container's result with the expected one."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cephalometric.annotations.challenge_json import write_result

SCRIPT = Path(__file__).parents[1] / 'step6_docker_and_upload' / 'test' / 'compare.py'


@pytest.fixture
def expected(tmp_path):
    random = np.random.default_rng(1)
    write_result(tmp_path / 'expected.json', [random.uniform(0, 2000, (5, 2)) for _ in range(2)])
    return tmp_path / 'expected.json'


def compare(expected, change):
    """Run the script on a copy of the expected result that ``change`` has changed."""
    content = copy.deepcopy(json.loads(expected.read_text()))
    change(content)
    result = expected.with_name('result.json')
    result.write_text(json.dumps(content))
    return subprocess.run([sys.executable, SCRIPT, expected, result], capture_output=True, text=True)


def move(content, distance_px):
    content['points'][7]['point'][1] += distance_px


def test_an_equal_result_passes(expected):
    result = compare(expected, lambda content: None)
    assert result.returncode == 0
    assert result.stdout == '10 points; largest difference 0.000000 px, 0.5 px are allowed\n'


def test_a_small_difference_passes_and_is_stated(expected):
    result = compare(expected, lambda content: move(content, -0.25))
    assert result.returncode == 0
    assert 'largest difference 0.250000 px' in result.stdout


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda content: move(content, 0.75), '0.750 px from'),
        (lambda content: content['points'].pop(), '9 points, and 10 are expected'),
        (lambda content: content['points'].reverse(), 'point 1 is'),
        (lambda content: content['points'][3].update(name='9'), 'point 4 is'),
        (lambda content: content['points'][3].update(probability=0.5), 'point 4 is'),
        (lambda content: content['points'][3]['point'].pop(), 'breaks the schema'),
        (lambda content: content['points'][3].update(name=4), 'breaks the schema'),
        (lambda content: content.pop('version'), 'breaks the schema'),
    ],
)
def test_what_differs_is_said_in_one_line(expected, change, message):
    result = compare(expected, change)
    assert result.returncode == 2
    assert message in result.stderr and result.stderr.count('\n') == 1
