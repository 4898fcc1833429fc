"""Checkpoints: read without running code, written whole or not at all, and those that backbones start from."""

import pickle
import socket
import urllib.error
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.config import Config
from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from cephalometric.errors import InputError
from cephalometric.files import atomic_write


def _statistics_method(owner: object, name: str) -> object:
    """Stand in for ``getattr`` in checkpoints, where MMEngine's log buffers name their own methods by it."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise pickle.UnpicklingError(f'Unsupported attribute {name!r} of {owner!r}')
    return getattr(owner, name)


_multiarray = import_module('numpy._core.multiarray' if find_spec('numpy._core') else 'numpy.core.multiarray')

# What an MMEngine checkpoint holds besides tensors and plain types: log buffers, and numpy's way of saving arrays, with
# the name that it has before numpy 2 and the one that it has since.
torch.serialization.add_safe_globals(
    [
        HistoryBuffer,
        (_statistics_method, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *(
            (function, f'numpy.{core}.multiarray.{function.__name__}')
            for function in (_multiarray._reconstruct, _multiarray.scalar)
            for core in ('core', '_core')
        ),
        *(type(np.dtype(kind)) for kind in ('float64', 'float32', 'int64', 'int32', 'uint8', 'bool')),
    ]
)


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_checked_file(filename: str, map_location: object = None) -> dict:
    """Read a checkpoint file, refusing anything but tensors, plain types and the allow-list above.

    It takes the place of MMEngine's own reader of local files, so that the Runner, MMPose and this package all load
    through it.

    Raises:
        InputError: The file is not there, is not a checkpoint, is damaged, or would run code.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise InputError(f'{path}: no such checkpoint')
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's message is a page of advice; what it found is the one line amid it.
        reason = str(error).splitlines()[1].rpartition('WeightsUnpickler error: ')[2]
        if any(word in reason for word in ('global', 'GLOBAL', 'attribute', 'reduce')):
            raise InputError(
                f'{path}: refused, because loading it would run code from the file ({reason}): '
                'use a checkpoint of this toolkit, or one that holds weights alone'
            ) from None
        raise InputError(f'{path}: not a checkpoint: {reason}') from None
    except Exception as error:  # torch raises whatever its parsing of a file that is none trips over.
        raise InputError(f'{path}: not a checkpoint, or a damaged one ({type(error).__name__})') from None


class AtomicBackend(LocalBackend):
    """MMEngine's local files, with checkpoints that appear whole or not at all, also when the process is killed."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` beside ``filepath`` and move it there."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(filepath) as partial:
            partial.write_bytes(obj)


register_backend('atomic', AtomicBackend, force=True)


def save_weights(checkpoint: dict, path: Path) -> None:
    """Write the weights of a loaded checkpoint alone, with the landmark set they are for.

    Args:
        checkpoint: As :func:`load_from_checked_file` returns it.
        path: Where to write; replaced whole.
    """
    meta = checkpoint.get('meta', {})
    names = meta.get('dataset_meta', {}).get('keypoint_id2name', {})
    weights = {
        'state_dict': dict(checkpoint['state_dict']),
        'meta': {'landmarks': [names[index] for index in sorted(names)], 'epoch': meta.get('epoch')},
    }
    with atomic_write(path) as partial:
        torch.save(weights, partial)


def latest_checkpoint(work_dir: Path) -> Path | None:
    """The newest checkpoint of a run, by its epoch; None when there is none.

    MMEngine notes the newest one in a file that a killed process can leave empty; the names themselves are safe,
    because checkpoints appear whole or not at all.
    """
    found = [(int(path.stem.removeprefix('epoch_')), path) for path in Path(work_dir).glob('epoch_*.pth')]
    return max(found)[1] if found else None


TIMEOUT_S = 20


def resolve_pretrained(config: Config) -> str:
    """Keep the pretrained weights of a config's backbone if they can be had, and drop them otherwise.

    A local file, a file of that name in torch's download folder, or a download are all "at hand".

    Args:
        config: Changed in place: without weights the backbone is initialised at random.

    Returns:
        One line for the user that says what the backbone starts from.
    """
    init = config.model.backbone.get('init_cfg')
    source = init.get('checkpoint') if isinstance(init, dict) else None
    if source is None:
        return 'The backbone is trained from scratch.'
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / Path(urlparse(source).path).name
    if Path(source).is_file() or cached.is_file() or _download(source, cached):
        return f'The backbone starts from pretrained weights: {source}'
    config.model.backbone.init_cfg = None
    return (
        f'The backbone is trained from scratch: its pretrained weights {source} are not at hand. To use them, put the '
        f'file at {cached}'
    )


def _download(url: str, target: Path) -> bool:
    if not url.startswith(('http://', 'https://')):
        return False
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), progress=True)
    except (urllib.error.URLError, OSError):
        return False
    finally:
        socket.setdefaulttimeout(patience)
    return True
