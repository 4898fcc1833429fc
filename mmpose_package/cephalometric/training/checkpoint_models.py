"""Models that are named by config and checkpoint, as the steps have named them from the beginning.

Config, checkpoint and landmark set become a model folder, here and nowhere else.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from cephalometric.api import Model, load_model
from cephalometric.errors import InputError
from cephalometric.prediction.model_folder import CALIBRATION, DESCRIPTION, ModelDescription, read_description
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.model_writing import write_model
from cephalometric.training.recipe import load_config


def config_beside(checkpoint: str | Path) -> Path:
    """The config that a checkpoint was trained with: the one that training put beside it.

    Raises:
        InputError: There is none, or there are several.
    """
    checkpoint = Path(checkpoint)
    if not checkpoint.is_file():
        raise InputError(f'{checkpoint}: no such checkpoint')
    found = sorted(checkpoint.parent.glob('*.py'))
    if len(found) != 1:
        raise InputError(
            f'{checkpoint.parent} holds {len(found)} configs (*.py) beside {checkpoint.name}, not one: name the config '
            'that it was trained with'
        )
    return found[0]


def write_checkpoint_model(
    checkpoint: str | Path,
    folder: str | Path,
    config: str | Path | None = None,
    landmark_set: str | None = None,
    options: Mapping[str, object] | None = None,
    check_on: Sequence | None = None,
    compact: bool = False,
) -> ModelDescription:
    """A model folder of a checkpoint; see :func:`cephalometric.training.model_writing.write_model`.

    Args:
        checkpoint: A checkpoint of a run, or ``best_model_weight.pth``.
        folder: Where to write.
        config: The recipe; by default that beside the checkpoint.
        landmark_set: Replaces the config's.
        options: As for :func:`cephalometric.training.recipe.load_config`.
        check_on, compact: As for ``write_model``; by default no ONNX graphs are written.
    """
    recipe = load_config(config or config_beside(checkpoint), landmark_set=landmark_set, options=options)
    content = load_from_checked_file(str(checkpoint), map_location='cpu')
    return write_model(recipe, content, folder, name=str(checkpoint), check_on=check_on, compact=compact)


class CheckpointModel(Model):
    """A model whose folders are temporary: they go when it does."""

    temporary: tempfile.TemporaryDirectory


def open_model_or_checkpoints(
    models: Sequence[str | Path] | None,
    checkpoints: Sequence[str | Path],
    config: str | Path | None = None,
    landmark_set: str | None = None,
    options: Mapping[str, object] | None = None,
    calibration: str | Path | bool | None = None,
    device: str = 'cpu',
) -> Model:
    """The model that flags name, in the new way or in that of the first steps.

    Args:
        models: Model folders, as for :func:`cephalometric.load_model`; goes without the next three.
        checkpoints, config, landmark_set, options: As for :func:`write_checkpoint_model`; several checkpoints are an
            ensemble.
        calibration: A calibration file; by default that of the model folder or, for a checkpoint, that of the folder
            ``model/`` beside it, if that holds the same weights.
        device: Such as ``'cpu'`` or ``'cuda:0'``.

    Raises:
        InputError: Both or neither are given, or what is given cannot be used.
    """
    if bool(models) == bool(checkpoints):
        raise InputError('say which model: --model FOLDER, or a config and a checkpoint, but not both')
    if models:
        if config or landmark_set:
            raise InputError('--model names a folder, which holds its config and landmark set: leave these out')
        return load_model(*models, calibration=calibration, device=device)
    temporary = tempfile.TemporaryDirectory(prefix='cephalometric-')
    folders = []
    for number, checkpoint in enumerate(checkpoints, start=1):
        folders.append(Path(temporary.name, f'{number}_{Path(checkpoint).stem}'))
        write_checkpoint_model(checkpoint, folders[-1], config, landmark_set, options)
    if calibration is None and len(checkpoints) == 1:
        calibration = _calibration_beside(Path(checkpoints[0]), folders[0])
    model = CheckpointModel(folders, calibration, 'torch', device, names=list(map(str, checkpoints)))
    model.temporary = temporary
    return model


def _calibration_beside(checkpoint: Path, folder: Path) -> Path | None:
    beside = checkpoint.parent / 'model'
    if not ((beside / DESCRIPTION).is_file() and (beside / CALIBRATION).is_file()):
        return None
    same = read_description(folder).weights_id == read_description(beside).weights_id
    return beside / CALIBRATION if same else None
