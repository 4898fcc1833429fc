"""A training that diverges is stopped: its weights become NaN or infinite, and nothing of them is worth keeping."""

from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import latest_checkpoint, not_finite


@HOOKS.register_module()
class SoundWeightsHook(Hook):
    """Stop a training that diverges, before anything of it is validated or saved."""

    # After an average of the weights has put itself into the checkpoint.
    priority = 'LOWEST'

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: Mapping[str, object] | None = None
    ) -> None:
        """Look at the losses of the step.

        Raises:
            InputError: One is not finite.
        """
        for name, value in (outputs or {}).items():
            if 'loss' in name and not torch.isfinite(torch.as_tensor(value)).all():
                self._stop(runner, f'{name} = {float(torch.as_tensor(value).sum())}', batch_idx + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the weights, which the last step can have spoiled though its loss was finite.

        Raises:
            InputError: Some are not finite.
        """
        self._look_at(runner, runner.model.state_dict(), len(runner.train_dataloader))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at what is about to be saved; errors as for ``after_train_epoch``."""
        for part in ('state_dict', 'ema_state_dict'):
            self._look_at(runner, checkpoint.get(part, {}), None)

    def _look_at(self, runner: Runner, weights: Mapping[str, torch.Tensor], iteration: int | None) -> None:
        name = not_finite(weights)
        if name is not None:
            self._stop(runner, f'the weights {name} are not finite', iteration)

    def _stop(self, runner: Runner, found: str, iteration: int | None) -> None:
        step = '' if iteration is None else f', iteration {iteration} of {len(runner.train_dataloader)}'
        epoch = min(runner.epoch + 1, runner.max_epochs)
        rate = runner.optim_wrapper.get_lr()
        rates = rate.get('lr', []) if isinstance(rate, dict) else []
        now = f', which is {rates[0]:.3g} now' if rates and isinstance(rates[0], float) else ''
        amp = ' or leave --amp out' if isinstance(runner.optim_wrapper, AmpOptimWrapper) else ''
        newest = latest_checkpoint(Path(runner.work_dir))
        kept = f'; {newest} is the last checkpoint before it' if newest else ''
        raise InputError(
            f'the training diverged in epoch {epoch}{step}: {found}. Train again in another --work-dir with a lower '
            f'learning rate (--cfg-options optim_wrapper.optimizer.lr=...{now}){amp}{kept}'
        )
