"""Tiny stacks in the challenge's file format, for every test that needs real files."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from forks import ENVIRONMENT, ROOT, Program
from hypothesis import settings

from cephalometric.landmarks import load_landmark_set
from cephalometric.phantom.phantom_stack import write_challenge_dataset
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import ChallengeSource
from cephalometric.xrays.mha import write_stack

# The same code passes or fails every time, however busy the machine is; "pytest --hypothesis-profile search" looks for
# examples that nobody has tried.
settings.register_profile('repeatable', derandomize=True, deadline=None)
settings.register_profile('search', max_examples=1000, deadline=None)
settings.load_profile('repeatable')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """What a test has printed or logged goes from one process to another as UTF-8, whatever names it had to do with."""
    report = yield
    report.sections = [(name, as_utf_8(text)) for name, text in report.sections]
    if report.failed and as_utf_8(str(report.longrepr)) != str(report.longrepr):
        report.longrepr = as_utf_8(str(report.longrepr))
    return report


def as_utf_8(text: str) -> str:
    """The text without halves of characters."""
    return text.encode('utf-8', 'backslashreplace').decode()


@dataclass
class TinyDataSet:
    """A stack of small grey noise images, zero-padded, and its annotations.

    Attributes:
        folder: Where both files lie.
        slices: uint8, shape (N, 48, 64, 3), padding included.
        sizes: Width and height of each image without its padding.
        points: The entries of "points" in the annotation file; change them and call ``write``.
        compressed: Whether the stack is written compressed.
    """

    folder: Path
    slices: np.ndarray
    sizes: list[tuple[int, int]]
    points: list[dict]
    compressed: bool = False

    @property
    def stack_path(self) -> Path:
        return self.folder / 'train_stack.mha'

    @property
    def annotation_path(self) -> Path:
        return self.folder / 'train-gt.json'

    def write(self) -> None:
        write_stack(self.stack_path, self.slices, len(self.slices), self.compressed)
        content = {'name': 'Orthodontic landmarks', 'type': 'Multiple points', 'points': self.points}
        self.annotation_path.write_text(json.dumps(content))

    def entries(self, slice_number: int) -> list[dict]:
        return [entry for entry in self.points if entry['point'][2] == slice_number]


def make_tiny_data_set(folder: Path, count: int = 8, landmarks: str = 'isbi2015') -> TinyDataSet:
    random = np.random.default_rng(7)
    slices = np.zeros((count, 48, 64, 3), np.uint8)
    sizes, points = [], []
    for position in range(count):
        width, height = 50 + position % 5, 40 + position % 3
        slices[position, :height, :width] = random.integers(1, 256, (height, width, 1), dtype=np.uint8)
        sizes.append((width, height))
        for number in range(1, len(load_landmark_set(landmarks)) + 1):
            point = [int(random.integers(width)), int(random.integers(height)), position + 1]
            points.append({'name': number, 'point': point, 'scale': '0.125' if position % 2 else '0.1'})
    folder.mkdir(exist_ok=True)
    data_set = TinyDataSet(folder, slices, sizes, points)
    data_set.write()
    return data_set


@pytest.fixture
def tiny(tmp_path: Path) -> TinyDataSet:
    """Eight images with the 19 landmarks of isbi2015 in a folder of their own."""
    return make_tiny_data_set(tmp_path / 'input')


TINY_RECIPE = Path(__file__).with_name('tiny_recipe.py')
TINY_COARSE_TO_FINE = Path(__file__).with_name('tiny_coarse_to_fine.py')


def run_python(
    *arguments: object,
    check: int | None = 0,
    timeout: float = 300,
    fresh: bool = not hasattr(os, 'fork'),
    folder: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess:
    """Run a script in a folder as a user would; with ``check``, insist on that exit status.

    With ``fresh``, by a new Python, for what is about imports; else by a fork of one that has imported all there is.
    """
    if fresh:
        command = [sys.executable, *map(str, arguments)]
        whole = os.environ | ENVIRONMENT | (environment or {})
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, env=whole)
    else:
        with tempfile.TemporaryDirectory() as screen:
            stdout, stderr = Path(screen, 'stdout'), Path(screen, 'stderr')
            status = Program(arguments, stdout, stderr, environment, folder).wait(timeout)
            done = subprocess.CompletedProcess(arguments, status, stdout.read_text(), stderr.read_text())
    assert check is None or done.returncode == check, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.fixture(scope='session')
def phantom_stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a stack of small synthetic X-rays with its annotations."""
    folder = tmp_path_factory.mktemp('stack')
    write_challenge_dataset(folder, count=11, size_scale=0.1)
    return folder


@pytest.fixture(scope='session')
def data_root(phantom_stack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic X-rays prepared: 6 to train, 2 to validate, 3 to test."""
    folder = tmp_path_factory.mktemp('prepared')
    prepare(
        ChallengeSource(phantom_stack / 'train_stack.mha', phantom_stack / 'train-gt.json'),
        folder / 'images',
        load_landmark_set('cldetection2023'),
        sizes=(6, 2, 3),
        unusual_spacing=True,  # Its few pixels are large.
    )
    return folder


@pytest.fixture(scope='session')
def trained(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of the tiny recipe, trained by step 3 from beginning to end."""
    work_dir = tmp_path_factory.mktemp('run') / 'uninterrupted'
    run_python(
        'step3_train_and_evaluation.py', TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir, '--seed', 1
    )
    return work_dir


@pytest.fixture(scope='session')
def model_folder(trained: Path) -> Path:
    """The model of the tiny recipe, with a calibration."""
    return trained / 'model'


@pytest.fixture(scope='session')
def other_model(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another epoch of the same run than the best, without a calibration and without ONNX graphs."""
    from cephalometric.training.checkpoint_models import write_checkpoint_model

    folder = tmp_path_factory.mktemp('models') / 'earlier'
    write_checkpoint_model(other_epoch(trained), folder, TINY_RECIPE)
    return folder


def other_epoch(work_dir: Path) -> Path:
    """A checkpoint of the tiny recipe that is not the best: which one is, differs between processors and versions."""
    (best,) = work_dir.glob('best_MRE_epoch_*.pth')
    return work_dir / ('epoch_2.pth' if best.stem.endswith('_3') else 'epoch_3.pth')
