"""A training run, from a completed config to checkpoints, curves and the best weights."""

import copy
import os
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.training.arithmetic import choose_arithmetic
from cephalometric.training.checkpoints import latest_checkpoint
from cephalometric.training.config_reading import building
from cephalometric.training.dataset import check_data
from cephalometric.training.dataset_parts import labelled_images
from cephalometric.training.divergence import SoundWeightsHook
from cephalometric.training.hooks import BEST_WEIGHTS, ResumableCheckpointHook
from cephalometric.training.pretrained import pretrained_parts, resolve_pretrained
from cephalometric.training.quiet_runner import QuietRunner
from cephalometric.training.resuming import check_resumable, is_elsewhere, take_over
from cephalometric.training.transfer import open_trained_weights


def train(
    config: Config,
    work_dir: str | Path,
    resume: str | None = None,
    amp: bool = False,
    auto_scale_lr: bool = False,
    launcher: str = 'none',
    seed: int | None = None,
    validate: bool = True,
    load_from: str | Path | None = None,
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
        load_from: A model folder or a checkpoint to start from, by default that of the config; see
            :func:`cephalometric.training.transfer.starting_point`. A run that is continued does not start again.

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
    arithmetic = choose_arithmetic(running, amp)
    _keep_others_files(running)
    resume = resume or (running.get('resume') and (running.get('load_from') or 'auto'))
    if not resume:
        _refuse_to_mix(work_dir)
    check_data(config)
    _refuse_what_cannot_be_learnt(config)
    start_distributed(launcher, (running.get('env_cfg') or {}).get('dist_cfg', {}).get('backend'))
    load_from = load_from or (not resume and running.get('load_from')) or None
    start = _resume(running, work_dir, resume) if resume else ''
    source = open_trained_weights(load_from) if load_from and not running.get('resume') else None
    if source is not None:
        running.load_from = None
        _forget_pretrained(running)
    elif not running.get('resume'):
        start += resolve_pretrained(running)
    with building(str(config.filename)):
        runner = QuietRunner.from_cfg(running)
    runner.register_hook(SoundWeightsHook())
    if source is not None:
        start += str(runner.start_from(source))
    runner.check_start()
    if running.get('resume') and is_elsewhere(Path(running.load_from), work_dir):
        runner.continue_from(take_over(Path(running.load_from), work_dir))
    runner.keep_recipe(config)
    if is_main_process():
        for line in (start, arithmetic):
            runner.logger.info(line)
            print(line, flush=True)
    runner.train()
    return work_dir / BEST_WEIGHTS


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


def _keep_others_files(config: Config) -> None:
    """MMEngine's own checkpoint hook removes what a resumed checkpoint names, wherever it lies: not in such a run."""
    for hook in [*(config.get('default_hooks') or {}).values(), *(config.get('custom_hooks') or [])]:
        if hook and HOOKS.get(hook.get('type')) is CheckpointHook:
            hook['type'] = ResumableCheckpointHook.__name__


def _refuse_to_mix(work_dir: Path) -> None:
    found = latest_checkpoint(work_dir)
    if found is not None:
        raise InputError(
            f'{work_dir} holds checkpoints of an earlier run ({found.name}): continue it with --resume, or name '
            'another --work-dir'
        )


def _refuse_what_cannot_be_learnt(config: Config) -> None:
    """A landmark that no X-ray has would be put anywhere, and look like the others."""
    labelled = labelled_images(config, 'train')
    if labelled is None:
        return
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
        return f'--resume: {work_dir} holds no checkpoint yet. '
    check_resumable(checkpoint)
    if is_elsewhere(checkpoint, work_dir):
        _refuse_to_mix(work_dir)
    _forget_pretrained(config)
    config.load_from, config.resume = str(checkpoint), True
    return f'Resuming from {checkpoint}'


def _forget_pretrained(config: Config) -> None:
    """All weights come from a checkpoint: none need be at hand besides."""
    for _, part, _ in list(pretrained_parts(config.model)):
        part['init_cfg'] = None
