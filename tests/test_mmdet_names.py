"""What recipes for RTMPose name of MMDetection."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger

from cephalometric.errors import InputError
from cephalometric.training.mmdet_names import PipelineSwitchHook, resolve_mmdet_names

pytestmark = pytest.mark.skipif(
    find_spec('mmdet') is not None, reason='MMDetection is there, and its names are its own'
)
SAID = {
    **{'type': 'CSPNeXt', '_scope_': 'mmdet', 'arch': 'P5', 'expand_ratio': 0.5, 'widen_factor': 0.75},
    **{'out_indices': (4,), 'channel_attention': True, 'norm_cfg': {'type': 'SyncBN'}, 'init_cfg': {'type': 'Normal'}},
}


def resolved(backbone, hooks=()):
    config = Config({'model': {'backbone': backbone}, 'custom_hooks': list(hooks)})
    resolve_mmdet_names(config)
    return config


def test_its_backbone_is_the_one_of_this_toolkit_by_either_way_of_naming_it():
    expected = {'type': 'CephalometricCSPNeXt', 'widen_factor': 0.75, 'init_cfg': {'type': 'Normal'}}
    assert resolved(SAID).model.backbone.to_dict() == expected
    dotted = {name: value for name, value in SAID.items() if name != '_scope_'} | {'type': 'mmdet.CSPNeXt'}
    assert resolved(dotted).model.backbone.to_dict() == expected


@pytest.mark.parametrize(
    ('name', 'value'), [('arch', 'P6'), ('expand_ratio', 1.0), ('out_indices', (2, 3, 4)), ('x', 1)]
)
def test_a_setting_that_only_mmdetection_has_is_refused(name, value):
    with pytest.raises(InputError, match=f'{name} = .*pip install mmdet'):
        resolved(SAID | {name: value})


def test_others_names_stay():
    backbone = {'type': 'CSPNeXt', 'arch': 'P6'}
    hooks = [{'type': 'mmdet.SyncNormHook'}, {'type': 'EMAHook'}]
    config = resolved(backbone, hooks)
    assert config.model.backbone.to_dict() == backbone and [hook.to_dict() for hook in config.custom_hooks] == hooks


def test_the_pipeline_is_switched_once_in_every_part_and_workers_start_anew():
    hook = {'type': 'mmdet.PipelineSwitchHook', 'switch_epoch': 2, 'switch_pipeline': [{'type': 'LoadImage'}]}
    said = resolved(SAID, [hook]).custom_hooks[0]
    assert said.pop('type') == 'PipelineSwitchHook'
    switch = PipelineSwitchHook(**said)
    parts = [SimpleNamespace(pipeline='old') for _ in range(2)]
    loader = SimpleNamespace(dataset=SimpleNamespace(datasets=parts), _iterator='workers')
    runner = SimpleNamespace(epoch=1, train_dataloader=loader, logger=MMLogger.get_instance('switch'))
    switch.before_train_epoch(runner)
    assert loader._iterator == 'workers' and parts[0].pipeline == 'old'
    runner.epoch = 3  # As where a run is resumed.
    switch.before_train_epoch(runner)
    assert loader._iterator is None and [len(part.pipeline.transforms) for part in parts] == [1, 1]
    loader._iterator = 'new workers'
    switch.before_train_epoch(runner)
    assert loader._iterator == 'new workers'
