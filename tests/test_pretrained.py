"""Pretrained backbones are used when at hand, and it is said what happens."""

import pytest
import torch
from conftest import ROOT

from cephalometric.training.config import load_config
from cephalometric.training.pretrained import resolve_pretrained

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
