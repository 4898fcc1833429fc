"""Trainings that diverge: they stop at once, say what to try, and leave no weights that are not finite."""

import pytest
import torch
from conftest import TINY_RECIPE, run_python
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import load_from_checked_file, weights_of
from cephalometric.training.recipe import load_config
from cephalometric.training.run import train


def test_a_training_stops_at_the_first_loss_that_is_not_finite(data_root, tmp_path):
    work_dir = tmp_path / 'run'
    options = ('--cfg-options', 'optim_wrapper.optimizer.lr=1e30')
    arguments = (TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir, *options)
    done = run_python('step3_train_and_evaluation.py', *arguments, check=2)
    assert 'Traceback' not in done.stderr and 'Model:' not in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if 'error:' in line]
    assert 'diverged in epoch 1, iteration 2 of 2: loss' in line
    assert 'lower learning rate (--cfg-options optim_wrapper.optimizer.lr=..., which is 1e+30 now)' in line
    assert '--amp' not in line  # It was not on.
    assert not list(work_dir.glob('*.pth')) and not (work_dir / 'model').exists()


@HOOKS.register_module()
class SpoilTheSecondEpoch(Hook):
    """As gradients that overflow in the last step of an epoch do it."""

    def __init__(self, name):
        self.name = name

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        assert torch.isfinite(outputs['loss'])
        if runner.epoch == 1 and batch_idx == len(runner.train_dataloader) - 1:
            runner.model.state_dict()[self.name].view(-1)[0] = float('inf')


@pytest.mark.parametrize('name', ['head.final_layer.weight', 'backbone.bn1.running_var'])
def test_weights_that_the_last_step_has_spoiled_are_neither_scored_nor_saved(data_root, tmp_path, name):
    config = load_config(TINY_RECIPE, str(data_root))
    config.custom_hooks.append({'type': 'SpoilTheSecondEpoch', 'name': name})
    with pytest.raises(InputError, match=f'diverged in epoch 2, iteration 2 of 2: the weights {name} are not') as error:
        train(config, tmp_path / 'run', seed=1)
    assert f'{tmp_path / "run" / "epoch_1.pth"} is the last checkpoint before it' in str(error.value)
    left = sorted(path.name for path in (tmp_path / 'run').glob('*.pth'))
    assert left == ['best_MRE_epoch_1.pth', 'epoch_1.pth']
    for path in left:
        weights_of(load_from_checked_file(str(tmp_path / 'run' / path)), path)  # It raises for what is not finite.
