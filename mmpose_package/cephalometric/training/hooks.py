"""Hooks: exact resumption, checkpoints after validation, curves, and the best weights alone."""

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from tqdm import tqdm

from cephalometric.reporting.training_curves import Curves
from cephalometric.training.checkpoints import latest_checkpoint, load_from_checked_file, save_weights

BEST_WEIGHTS = 'best_model_weight.pth'


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed every epoch from (seed, epoch), so that a resumed run draws what an uninterrupted one would have drawn."""

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process and, through the dataset, the augmentation in its workers."""
        seed = int(runner.seed)
        runner.train_dataloader.dataset.set_epoch(seed, runner.epoch)
        state = int(np.random.SeedSequence((seed, runner.epoch, runner.rank)).generate_state(1)[0])
        random.seed(state)
        np.random.seed(state)
        torch.manual_seed(state)


@HOOKS.register_module()
class MeanLayoutHook(Hook):
    """Give a coarse-to-fine model the mean layout of its training X-rays."""

    # Before an average of the weights starts from a copy of the model.
    priority = 'HIGHEST'

    def before_run(self, runner: Runner) -> None:
        """Take the layout from the training dataset."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.set_mean_layout(runner.train_dataloader.dataset.mean_layout_mm)


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's checkpoints, written after the validation of their epoch instead of before it.

    A process that is killed while it validates then resumes before that epoch, and does not lose the score and the best
    checkpoint that the validation would have given.
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Save now only when no validation follows."""
        loop, epoch = runner.train_loop, runner.epoch + 1
        last = epoch == runner.max_epochs
        validates = runner.val_loop is not None and epoch >= loop.val_begin
        if not (validates and (epoch % loop.val_interval == 0 or last)):
            super().after_train_epoch(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint, where this is one, and the checkpoint of the epoch."""
        if not hasattr(self, 'file_backend'):
            return  # Runner.val() outside training: there is nothing to save.
        super().after_val_epoch(runner, metrics)
        saved = self.last_ckpt and Path(self.last_ckpt).name == self.filename_tmpl.format(runner.epoch)
        if not saved:
            self._save_checkpoint_with_step(runner, runner.epoch, {'epoch': runner.epoch, 'iter': runner.iter})


@HOOKS.register_module()
class CurvesHook(Hook):
    """Loss and scores per epoch as ``curves.csv`` and ``curves.png`` in the work dir, without any service."""

    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Continue the table of the run that is resumed."""
        self.curves = Curves(Path(runner.work_dir), finished_epochs=runner.epoch)

    @master_only
    def after_train_epoch(self, runner: Runner) -> None:
        """Note the epoch's mean loss and its learning rate in the table."""
        iterations = len(runner.train_dataloader)
        self.curves.add(
            runner.epoch + 1,
            loss=runner.message_hub.get_scalar('train/loss').mean(iterations),
            learning_rate=runner.message_hub.get_scalar('train/lr').current(),
        )
        self.curves.write_table()

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Note the scores, and draw them."""
        if metrics and hasattr(self, 'curves'):
            self.curves.add(runner.epoch, **metrics)
            self.curves.write_table()
            self.curves.draw()

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Draw what the last validation has not drawn."""
        self.curves.draw()


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """A bar over all steps of the run, on terminals; a log file has the log's own lines, with the time left."""

    def before_train(self, runner: Runner) -> None:
        """Start where the run does, which may have been resumed."""
        disable = None if is_main_process() else True
        self.bar = tqdm(total=runner.max_iters, initial=runner.iter, desc='Training', unit='step', disable=disable)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Go on by one step."""
        self.bar.update()

    def after_train(self, runner: Runner) -> None:
        """Leave the full bar on the screen."""
        self.bar.close()


@HOOKS.register_module()
class BestWeightsHook(Hook):
    """At the end of training, write the best weights alone as ``best_model_weight.pth``."""

    # After the checkpoint hook, which has the lowest of the default priorities.
    priority = 'LOWEST'

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Take the best checkpoint or, where nothing was validated, the last."""
        work_dir = Path(runner.work_dir)
        best = runner.message_hub.runtime_info.get('best_ckpt')
        source = work_dir / Path(best).name if best else latest_checkpoint(work_dir)
        save_weights(load_from_checked_file(str(source), map_location='cpu'), work_dir / BEST_WEIGHTS)
        runner.logger.info(f'The weights of {source.name} alone are in {work_dir / BEST_WEIGHTS}')
