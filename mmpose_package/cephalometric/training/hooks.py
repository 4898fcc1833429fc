"""Hooks: exact resumption, checkpoints after validation, curves, and the best weights alone."""

import math
import random
import re
import time
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path, PureWindowsPath

import numpy as np
import torch
from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import BaseLoop, Runner
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.geometry import mean_layout_mm
from cephalometric.installation import device
from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.training_curves import Curves
from cephalometric.training.checkpoints import latest_checkpoint, load_from_checked_file, save_weights
from cephalometric.training.dataset_parts import built_datasets

BEST_WEIGHTS = 'best_model_weight.pth'


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed every epoch from (seed, epoch), so that a resumed run draws what an uninterrupted one would have drawn."""

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed this process and, through the dataset, the augmentation in its workers."""
        seed = int(runner.seed)
        for dataset in built_datasets(runner.train_dataloader.dataset):
            if hasattr(dataset, 'set_epoch'):
                dataset.set_epoch(seed, runner.epoch)
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
        """Take the layout from the training dataset.

        Raises:
            InputError: A landmark has no place in it, or there is but one, and no distance that gives patches a scale.
        """
        datasets = list(built_datasets(runner.train_dataloader.dataset))
        layout_mm = _joint_layout_mm(datasets)
        for dataset in datasets:
            dataset.mean_layout_mm = layout_mm
        dataset = datasets[0]
        loose = [
            name
            for name, there in zip(dataset.landmarks.abbreviations, np.isfinite(layout_mm).all(1), strict=True)
            if not there
        ]
        if loose or len(layout_mm) < 2:
            raise InputError(
                f'{dataset.ann_file}: a coarse-to-fine recipe takes the scale of its patches from the distances of '
                f'landmarks, and there are none for {", ".join(loose) or "a single landmark"}: annotate more of them '
                'in the same X-rays, or take another recipe'
            )
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.set_mean_layout(layout_mm)
        self.layout_mm = layout_mm

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """A model that starts its training from another one keeps the layout of its own X-rays."""
        if isinstance(runner._train_loop, BaseLoop) and not runner._resume:
            layout = torch.from_numpy(self.layout_mm).to(torch.float32)
            checkpoint['state_dict']['mean_layout_mm'] = layout


