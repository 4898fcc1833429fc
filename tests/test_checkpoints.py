"""Checkpoints: whole or not there, and no code in them is ever run."""

import os
import pathlib
import pickle
import time
from collections import OrderedDict

import numpy as np
import pytest
import torch
from conftest import run_python
from forks import Program
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer
from mmengine.optim import MultiStepLR
from mmengine.runner.checkpoint import _load_checkpoint
from safetensors.torch import save_file

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import (
    AtomicBackend,
    UnsafeCheckpointError,
    latest_checkpoint,
    load_from_checked_file,
    save_weights,
    weights_of,
)


class Payload:
    """Pickles into a call: whoever unpickles it runs ``os.mkdir``."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


class Reach:
    """Pickles into ``getattr`` on something that is not a log buffer."""

    def __reduce__(self):
        return getattr, (np.ndarray, 'tofile')


@pytest.mark.parametrize('load', [load_from_checked_file, _load_checkpoint], ids=['ours', "MMEngine's"])
def test_a_pickle_that_would_run_code_is_refused(tmp_path, load):
    path, folder = tmp_path / 'evil.pth', tmp_path / 'made_by_the_pickle'
    torch.save({'state_dict': {}, 'extra': Payload(folder)}, path)
    with pytest.raises(InputError, match='would run code') as error:
        load(str(path))
    assert str(path) in str(error.value)
    assert not folder.exists()
    pickle.loads(pickle.dumps(Payload(folder)))  # The payload is real: this is what is prevented.
    assert folder.exists()


def test_the_stand_in_for_getattr_reaches_nothing_else(tmp_path):
    torch.save({'extra': Reach()}, tmp_path / 'reach.pth')
    with pytest.raises(InputError, match='would run code'):
        load_from_checked_file(str(tmp_path / 'reach.pth'))


def test_what_mmengine_saves_is_loaded(tmp_path):
    buffer = HistoryBuffer([1.0, 3.0], [1, 1])
    content = {'loss': buffer, 'best': np.float64(2.5), 'array': np.arange(3), 'flag': np.bool_(True)}
    torch.save(content, tmp_path / 'run.pth')
    loaded = load_from_checked_file(str(tmp_path / 'run.pth'))
    assert loaded['loss'].mean() == 2.0 and loaded['best'] == 2.5 and loaded['array'].tolist() == [0, 1, 2]


class Setting:
    """An object of a class that no checkpoint of ours holds."""


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(
    ('content', 'named'),
    [
        (Payload('/nowhere'), f'{os.mkdir.__module__}.mkdir'),
        (Setting(), f'{Setting.__module__}.Setting'),
        (torch.nn.Linear(2, 2), 'torch.nn.modules.linear.Linear'),
        (pathlib.PurePosixPath('a'), f'{pathlib.PurePosixPath.__module__}.PurePosixPath'),
    ],
)
def test_a_refusal_names_the_class_and_gives_a_remedy_that_is_safe(tmp_path, content, named, zipped):
    torch.save({'state_dict': {}, 'extra': content}, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError) as error:
        load_from_checked_file(str(tmp_path / 'a.pth'))
    message = str(error.value)
    assert f'it names {named})' in message and 'ask its author for the weights alone' in message
    assert 'weights_only' not in message and 'trust' not in message and '\n' not in message


@pytest.mark.parametrize(
    'content',
    [b'', b'not a checkpoint', b'<html></html>', b'PK\x03\x04 cut off', pickle.dumps([1]), pickle.dumps({1}, 4)],
)
def test_other_files_are_named(tmp_path, content):
    path = tmp_path / 'other.pth'
    path.write_bytes(content)
    with pytest.raises(InputError, match='not a checkpoint') as error:
        load_from_checked_file(str(path))
    assert str(path) in str(error.value) and 'weights_only' not in str(error.value)


@given(st.integers(0, 1500), st.binary(min_size=1, max_size=4))
def test_a_checkpoint_with_other_bytes_in_it_is_loaded_or_named(tmp_path_factory, place, junk):
    path = tmp_path_factory.mktemp('fuzz') / 'a.pth'
    torch.save({'state_dict': {'weight': torch.zeros(4)}, 'loss': HistoryBuffer([1.0], [1])}, path)
    content = path.read_bytes()
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    try:
        loaded = load_from_checked_file(str(path))
    except InputError as error:  # Any other exception fails.
        assert str(path) in str(error)
    else:
        assert isinstance(loaded, dict)


WEIGHTS = {'backbone.conv.weight': torch.arange(6.0).view(2, 3), 'head.bias': torch.tensor([1.0, -2.0])}


def scheduler_of_the_baseline():
    """What MMEngine keeps of its schedule, whose milestones are a Counter."""
    weight = torch.nn.Parameter(torch.zeros(1))
    return MultiStepLR(torch.optim.Adam([weight]), milestones=[170, 200], end=210).state_dict()


def checkpoint_of_the_baseline():
    """What MMEngine saves beside weights: where the training stood, and data of other packages' types."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([weight])
    weight.sum().backward()
    optimizer.step()
    meta = {
        'cfg': "model = dict(type='TopdownPoseEstimator')",
        'epoch': 40,
        'iter': 1520,
        'dataset_meta': {'sigmas': np.ones(38, np.float32), 'keypoint_colors': np.zeros((38, 3), np.uint8)},
    }
    hub = {
        'log_scalars': {'train/loss': HistoryBuffer([1.0, 3.0], [1, 1]), 'val/SDR 2.0mm': HistoryBuffer([60.0], [1])},
        'runtime_info': {'best_score': np.float64(60.1), 'best_ckpt': '/data/best_SDR 2.0mm_epoch_40.pth', 'iter': 9},
        'resumed_keys': {'train/loss': True},
    }
    return {
        'meta': meta,
        'state_dict': OrderedDict(WEIGHTS),
        'message_hub': hub,
        'optimizer': optimizer.state_dict(),
        'param_schedulers': [scheduler_of_the_baseline()],
    }


