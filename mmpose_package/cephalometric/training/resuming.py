"""What a run is continued from: whole, and in its own work dir."""

from pathlib import Path

from mmengine.dist import barrier, is_main_process

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.training.checkpoints import load_from_checked_file, weights_of
from cephalometric.training.hooks import best_beside

NEEDED = ('state_dict', 'optimizer', 'param_schedulers', 'message_hub', 'meta')


def check_resumable(checkpoint: Path) -> dict:
    """Read a checkpoint that a run is to be continued from.

    Raises:
        InputError: It cannot be read, holds weights that are not finite, or lacks what a run needs besides weights.
    """
    if not checkpoint.is_file():
        raise InputError(f'--resume {checkpoint}: no such checkpoint')
    content = load_from_checked_file(str(checkpoint), 'cpu')
    weights_of(content, str(checkpoint))
    missing = [name for name in NEEDED if not isinstance(content.get(name), (dict, list))]
    if missing:
        raise InputError(
            f'--resume {checkpoint}: holds weights, but not where the training stood (no {missing[0]}): name an '
            f'epoch_N.pth; or train anew from these weights, without --resume, by --load-from {checkpoint}'
        )
    epoch, iteration = (content['meta'].get(name) for name in ('epoch', 'iter'))
    hub = content['message_hub']
    parts = [hub.get(name) for name in ('log_scalars', 'runtime_info', 'resumed_keys')]
    if type(epoch) is not int or type(iteration) is not int or not all(isinstance(part, dict) for part in parts):
        raise InputError(f'--resume {checkpoint}: does not say after which epoch it was saved, or what was logged')
    return content


def is_elsewhere(checkpoint: Path, work_dir: Path) -> bool:
    """Whether a checkpoint lies in another folder than the work dir itself."""
    return checkpoint.resolve().parent != work_dir.resolve()


def take_over(checkpoint: Path, work_dir: Path) -> Path:
    """Copy a checkpoint of another work dir, with the best one beside it, so that each work dir stays complete.

    Args:
        checkpoint: What the run is continued from.
        work_dir: The work dir of the new run, which holds no checkpoints.

    Returns:
        The copy of the checkpoint.

    Raises:
        InputError: The best one cannot be used, or the work dir cannot be written.
    """
    content = check_resumable(checkpoint)
    target = work_dir / f'epoch_{content["meta"]["epoch"]}.pth'
    if is_main_process():
        info = content['message_hub']['runtime_info']
        named = [best_beside(info[name], checkpoint.parent) for name in info if name.startswith('best_ckpt')]
        copies = {target: checkpoint} | {work_dir / path.name: path for path in named if path is not None}
        for copy, path in copies.items():
            if copy.exists():
                raise InputError(f'{copy} is there already: name another --work-dir')
            weights_of(load_from_checked_file(str(path), 'cpu'), str(path))
        try:
            work_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f'{work_dir} cannot be made: {error.strerror}') from None
        # The checkpoint itself is the last: a run that is killed before has not begun.
        for copy, path in reversed(copies.items()):
            with atomic_write(copy) as partial:
                partial.write_bytes(path.read_bytes())
    barrier()
    return target
