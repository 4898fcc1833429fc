"""Checkpoints: read without running code, in whatever form they come, and written whole or not at all."""

import io
import pickle
import re
import warnings
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
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


def _no_bytes() -> bytes:
    """Stand in for ``bytes`` in checkpoints, where an array without entries is saved by a call of it."""
    return b''


_multiarray = import_module('numpy._core.multiarray' if find_spec('numpy._core') else 'numpy.core.multiarray')

# What an MMEngine checkpoint holds besides tensors and plain types: log buffers, and numpy's way of saving arrays, with
# the name that it has before numpy 2 and the one that it has since.
torch.serialization.add_safe_globals(
    [
        HistoryBuffer,
        (_statistics_method, 'builtins.getattr'),
        (_no_bytes, 'builtins.bytes'),
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


WRAPPERS = ('module.', '_orig_mod.')


class UnsafeCheckpointError(InputError):
    """Loading the file as it is would run code from it."""


@CheckpointLoader.register_scheme(prefixes='', force=True)
def load_from_checked_file(filename: str, map_location: object = None, name: str | None = None) -> dict:
    """Read a checkpoint file, refusing anything but tensors, plain types and the allow-list above.

    It takes the place of MMEngine's own reader of local files, so that the Runner, MMPose and this package all load
    through it, and what it returns has one form: a file of weights alone, of PyTorch or of safetensors, comes with its
    weights under ``state_dict``, as a checkpoint of MMEngine does, and names of weights begin in the model itself.

    Args:
        filename: The file.
        map_location: Where tensors go, as for ``torch.load``.
        name: What it is called in messages; by default its path.

    Raises:
        UnsafeCheckpointError: It would run code.
        InputError: The file is not there, is not a checkpoint, or is damaged.
    """
    path = Path(filename).expanduser()
    name = name or str(path)
    if not path.is_file():
        raise InputError(f'{name}: no such checkpoint')
    try:
        if is_safetensors(path):
            return read_safetensors(path, map_location)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # About kinds of pickles that are refused anyway.
            content = torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refusal(name, str(error)) from None
    except ModuleNotFoundError:
        raise
    except Exception as error:  # torch raises whatever its parsing of a file that is none trips over.
        raise InputError(f'{name}: not a checkpoint, or a damaged one ({type(error).__name__})') from None
    if not isinstance(content, dict):
        raise InputError(
            f'{name}: not a checkpoint: it holds a {type(content).__name__}, and no weights by their names'
        )
    return in_one_form(content)


def in_one_form(content: dict) -> dict:
    """A checkpoint with its weights under ``state_dict``, their names without what wraps a model; changed in place."""
    if content and all(map(torch.is_tensor, content.values())):
        content = {'state_dict': content}
    weights = content.get('state_dict')
    if isinstance(weights, dict) and all(isinstance(name, str) for name in weights):
        content['state_dict'] = _without_wrapper(weights)
    return content


def _without_wrapper(weights: dict[str, object]) -> dict[str, object]:
    """Weights whose names do not begin with what DataParallel and torch.compile put before all of them."""
    for prefix in WRAPPERS:
        if weights and all(name.startswith(prefix) for name in weights):
            return _without_wrapper({name.removeprefix(prefix): value for name, value in weights.items()})
    return weights


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do, whatever it is called: the length of its header, then a JSON object."""
    with open(path, 'rb') as file:
        start = file.read(9)
    return len(start) == 9 and start[8:] == b'{' and int.from_bytes(start[:8], 'little') <= path.stat().st_size - 8


def read_safetensors(path: Path, map_location: object = None) -> dict:
    """A file of safetensors, which holds no code, as a checkpoint of weights alone.

    Args:
        path: The file.
        map_location: As for ``torch.load``; a device, or what else stands for the CPU here.

    Raises:
        Exception: Whatever the reader finds wrong.
    """
    from safetensors.torch import load_file  # Not above: few files are of this kind, and the container needs none.

    device = str(map_location) if isinstance(map_location, str | torch.device) else 'cpu'
    return in_one_form({'state_dict': load_file(path, device=device)})


def _refusal(name: str, message: str) -> InputError:
    """What torch found, without its advice, which is to switch the check off."""
    found = re.search(r'GLOBAL ([\w.]+)', message)
    lines = [line.rpartition('WeightsUnpickler error: ')[2].strip() for line in message.splitlines()]
    reasons = [line for line in lines[1:] if line and not re.search('weights_only|torch.load', line)]
    reason = reasons[0] if reasons else 'it is no pickle of PyTorch'
    if found:
        reason = f'it names {found[1]}'
    elif not re.search('attribute|reduce|instantiate|[Cc]an only build', reason):
        return InputError(f'{name}: not a checkpoint: {reason}')
    return UnsafeCheckpointError(
        f'{name}: refused, because loading it would run code from the file ({reason}): ask its author for the weights '
        'alone, or train with this toolkit; do not switch the check off'
    )


def weights_of(checkpoint: object, name: str) -> dict[str, torch.Tensor]:
    """The weights of a loaded checkpoint, all of them finite.

    Args:
        checkpoint: As :func:`load_from_checked_file` returns it: the weights stand under ``state_dict`` or, in files of
            weights alone, at the top.
        name: What it is called in messages.

    Raises:
        InputError: It holds no weights, or some that are not finite.
    """
    weights = checkpoint.get('state_dict', checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(weights, Mapping) or not weights or not all(map(torch.is_tensor, weights.values())):
        raise InputError(f'{name}: not a checkpoint: it holds no "state_dict" of weights by their names')
    spoiled = not_finite(weights)
    if spoiled is not None:
        raise InputError(f'{name}: the weights {spoiled} are not finite: the training diverged; train it again')
    return dict(weights)


def not_finite(weights: Mapping[str, torch.Tensor]) -> str | None:
    """The name of the first weights, or of the first buffer, that holds NaN or infinity; None where all are finite."""
    numbers = ((name, value) for name, value in weights.items() if torch.is_tensor(value) and not value.is_quantized)
    return next((name for name, value in numbers if not torch.isfinite(value).all()), None)


class AtomicBackend(LocalBackend):
    """MMEngine's local files, with checkpoints that appear whole or not at all, also when the process is killed."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` beside ``filepath`` and move it there."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(filepath) as partial:
            partial.write_bytes(obj)


register_backend('atomic', AtomicBackend, force=True)


def save_weights(checkpoint: dict, path: Path) -> None:
    """Write the weights of a loaded checkpoint alone, with the landmarks that they are for, as MMPose wants to know.

    Args:
        checkpoint: As :func:`load_from_checked_file` returns it.
        path: Where to write; replaced whole.
    """
    meta = checkpoint.get('meta', {})
    dataset_meta = {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in meta.get('dataset_meta', {}).items()
    }
    names = dataset_meta.get('keypoint_id2name', {})
    weights = {
        'state_dict': dict(checkpoint['state_dict']),
        'meta': {
            'landmarks': [names[index] for index in sorted(names)],
            'epoch': meta.get('epoch'),
            'dataset_meta': dataset_meta,
        },
    }
    with atomic_write(path) as partial:
        write_torch(weights, partial)


def write_torch(content: object, path: Path) -> None:
    """Write as ``torch.save`` does, but a full disk is an ``OSError``, as it is for all other files.

    ``torch.save`` ends in a RuntimeError about the inside of its archive then.
    """
    written = io.BytesIO()
    torch.save(content, written)
    path.write_bytes(written.getvalue())


def latest_checkpoint(work_dir: Path) -> Path | None:
    """The newest checkpoint of a run, by its epoch; None when there is none.

    MMEngine notes the newest one in a file that a killed process can leave empty; the names themselves are safe,
    because checkpoints appear whole or not at all.
    """
    found = [(int(path.stem.removeprefix('epoch_')), path) for path in Path(work_dir).glob('epoch_*.pth')]
    return max(found)[1] if found else None
