"""Checkpoints: whole or not there, and no code in them is ever run.

Pretrained backbones are used when at hand, and it is said what happens.
"""

import os
import pickle
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import _load_checkpoint

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import (
    AtomicBackend,
    latest_checkpoint,
    load_from_checked_file,
    resolve_pretrained,
    save_weights,
)
from cephalometric.training.config import load_config


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


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04 cut off', pickle.dumps([1])])
def test_other_files_are_named(tmp_path, content):
    path = tmp_path / 'other.pth'
    path.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(str(path))):
        load_from_checked_file(str(path))


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
print('ready', flush=True)
for number in range(10**6):
    AtomicBackend().put(bytes([number % 256]) * 30_000_000, sys.argv[1])
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / 'epoch_1.pth'
    writer = subprocess.Popen([sys.executable, '-c', WRITER, str(path)], stdout=subprocess.PIPE)
    writer.stdout.readline()
    while not path.exists():
        time.sleep(0.01)
    for pause in (0.013, 0.05):
        time.sleep(pause)
    writer.send_signal(signal.SIGKILL)
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
    done = subprocess.run(
        [sys.executable, '-c', command, str(tmp_path / 'weights.pth')], capture_output=True, text=True
    )
    assert done.stdout.strip() == "['meta', 'state_dict']", done.stderr
    loaded = load_from_checked_file(str(tmp_path / 'weights.pth'))
    assert loaded['meta']['landmarks'][:3] == ['S', 'N', 'Or']
    assert all(torch.equal(loaded['state_dict'][name], value) for name, value in checkpoint['state_dict'].items())


def test_the_latest_checkpoint_is_that_of_the_highest_epoch(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    for name in ('epoch_9.pth', 'epoch_10.pth', 'best_MRE_epoch_11.pth', '.epoch_12.pth.partial'):
        (tmp_path / name).touch()
    assert latest_checkpoint(tmp_path).name == 'epoch_10.pth'


RECIPE = ROOT / 'cldetection_configs' / 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss.py'


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    return load_config(RECIPE)


def weights_at(path, config):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return resolve_pretrained(config)


def test_a_file_in_torchs_folder_is_used(config, tmp_path):
    line = weights_at(tmp_path / 'hub' / 'checkpoints' / 'hrnet_w32-36af842e.pth', config)
    assert 'starts from pretrained weights' in line and config.model.backbone.init_cfg.type == 'Pretrained'


def test_a_local_file_is_used(config, tmp_path):
    config.model.backbone.init_cfg.checkpoint = str(tmp_path / 'mine.pth')
    assert 'mine.pth' in weights_at(tmp_path / 'mine.pth', config)
    assert config.model.backbone.init_cfg is not None


def test_weights_that_cannot_be_had_are_dropped_with_a_word(config, tmp_path):
    config.model.backbone.init_cfg.checkpoint = 'http://localhost:9/weights.pth'  # nobody listens there
    line = resolve_pretrained(config)
    assert 'from scratch' in line and str(tmp_path / 'hub' / 'checkpoints' / 'weights.pth') in line
    assert config.model.backbone.init_cfg is None
    assert not list(tmp_path.rglob('*.pth'))


def test_a_recipe_without_pretrained_weights_says_so():
    config = load_config(ROOT / 'cldetection_configs' / 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py')
    assert resolve_pretrained(config) == 'The backbone is trained from scratch.'