def wrapped(weights, prefix):
    return {prefix + name: value for name, value in weights.items()}


FORMS = {
    'of the baseline': lambda path: torch.save(checkpoint_of_the_baseline(), path),
    'before PyTorch 1.6': lambda path: torch.save(
        checkpoint_of_the_baseline(), path, _use_new_zipfile_serialization=False
    ),
    'weights alone': lambda path: torch.save(WEIGHTS, path),
    'weights alone, ordered': lambda path: torch.save(OrderedDict(WEIGHTS), path),
    'of DataParallel': lambda path: torch.save(wrapped(WEIGHTS, 'module.'), path),
    'of DataParallel, with more': lambda path: torch.save(
        {'state_dict': wrapped(WEIGHTS, 'module.'), 'epoch': 3}, path
    ),
    'compiled and parallel': lambda path: torch.save({'state_dict': wrapped(WEIGHTS, 'module._orig_mod.')}, path),
    'safetensors': lambda path: save_file(WEIGHTS, path, metadata={'format': 'pt'}),
    'safetensors of DataParallel': lambda path: save_file(wrapped(WEIGHTS, 'module.'), path),
}


@pytest.mark.parametrize('name', ['best_SDR 2.0mm_epoch_40.pth', 'weights.safetensors', 'weights'])
@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('load', [load_from_checked_file, _load_checkpoint], ids=['ours', "MMEngine's"])
def test_weights_are_the_same_in_whatever_form_they_come(tmp_path, form, name, load):
    FORMS[form](tmp_path / name)
    loaded = load(str(tmp_path / name), 'cpu')
    found = weights_of(loaded, name)
    assert found.keys() == WEIGHTS.keys() and all(torch.equal(found[key], WEIGHTS[key]) for key in found)
    if form == 'of the baseline':
        assert loaded['param_schedulers'][0]['milestones'] == {170: 1, 200: 1} and loaded['meta']['epoch'] == 40


def test_a_wrapper_is_taken_off_where_all_weights_have_it(tmp_path):
    weights = {'module.weight': torch.ones(1), 'weight': torch.zeros(1)}
    torch.save({'state_dict': weights}, tmp_path / 'a.pth')
    assert load_from_checked_file(str(tmp_path / 'a.pth'))['state_dict'].keys() == weights.keys()


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.text('abc._', min_size=1, max_size=9).filter(lambda name: not name.startswith(('module.', '_orig_mod.'))),
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=3).map(torch.tensor),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(['', 'module.', '_orig_mod.', 'module.module.']),
    st.sampled_from(['pickled', 'under state_dict', 'safetensors']),
)
def test_any_weights_come_back_as_they_were(tmp_path_factory, weights, prefix, form):
    path, given_weights = tmp_path_factory.mktemp('forms') / 'a.pth', wrapped(weights, prefix)
    if form == 'safetensors':
        save_file(given_weights, path)
    else:
        torch.save(given_weights if form == 'pickled' else {'state_dict': given_weights, 'meta': {}}, path)
    found = weights_of(load_from_checked_file(str(path)), 'a.pth')
    assert found.keys() == weights.keys() and all(torch.equal(found[name], weights[name]) for name in weights)


