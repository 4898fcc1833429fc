"""Recipes are completed: each fact that is stated once reaches every part that needs it."""

import pytest
from conftest import ROOT, TINY_RECIPE

from cephalometric.errors import InputError
from cephalometric.training.recipe import DATA_ROOT_VARIABLE, load_config

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def data_roots(config):
    return {config[name].dataset.data_root for name in LOADERS}


def test_the_data_root_reaches_every_loader_however_it_is_said(monkeypatch):
    assert data_roots(load_config(TINY_RECIPE)) == {'data/cephalometric'}
    assert data_roots(load_config(TINY_RECIPE, options={'data_root': 'by_option'})) == {'by_option'}
    monkeypatch.setenv(DATA_ROOT_VARIABLE, 'by_environment')
    assert data_roots(load_config(TINY_RECIPE)) == {'by_environment'}
    assert data_roots(load_config(TINY_RECIPE, data_root='by_flag')) == {'by_flag'}


def test_the_codec_reaches_model_and_pipelines():
    config = load_config(TINY_RECIPE, options={'codec.sigma': 3})
    assert config.model.head.decoder == config.codec and config.codec.sigma == 3
    steps = {step.type: step for step in config.train_dataloader.dataset.pipeline}
    assert steps['GenerateTarget'].encoder == config.codec
    assert steps['TopdownAffine'].input_size == config.codec.input_size and steps['TopdownAffine'].use_udp


def test_a_simcc_head_learns_its_sizes_from_the_codec():
    path = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'
    config = load_config(path, options={'codec.input_size': (256, 192)})
    assert tuple(config.model.head.input_size) == (256, 192)
    assert tuple(config.model.head.in_featuremap_size) == (8, 6)
    assert not config.test_pipeline[2].use_udp


def test_a_completed_config_is_complete_and_stays_as_it_is(tmp_path):
    config = load_config(TINY_RECIPE, data_root='somewhere', landmark_set='isbi2015')
    config.dump(tmp_path / 'dumped.py')
    assert load_config(tmp_path / 'dumped.py').to_dict() == config.to_dict()


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (None, 'no such config'),
        ("_base_ = 'gone.py'", 'missing'),
        ('codec = dict(', 'not a config'),
        ('codec = unknown_name', 'not a config'),
        ('codec = dict()', 'landmark_set, data_root, model'),
    ],
)
def test_a_broken_config_is_named(tmp_path, content, expected):
    path = tmp_path / 'recipe.py'
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=expected) as error:
        load_config(path)
    assert str(path) in str(error.value)


def test_an_option_that_does_not_fit_is_named():
    with pytest.raises(InputError, match='cfg-options'):
        load_config(TINY_RECIPE, options={'train_pipeline.99.type': 'LoadImage'})
