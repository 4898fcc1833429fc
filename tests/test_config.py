"""``cephalometric config``: a recipe as one file."""

import sys

import pytest
from conftest import TINY_RECIPE
from mmengine.config import Config

from cephalometric.__main__ import main
from cephalometric.errors import InputError
from cephalometric.training.recipe import load_config


def config_command(monkeypatch, *words):
    monkeypatch.setattr(sys, 'argv', ['cephalometric', 'config', *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code


def test_what_is_shown_is_what_is_written_and_what_is_loaded(tmp_path, monkeypatch, capsys):
    words = [TINY_RECIPE, '--data-root', 'somewhere', '--landmarks', 'isbi2015', '--cfg-options', 'codec.sigma=3']
    config_command(monkeypatch, *words, '--out', tmp_path / 'complete.py')
    assert capsys.readouterr().out == f'Config: {tmp_path / "complete.py"}\n'
    config_command(monkeypatch, *words)
    assert capsys.readouterr().out == (tmp_path / 'complete.py').read_text()

    alone = Config.fromfile(str(tmp_path / 'complete.py'))
    assert alone.pop('work_dir') == 'work_dirs/tiny_recipe'
    loaded = load_config(TINY_RECIPE, 'somewhere', 'isbi2015', {'codec.sigma': 3})
    assert alone.to_dict() == loaded.to_dict()
    assert alone.train_dataloader.dataset.data_root == 'somewhere' and alone.model.head.out_channels == 19


def test_a_landmark_set_of_ones_own_is_found_from_everywhere(tmp_path, monkeypatch):
    (tmp_path / 'mine.json').write_text('{"subset_of": "cldetection2023", "landmarks": ["S", "N"]}')
    monkeypatch.chdir(tmp_path)
    config_command(monkeypatch, TINY_RECIPE, '--landmarks', 'mine.json', '--out', 'complete.py')
    alone = Config.fromfile('complete.py')
    path = (tmp_path / 'mine.json').as_posix()
    assert alone.landmark_set == alone.test_dataloader.dataset.landmark_set == path


def test_a_file_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['cephalometric', 'config', 'gone.py', '--out', str(tmp_path / 'gone' / 'x.py')])
    with pytest.raises(InputError, match='does not exist'):
        main()
