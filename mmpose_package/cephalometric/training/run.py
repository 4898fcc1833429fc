"""A training run, from a completed config to checkpoints, curves and the best weights."""

import copy
import logging
import os
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.landmarks import load_landmark_set
from cephalometric.training.checkpoints import latest_checkpoint, weights_of
from cephalometric.training.config_reading import building
from cephalometric.training.dataset import check_data
from cephalometric.training.dataset_parts import annotation_files, load_joined
from cephalometric.training.divergence import SoundWeightsHook
from cephalometric.training.hooks import BEST_WEIGHTS, ResumableCheckpointHook
from cephalometric.training.pretrained import count_fitting, pretrained_parts, resolve_pretrained
from cephalometric.training.resuming import check_resumable, is_elsewhere, take_over

# MMEngine says these in every run, and there is nothing that a person could do about them.
IDLE_WARNINGS = (
    'The prefix is not set in metric class',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
)


def train(
    config: Config,
    work_dir: str | Path,
    resume: str | None = None,
    amp: bool = False,
    auto_scale_lr: bool = False,
    launcher: str = 'none',
    seed: int | None = None,
    validate: bool = True,
) -> Path:
    """Train, validate and keep the best weights.

    Args:
        config: As :func:`cephalometric.training.recipe.load_config` returns it; seed, scaling and absent validation are
            added to it. It is kept in ``work_dir`` without what only this machine or this run needs.
        work_dir: Where everything goes.
        resume: ``'auto'`` for the newest checkpoint of ``work_dir``, or the path of a checkpoint. None starts anew.
        amp: Automatic mixed precision, on GPUs.
        auto_scale_lr: Scale the learning rate by the batch size, as the config's ``auto_scale_lr`` says.
        launcher: ``'none'``, or how the processes of a distributed run were started: pytorch, slurm or mpi.
        seed: Replaces the config's.
        validate: False where there are no validation images; the last weights then count as the best.

    Returns:
        The file of the best weights alone.

    Raises:
        InputError: A flag does not fit the machine, the config or the data, the work dir holds another run, or the
            training diverges.
    """
    work_dir = Path(work_dir)
    if seed is not None:
        config.randomness = {**config.get('randomness', {}), 'seed': seed}
    if not validate:
        config.val_dataloader = config.val_cfg = config.val_evaluator = None
    if auto_scale_lr:
        if 'auto_scale_lr' not in config:
            raise InputError(
                f'--auto-scale-lr: {config.filename} does not say auto_scale_lr = dict(base_batch_size=...)'
            )
        config.auto_scale_lr.enable = True
    # What follows is of this run and this machine: what it continues, where it runs, what is at hand.
    running = copy.deepcopy(config)
    running.work_dir, running.launcher = str(work_dir), launcher
    if amp:
        _use_amp(running)
    _keep_others_files(running)
    resume = resume or (running.get('resume') and (running.get('load_from') or 'auto'))
    if not resume:
        _refuse_to_mix(work_dir)
    check_data(config)
    _refuse_what_cannot_be_learnt(config)
    start_distributed(launcher, (running.get('env_cfg') or {}).get('dist_cfg', {}).get('backend'))
    start = _resume(running, work_dir, resume) if resume else resolve_pretrained(running)
    with building(str(config.filename)):
        runner = QuietRunner.from_cfg(running)
    runner.register_hook(SoundWeightsHook())
    runner.check_start()
    if running.get('resume') and is_elsewhere(Path(running.load_from), work_dir):
        runner.continue_from(take_over(Path(running.load_from), work_dir))
    runner.keep_recipe(config)
    if is_main_process():
        runner.logger.info(start)
        print(start, flush=True)
    runner.train()
    return work_dir / BEST_WEIGHTS


