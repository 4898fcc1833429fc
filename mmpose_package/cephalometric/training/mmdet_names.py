"""What recipes for RTMPose name of MMDetection, which is not needed here, by the names that it has in this toolkit."""

import copy
from collections.abc import Mapping
from importlib.util import find_spec

from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from cephalometric.errors import InputError
from cephalometric.training.dataset_parts import built_datasets

SCOPE = 'mmdet'
# The CSPNeXt of this toolkit is this one of MMDetection's, by whatever normalization of batches.
FIXED = {
    'arch': ('P5',),
    'expand_ratio': (0.5,),
    'out_indices': ((4,), [4]),
    'channel_attention': (True,),
    'act_cfg': ({'type': 'SiLU'},),
    'norm_cfg': ({'type': 'BN'}, {'type': 'SyncBN'}),
    'frozen_stages': (-1,),
    'use_depthwise': (False,),
    'norm_eval': (False,),
}
TAKEN = ('deepen_factor', 'widen_factor', 'init_cfg')


def resolve_mmdet_names(config: Config) -> None:
    """Name MMDetection's CSPNeXt and its switch of pipelines as here, where MMDetection is not installed.

    Args:
        config: Changed in place.

    Raises:
        InputError: A setting of the CSPNeXt is one that MMDetection alone has.
    """
    if find_spec(SCOPE) is not None:
        return
    model = config.get('model')
    backbone = model.get('backbone') if isinstance(model, Mapping) else None
    if isinstance(backbone, Mapping) and _name(backbone) == 'CSPNeXt':
        model['backbone'] = _resolved_backbone(backbone, str(config.filename))
    hooks = config.get('custom_hooks')
    for hook in hooks if isinstance(hooks, (list, tuple)) else ():
        if isinstance(hook, Mapping) and _name(hook) == PipelineSwitchHook.__name__:
            hook['type'] = PipelineSwitchHook.__name__
            hook.pop('_scope_', None)


def _name(part: Mapping) -> str | None:
    """The name of a class of MMDetection; None where it is none."""
    name = str(part.get('type'))
    if part.get('_scope_') == SCOPE:
        return name
    return name.removeprefix(f'{SCOPE}.') if name.startswith(f'{SCOPE}.') else None


def _resolved_backbone(said: Mapping, file: str) -> dict:
    for name, value in said.items():
        if name not in (*TAKEN, 'type', '_scope_') and not any(value == known for known in FIXED.get(name, ())):
            raise InputError(
                f'{file}: model.backbone: {name} = {value!r} is a setting of the CSPNeXt of MMDetection, which is not '
                'installed: install it (pip install mmdet), or leave the setting out'
            )
    return {'type': 'CephalometricCSPNeXt'} | {name: copy.deepcopy(said[name]) for name in TAKEN if name in said}


@HOOKS.register_module()
class PipelineSwitchHook(Hook):
    """Train on by another pipeline from an epoch on, such as one that changes the X-rays less at the end.

    Args:
        switch_epoch: The epoch, counted from 0, from which on the other pipeline is taken.
        switch_pipeline: Its transforms.
    """

    def __init__(self, switch_epoch: int, switch_pipeline: list[dict]) -> None:
        self.switch_epoch, self.switch_pipeline = switch_epoch, switch_pipeline
        self.is_switched = False

    def before_train_epoch(self, runner: Runner) -> None:
        """Switch, also where a run is resumed after that epoch."""
        if self.is_switched or runner.epoch < self.switch_epoch:
            return
        loader = runner.train_dataloader
        for dataset in built_datasets(loader.dataset):
            dataset.pipeline = Compose(self.switch_pipeline)
        # Workers that are kept have a copy of the data set: new ones are started.
        loader._iterator = None
        self.is_switched = True
        runner.logger.info(f'From epoch {runner.epoch + 1} on, the X-rays are changed by the other pipeline')
