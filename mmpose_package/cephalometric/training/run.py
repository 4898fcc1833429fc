"""A training run, from a completed config to checkpoints, curves and the best weights."""

import logging
import os
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import latest_checkpoint, resolve_pretrained
from cephalometric.training.config_reading import building
from cephalometric.training.dataset import check_data
from cephalometric.training.hooks import BEST_WEIGHTS

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
        config: As :func:`cephalometric.training.config.load_config` returns it; changed in place.
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
        InputError: A flag does not fit the machine or the config, or the work dir holds another run.
    """
    work_dir = Path(work_dir)
    config.work_dir, config.launcher = str(work_dir), launcher
    if seed is not None:
        config.randomness = {**config.get('randomness', {}), 'seed': seed}
    if not validate:
        config.val_dataloader = config.val_cfg = config.val_evaluator = None
    if amp:
        _use_amp(config)
    if auto_scale_lr:
        if 'auto_scale_lr' not in config:
            raise InputError(
                f'--auto-scale-lr: {config.filename} does not say auto_scale_lr = dict(base_batch_size=...)'
            )
        config.auto_scale_lr.enable = True
    if not resume:
        _refuse_to_mix(work_dir)
    check_data(config)
    start_distributed(launcher)
    start = _resume(config, work_dir, resume) if resume else resolve_pretrained(config)
    with building(str(config.filename)):
        runner = QuietRunner.from_cfg(config)
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


def start_distributed(launcher: str) -> None:
    """Join the other processes of a distributed run, on GPUs or, where there is none, on CPUs by gloo.

    Args:
        launcher: How the processes were started: ``'none'`` for a single one, pytorch (torchrun), slurm or mpi.

    Raises:
        InputError: The process was not started by that launcher, or only GPUs can be used with it.
    """
    if launcher == 'none' or torch.distributed.is_initialized():
        return
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise InputError('--launcher pytorch: start the script with torchrun --nproc_per_node=N SCRIPT ...')
    if torch.cuda.is_available():
        init_dist(launcher, backend='nccl')
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


def _resume(config: Config, work_dir: Path, resume: str) -> str:
    checkpoint = latest_checkpoint(work_dir) if resume == 'auto' else Path(resume)
    if checkpoint is None:
        return f'--resume: {work_dir} holds no checkpoint yet. ' + resolve_pretrained(config)
    if not checkpoint.is_file():
        raise InputError(f'--resume {checkpoint}: no such checkpoint')
    config.model.backbone.init_cfg = None
    config.load_from, config.resume = str(checkpoint), True
    return f'Resuming from {checkpoint}'
