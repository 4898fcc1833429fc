"""--cfg-options: understood, or refused in one line that says what was meant."""

import pytest
from conftest import TINY_RECIPE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.training.config_options import apply_options, parse_options
from cephalometric.training.config_reading import read_config


@pytest.fixture
def config():
    return read_config(TINY_RECIPE)


@pytest.mark.parametrize(
    ('option', 'part', 'expected'),
    [
        ('train_cfg.max_epochs=7', 'train_cfg.max_epochs', 7),
        ('codec.input_size=(64,96)', 'codec.input_size', (64, 96)),
        ('codec.input_size=64,96', 'codec.input_size', [64, 96]),
        ('optim_wrapper.optimizer.lr=1e-4', 'optim_wrapper.optimizer.lr', 1e-4),
        ('optim_wrapper.clip_grad.max_norm=35', 'optim_wrapper.clip_grad.max_norm', 35),
        ('train_dataloader.persistent_workers=False', 'train_dataloader.persistent_workers', False),
        ('train_dataloader.prefetch_factor=2', 'train_dataloader.prefetch_factor', 2),
        ('default_hooks.checkpoint.save_best=SDR 2.0mm', 'default_hooks.checkpoint.save_best', 'SDR 2.0mm'),
        ('default_hooks.checkpoint.save_best=[MRE]', 'default_hooks.checkpoint.save_best', ['MRE']),
        ('train_dataloader.dataset.ann_file=7', 'train_dataloader.dataset.ann_file', '7'),
        ('data_root=my data, new', 'data_root', 'my data, new'),
        ('model.backbone.frozen_stages=1', 'model.backbone.frozen_stages', 1),
        ('default_hooks.checkpoint.save_last=False', 'default_hooks.checkpoint.save_last', False),
        ('train_cfg.val_begin=2', 'train_cfg.val_begin', 2),
        ('sync_bn=torch', 'sync_bn', 'torch'),
        ('model.test_cfg.anything=1', 'model.test_cfg.anything', 1),
        ('auto_scale_lr.enable=True', 'auto_scale_lr.enable', True),
    ],
)
def test_an_option_replaces_or_adds_a_setting(config, option, part, expected):
    apply_options(config, [option])
    place = config
    for name in part.split('.'):
        place = place[name]
    assert place == expected and type(place) is type(expected)


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        ('foo', 'say KEY=VALUE'),
        ('=3', 'say KEY=VALUE'),
        ('data_root=', 'say KEY=VALUE'),
        ('train_cfg.max_epochs=ten', 'wants a number, as 3 in the config'),
        ('train_cfg.max_epochs=None', 'wants a number'),
        ('train_cfg.max_epochs=True', 'wants a number'),
        ('train_cfg.max_epoch=10', 'did you mean max_epochs'),
        ('trian_cfg.max_epochs=5', 'did you mean train_cfg'),
        ('codec=UDPHeatmap', 'say codec.NAME=VALUE'),
        ('codec.sigmaa=2', 'did you mean sigma'),
        ('codec.input_size=64', 'wants a list'),
        ('codec.input_size=(64,64', 'brackets'),
        ('codec.sigma.x=3', 'holds no settings'),
        ('train_dataloader.persistent_workers=no', 'True or False'),
        ('train_dataloader.num_worker=0', 'did you mean num_workers'),
        ('train_dataloader.dataset.indice=5', 'did you mean indices'),
        ('optim_wrapper.clipgrad.max_norm=35', 'did you mean clip_grad'),
        ('default_hooks.checkpoint.savebest=MRE', 'did you mean save_best'),
        ('train_pipeline.99.type=LoadImage', 'a place from 0 to 5'),
        ('train_pipeline.x.type=LoadImage', 'a place from 0 to 5'),
        ('model..head=3', "no setting ''"),
        ('zzzz=3', 'it has'),
    ],
)
def test_an_option_that_does_not_fit_is_named(config, option, expected):
    before = config.to_dict()
    with pytest.raises(InputError) as error:
        apply_options(config, [option])
    message = str(error.value)
    assert message.startswith(f'--cfg-options {option.partition("=")[0]}') and '\n' not in message
    assert expected in message
    assert config.to_dict() == before


def test_values_of_a_caller_stay_what_they_are(config):
    apply_options(config, {'codec.sigma': 3, 'codec.input_size': (32, 64), 'model.backbone.init_cfg': None})
    assert config.codec.input_size == (32, 64) and config.codec.sigma == 3


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_word_is_split_at_its_first_equals_sign(key, value):
    if key.strip() and value.strip() and '=' not in key:
        assert parse_options([f'{key}={value}']) == {key.strip(): value.strip()}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(['codec.sigma', 'train_pipeline.0.type', 'model', 'data_root', 'views', '.', 'train_cfg', 'a.b.c']),
    st.text('([{1,2.)]}e-\'"= TrueNone', min_size=1, max_size=8),
)
def test_whatever_is_said_is_understood_or_refused_in_one_line(key, value):
    config = read_config_once()
    try:
        apply_options(config, [f'{key}={value}'])
    except InputError as error:
        assert '\n' not in str(error)


def read_config_once(cache=[]):  # noqa: B006
    if not cache:
        cache.append(read_config(TINY_RECIPE))
    return cache[0].copy()