def _joint_layout_mm(datasets: list) -> np.ndarray:
    """The mean layout of the X-rays of one data set, or of several, shape (K, 2)."""
    if len(datasets) == 1:
        return datasets[0].mean_layout_mm
    samples = [dataset.get_data_info(place) for dataset in datasets for place in range(len(dataset))]
    points_px = [
        np.where(sample['keypoints_visible'][0, :, None] > 0, sample['keypoints'][0], np.nan) for sample in samples
    ]
    return mean_layout_mm(np.stack(points_px), np.array([sample['spacing'] for sample in samples]))


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's checkpoints, written after the validation of their epoch instead of before it.

    A process that is killed while it validates then resumes before that epoch, and does not lose the score and the best
    checkpoint that the validation would have given.
    """

    def before_train(self, runner: Runner) -> None:
        """Take over what a resumed run has kept, as far as it lies in this work dir.

        MMEngine removes what a checkpoint names, wherever it lies: the files of the run that it was copied from, or
        any others.
        """
        info = runner.message_hub.runtime_info
        epochs = info.get('keep_ckpt_ids')
        epochs = epochs if isinstance(epochs, list) else []
        info['keep_ckpt_ids'] = [epoch for epoch in epochs if type(epoch) is int and epoch > 0]
        super().before_train(runner)
        for name in [name for name in info if name.startswith('best_ckpt')]:
            score = name.replace('best_ckpt', 'best_score', 1)
            path = best_beside(info[name], Path(self.out_dir))
            if path is None or not _is_score(info.get(score)):
                runner.logger.info(f'{info[name]}, the best checkpoint so far, is not in {self.out_dir}: forgotten')
                info.pop(name)
                info.pop(score, None)
            else:
                info[name] = str(path)
            key = name.removeprefix('best_ckpt').removeprefix('_')
            if key and key in getattr(self, 'best_ckpt_path_dict', {}):
                self.best_ckpt_path_dict[key] = info.get(name)
            elif not key:
                self.best_ckpt_path = info.get(name)

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


def best_beside(path: object, folder: Path) -> Path | None:
    """The best checkpoint of that name in a folder; None where there is none. Of a path the name alone counts.

    Args:
        path: As a checkpoint holds it, which may come from another machine, or from someone else.
        folder: Where to look.
    """
    name = PureWindowsPath(str(path)).name  # Both kinds of slashes.
    found = folder / name
    return found if re.fullmatch(r'best_.+_(epoch|iter)_\d+\.pth', name) and found.is_file() else None


def _is_score(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


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
    """What a person sees of a run: how it starts, a line for every validation and, on terminals, a bar over all steps.

    The log file in the work dir has all the rest.
    """

    def before_train(self, runner: Runner) -> None:
        """Say what is trained, and start where the run does, which may have been resumed."""
        self.started, self.first_step, self.first_epoch = time.monotonic(), runner.iter, runner.epoch + 1
        disable = None if is_main_process() else True
        for name, value in _summary(runner):
            self._say(f'{name + ":":13} {value}')
        self.bar = tqdm(total=runner.max_iters, initial=runner.iter, desc='Training', unit='step', disable=disable)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Go on by one step."""
        self.bar.update()

    def after_train_epoch(self, runner: Runner) -> None:
        """Note the loss; say it where no validation will, and once at the beginning, to see how long it will take."""
        self.loss = runner.message_hub.get_scalar('train/loss').mean(len(runner.train_dataloader))
        epoch = runner.epoch + 1
        if runner.val_loop is None or epoch == self.first_epoch:
            # MMEngine counts the epoch after this.
            self._say(self._line(runner, epoch, {}))

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Say the scores."""
        if metrics and hasattr(self, 'loss'):
            self._say(self._line(runner, runner.epoch, metrics))

    def after_train(self, runner: Runner) -> None:
        """Leave the full bar on the screen."""
        self.bar.close()

    def _line(self, runner: Runner, epoch: int, metrics: Mapping[str, float]) -> str:
        scores = ''.join(f' | {name} {value:.2f}{_unit(name)}' for name, value in metrics.items())
        share_left = (runner.max_iters - runner.iter) / max(1, runner.iter - self.first_step)
        minutes = (time.monotonic() - self.started) * share_left / 60
        left = f' | {_duration(minutes)} left' if share_left else ''
        number = f'{epoch:>{len(str(runner.max_epochs))}} of {runner.max_epochs}'
        return f'epoch {number} | loss {self.loss:.4g}{scores}{left}'

    @master_only
    def _say(self, line: str) -> None:
        with tqdm.external_write_mode():  # above the bar
            print(line, flush=True)


def _summary(runner: Runner) -> Iterator[tuple[str, str]]:
    config = runner.cfg
    yield 'Recipe', str(config.filename)
    yield 'Landmarks', f'{len(load_landmark_set(config.landmark_set))} of {config.landmark_set}'
    validates = f'{len(runner.val_dataloader.dataset)} to validate' if runner.val_loop else 'none to validate'
    yield 'X-rays', f'{len(runner.train_dataloader.dataset)} to train, {validates}, from {config.data_root}'
    yield 'Device', device()
    yield 'Epochs', f'{runner.max_epochs} of {len(runner.train_dataloader)} steps'
    yield 'Work dir', str(runner.work_dir)
    yield 'Log', str(runner.logger.log_file)


def _unit(name: str) -> str:
    return ' mm' if name == 'MRE' else ' %' if name.startswith('SDR') else ''


def _duration(minutes: float) -> str:
    if minutes < 1:
        return 'less than a minute'
    return f'{minutes:.0f} min' if minutes < 90 else f'{minutes / 60:.1f} h'


@HOOKS.register_module()
class BestWeightsHook(Hook):
    """At the end of training, write the best weights alone as ``best_model_weight.pth``."""

    # After the checkpoint hook, which has the lowest of the default priorities.
    priority = 'LOWEST'

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Take the best checkpoint or, where nothing is validated, the last, whatever was validated before."""
        work_dir = Path(runner.work_dir)
        # Of several scores that have a best checkpoint, the first in the config counts.
        info = runner.message_hub.runtime_info
        best = next((info[name] for name in info if name.startswith('best_ckpt')), None) if runner.val_loop else None
        last = work_dir / f'epoch_{runner.epoch}.pth'
        source = best and best_beside(best, work_dir)
        source = source or (last if last.is_file() else latest_checkpoint(work_dir))
        save_weights(load_from_checked_file(str(source), map_location='cpu'), work_dir / BEST_WEIGHTS)
        runner.logger.info(f'The weights of {source.name} alone are in {work_dir / BEST_WEIGHTS}')