class QuietRunner(Runner):
    """MMEngine's Runner, which keeps what it tells of itself for the log file and shows warnings and errors alone."""

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Build the logger, and quieten the handler of the console."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(max(handler.level, logging.WARNING))
                handler.addFilter(_is_no_idle_warning)
        return logger

    def dump_config(self) -> None:
        """Write nothing: what this machine runs is no recipe."""

    def keep_recipe(self, config: Config) -> None:
        """From now on, this is the config in the work dir and in checkpoints: what any machine can run."""
        self.cfg = config
        if is_main_process():
            with atomic_write(Path(self.work_dir, Path(config.filename).with_suffix('.py').name)) as partial:
                partial.write_text(config.pretty_text, encoding='utf-8')

    def wrap_model(self, model_wrapper_cfg: dict | None, model: torch.nn.Module) -> torch.nn.Module:
        """Share the training among processes, also on CPUs, where the model has no device id."""
        if model_wrapper_cfg is None and not torch.cuda.is_available():
            model_wrapper_cfg = {'type': 'MMDistributedDataParallel', 'device_ids': None, 'broadcast_buffers': False}
        return super().wrap_model(model_wrapper_cfg, model)

    def check_start(self) -> None:
        """Look at the weights that training starts from: all must fit where a run is continued, some where it begins.

        Raises:
            InputError: They do not, or are not finite.
        """
        if not self._load_from:
            return
        model = self.model.module if is_model_wrapper(self.model) else self.model
        weights = weights_of(_load_checkpoint(self._load_from, 'cpu', self.logger), self._load_from)
        own, fitting = model.state_dict(), count_fitting(model.state_dict(), weights)
        if not fitting or (self._resume and not fitting == len(own) == len(weights)):
            raise InputError(
                f'{self._load_from}: {fitting} of the {len(own)} tensors of the model are in it: it was trained with '
                'another recipe or landmark set'
            )
        if not self._resume and is_main_process():
            print(f'The model starts from {self._load_from} ({fitting} of its {len(own)} tensors)')

    def continue_from(self, checkpoint: Path) -> None:
        """Continue the run from another file than the config says."""
        self._load_from = str(checkpoint)

    def load_checkpoint(self, *args, **kwargs) -> dict:
        """Load a checkpoint without the config that MMEngine would run as code; arguments as MMEngine's."""
        checkpoint = super().load_checkpoint(*args, **kwargs)
        if isinstance(checkpoint.get('meta'), dict):
            checkpoint['meta'].pop('config', None)
        return checkpoint

    def resume(self, filename: str, *args, **kwargs) -> None:
        """Continue a run; arguments as MMEngine's.

        Raises:
            InputError: Optimizer or schedule are others than those of the checkpoint.
        """
        groups = [set(group) for group in _parameter_groups(self.optim_wrapper)]
        try:
            super().resume(filename, *args, **kwargs)
            lost = [
                names - set(group) for names, group in zip(groups, _parameter_groups(self.optim_wrapper), strict=True)
            ]
            if any(lost):
                # PyTorch takes the settings of any optimizer, and fails at the first step.
                raise ValueError(f'the checkpoint has no {", ".join(sorted(set.union(*lost)))}')
        except (IndexError, KeyError, TypeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(
                f'--resume {filename}: optimizer or schedule of the recipe are not those that it was trained with: '
                f'{reason}'
            ) from None


def start_distributed(launcher: str, backend: str | None = None) -> None:
    """Join the other processes of a distributed run, on GPUs or, where there is none, on CPUs by gloo.

    Args:
        launcher: How the processes were started: ``'none'`` for a single one, pytorch (torchrun), slurm or mpi.
        backend: How GPUs exchange what they have computed, by default nccl; CPUs know gloo alone.

    Raises:
        InputError: The process was not started by that launcher, or only GPUs can be used with it.
    """
    if launcher == 'none' or torch.distributed.is_initialized():
        return
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise InputError('--launcher pytorch: start the script with torchrun --nproc_per_node=N SCRIPT ...')
    if torch.cuda.is_available():
        init_dist(launcher, backend=backend or 'nccl')
    elif launcher == 'pytorch':
        # Not by init_dist, which insists on a GPU.
        torch.distributed.init_process_group('gloo')
    else:
        raise InputError(f'--launcher {launcher} needs GPUs, and this machine shows none: use torchrun and pytorch')


def choose_device(cuda_id: int = 0) -> str:
    """The GPU of that number where there is one, and the CPU where there is none.

    In a distributed run each process has the GPU of its own local rank.

    Raises:
        InputError: There are GPUs, but none of that number.
    """
    if not torch.cuda.is_available():
        return 'cpu'
    cuda_id = int(os.environ.get('LOCAL_RANK', cuda_id))
    if not 0 <= cuda_id < torch.cuda.device_count():
        raise InputError(f'--cuda_id {cuda_id}: this machine has the GPUs 0 to {torch.cuda.device_count() - 1}')
    return f'cuda:{cuda_id}'


def _is_no_idle_warning(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(IDLE_WARNINGS)


def _parameter_groups(optim_wrapper: object) -> list[dict]:
    groups = optim_wrapper.param_groups
    return groups if isinstance(groups, list) else [group for each in groups.values() for group in each]


def _keep_others_files(config: Config) -> None:
    """MMEngine's own checkpoint hook removes what a resumed checkpoint names, wherever it lies: not in such a run."""
    for hook in [*(config.get('default_hooks') or {}).values(), *(config.get('custom_hooks') or [])]:
        if hook and HOOKS.get(hook.get('type')) is CheckpointHook:
            hook['type'] = ResumableCheckpointHook.__name__


def _use_amp(config: Config) -> None:
    if not torch.cuda.is_available():
        raise InputError('--amp needs a GPU, and this machine shows none: leave the flag out')
    config.optim_wrapper.type = 'AmpOptimWrapper'
    config.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _refuse_to_mix(work_dir: Path) -> None:
    found = latest_checkpoint(work_dir)
    if found is not None:
        raise InputError(
            f'{work_dir} holds checkpoints of an earlier run ({found.name}): continue it with --resume, or name '
            'another --work-dir'
        )


def _refuse_what_cannot_be_learnt(config: Config) -> None:
    """A landmark that no X-ray has would be put anywhere, and look like the others."""
    files = annotation_files(config, 'train')
    if not files:
        return
    labelled = load_joined(files)
    if not len(labelled) or labelled.abbreviations != load_landmark_set(config.landmark_set).abbreviations:
        return  # The dataset says so.
    seen = np.any([image.visible for image in labelled.images], axis=0)
    missing = [name for name, there in zip(labelled.abbreviations, seen, strict=True) if not there]
    if missing:
        raise InputError(
            f'{labelled.path}: no X-ray has the landmark{"s" if len(missing) > 1 else ""} {", ".join(missing)}, so '
            'nothing can be learnt about it: annotate it in some, or prepare the data with a landmark set without it '
            '(docs/landmark_sets.md)'
        )


def _resume(config: Config, work_dir: Path, resume: str) -> str:
    checkpoint = latest_checkpoint(work_dir) if resume == 'auto' else Path(resume)
    if checkpoint is None:
        config.resume = False
        return f'--resume: {work_dir} holds no checkpoint yet. ' + resolve_pretrained(config)
    check_resumable(checkpoint)
    if is_elsewhere(checkpoint, work_dir):
        _refuse_to_mix(work_dir)
    for _, part, _ in list(pretrained_parts(config.model)):
        part['init_cfg'] = None
    config.load_from, config.resume = str(checkpoint), True
    return f'Resuming from {checkpoint}'