@settings(max_examples=40)
@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_damaged_safetensors_are_loaded_or_named(tmp_path_factory, place, junk):
    path = tmp_path_factory.mktemp('fuzz') / 'a.safetensors'
    save_file(WEIGHTS, path)
    content = path.read_bytes()
    path.write_bytes(content[:place] + junk + content[place + len(junk) :])
    try:
        weights_of(load_from_checked_file(str(path)), str(path))
    except InputError as error:  # Any other exception fails.
        assert str(path) in str(error) and '\n' not in str(error)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('place', ['conv.weight', 'norm.running_var'])
def test_weights_and_buffers_that_are_not_finite_are_named(place, value):
    weights = {
        'conv.weight': torch.ones(3),
        'norm.running_var': torch.ones(2),
        'norm.num_batches_tracked': torch.tensor(1),
    }
    assert weights_of({'state_dict': weights}, 'a.pth').keys() == weights.keys()
    weights[place][0] = value
    with pytest.raises(InputError, match=f'a.pth: the weights {place} are not finite: the training diverged'):
        weights_of({'state_dict': weights}, 'a.pth')


@pytest.mark.parametrize(
    'content', [[], {}, {'state_dict': {}}, {'state_dict': [1]}, {'state_dict': {'a': 'text'}}, {'a': 1}]
)
def test_what_holds_no_weights_is_no_checkpoint(content):
    with pytest.raises(InputError, match='not a checkpoint'):
        weights_of(content, 'a.pth')


def test_a_cut_off_checkpoint_is_named(tmp_path):
    path = tmp_path / 'cut.pth'
    torch.save({'state_dict': {'weight': torch.zeros(10000)}}, path)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(InputError, match='damaged'):
        load_from_checked_file(str(path))


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match='no such checkpoint'):
        load_from_checked_file(str(tmp_path / 'gone.pth'))


WRITER = """
import sys
from cephalometric.training.checkpoints import AtomicBackend
for number in range(10**6):
    AtomicBackend().put(bytes([number % 256]) * 30_000_000, sys.argv[1])
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    writer = Program(['-c', WRITER, path], tmp_path / 'stdout', tmp_path / 'stderr')
    while not path.exists():
        time.sleep(0.01)
    for pause in (0.013, 0.05):
        time.sleep(pause)
    writer.kill()
    writer.wait()
    content = path.read_bytes()
    assert len(content) == 30_000_000 and content == content[:1] * len(content)


def test_the_backend_makes_the_folder(tmp_path):
    AtomicBackend().put(b'abc', tmp_path / 'new' / 'file')
    assert (tmp_path / 'new' / 'file').read_bytes() == b'abc'


def test_weights_alone_have_no_optimizer_and_need_no_allow_list(trained, tmp_path):
    checkpoint = load_from_checked_file(str(latest_checkpoint(trained)))
    save_weights(checkpoint, tmp_path / 'weights.pth')
    command = 'import sys, torch; print(sorted(torch.load(sys.argv[1], weights_only=True)))'
    assert run_python('-c', command, tmp_path / 'weights.pth', fresh=True).stdout.strip() == "['meta', 'state_dict']"
    loaded = load_from_checked_file(str(tmp_path / 'weights.pth'))
    assert loaded['meta']['landmarks'][:3] == ['S', 'N', 'Or']
    assert all(torch.equal(loaded['state_dict'][name], value) for name, value in checkpoint['state_dict'].items())


def test_the_latest_checkpoint_is_that_of_the_highest_epoch(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    for name in ('epoch_9.pth', 'epoch_10.pth', 'best_MRE_epoch_11.pth', '.epoch_12.pth.partial'):
        (tmp_path / name).touch()
    assert latest_checkpoint(tmp_path).name == 'epoch_10.pth'


@pytest.mark.skipif(os.name == 'nt', reason='Windows limits no files by size')
def test_weights_on_a_full_disk_are_one_line_and_leave_the_old_ones(tmp_path):
    # A file may be no larger than the limit, which is how a disk that has no room left looks to a program.
    script = """
import resource, signal, sys, torch
from pathlib import Path
from cephalometric.errors import run_step
from cephalometric.training.checkpoints import save_weights
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
run_step(lambda: save_weights({'state_dict': {'a': torch.zeros(10000)}}, Path(sys.argv[1])))
"""
    path = tmp_path / 'best_model_weight.pth'
    path.write_text('old')
    done = run_python('-c', script, path, check=2)
    assert done.stderr == f'error: {path} cannot be written: File too large\n', done.stderr
    assert path.read_text() == 'old' and [file.name for file in tmp_path.iterdir()] == [path.name]
