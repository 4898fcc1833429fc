"""A trained model becomes one folder: what surrounds its networks, its recipe, its weights, its ONNX graphs."""

import copy
import glob
import hashlib
import re
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.datasets.transforms import GetBBoxCenterScale, LoadImage, PackPoseInputs, TopdownAffine
from mmpose.registry import TRANSFORMS

from cephalometric.errors import InputError
from cephalometric.files import sha256, write_json
from cephalometric.installation import versions
from cephalometric.landmarks import landmark_table, load_landmark_set
from cephalometric.models.decoder_input import decoding_of
from cephalometric.prediction import predict_onnx
from cephalometric.prediction.model_folder import (
    CALIBRATION,
    CONFIG,
    DESCRIPTION,
    WEIGHTS,
    ModelDescription,
    description_content,
    read_description,
)
from cephalometric.prediction.stages import CoarseStage
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.training.checkpoints import write_torch
from cephalometric.training.dataset import mmpose_metainfo
from cephalometric.training.dataset_parts import dataset_configs
from cephalometric.training.patch_samples import BuildPyramid
from cephalometric.training.torch_networks import (
    build_model,
    load_weights,
    sample_metainfo,
    share_weights,
    write_graphs,
)

LIMIT_PX = 0.1
UNDERSTOOD = (LoadImage, BuildPyramid, GetBBoxCenterScale, TopdownAffine, PackPoseInputs)
OF_THE_MACHINE = ('work_dir', 'launcher', 'model_wrapper_cfg', 'load_from', 'resume', 'filename')


def write_model(
    config: Config,
    checkpoint: Mapping[str, object],
    folder: str | Path,
    *,
    name: str = 'the checkpoint',
    provenance: Mapping[str, object] | None = None,
    check_on: Sequence[np.ndarray] | None = (),
    compact: bool = False,
) -> ModelDescription:
    """Write a model folder; all of it appears, or nothing, and an earlier model of that name is replaced as a whole.

    Args:
        config: As :func:`cephalometric.training.recipe.load_config` returns it.
        checkpoint: As :func:`cephalometric.training.checkpoints.load_from_checked_file` reads it.
        folder: Where to write.
        name: What the checkpoint is called in messages.
        provenance: Added to what is known here: recipe, date, versions, seed.
        check_on: X-rays on which the ONNX graphs are compared with PyTorch; graphs that differ by more than
            ``LIMIT_PX`` are left out, and the folder says so. None writes no graphs.
        compact: Keep the weights once, in the file for PyTorch, from which the graphs take them, and not in the graphs
            too: half the size, but the graphs are of use in this folder alone.

    Raises:
        InputError: Config and checkpoint do not fit, the config's way to the networks' input is not understood, or the
            folder cannot be written.
    """
    model = build_model(config)
    load_weights(model, checkpoint, Path(name), str(config.filename))
    description = describe(config, model, checkpoint['state_dict'], provenance or {})
    folder = Path(folder)
    stage = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(folder)
        stage = _hidden_folder(folder)
        _write_recipe(config, description, stage)
        _write_weights(model, description, stage)
        if check_on is None:
            description = replace(description, why_no_networks='no graphs were asked for')
        else:
            description = _with_graphs(description, model, config, stage, check_on, compact)
        _write_description(description, stage)
        stage.chmod(0o755)
        _publish(stage, folder)
    except OSError as error:
        raise InputError(f'{folder} cannot be written: {error.strerror or error}') from None
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
    return read_description(folder)


def describe(
    config: Config, model: torch.nn.Module, weights: Mapping[str, torch.Tensor], provenance: Mapping[str, object]
) -> ModelDescription:
    """All that surrounds the networks of a model, as numbers.

    Raises:
        InputError: The test pipeline has a transform that prediction does not know.
    """
    landmarks = load_landmark_set(config.landmark_set)
    return ModelDescription(
        landmarks=landmarks,
        coarse=_coarse_stage(config, model),
        refinement=getattr(model, 'refinement', None),
        networks=(),
        weights_id=weights_id(weights),
        provenance={
            'recipe': Path(str(config.filename)).stem,
            'date': date.today().isoformat(),
            'seed': config.get('randomness', {}).get('seed'),
            'versions': {name: version for name, version in versions() if version != 'not installed'},
            **provenance,
        },
        note='Made by the cephalometric landmark toolkit. What it finds must be checked by a person.',
        licence='That of the one who trained it, and of the X-rays that it was trained on.',
    )


def weights_id(weights: Mapping[str, torch.Tensor]) -> str:
    """A checksum of the weights themselves, in whatever file, with whatever else they are stored."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights[name].detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


def amend_description(
    folder: Path, provenance: Mapping[str, object], licence: str | None = None, note: str | None = None
) -> None:
    """Add to what a model says of itself.

    Args:
        folder: A model folder.
        provenance: Such as ``scores`` on the validation images; what has the same name is replaced.
        licence, note: Replace those in the folder.
    """
    description = read_description(folder)
    description = replace(
        description,
        provenance={**description.provenance, **provenance},
        licence=licence or description.licence,
        note=note or description.note,
    )
    write_json(folder / DESCRIPTION, description_content(description))


def _coarse_stage(config: Config, model: torch.nn.Module) -> CoarseStage:
    tested = [dataset['pipeline'] for _, dataset in dataset_configs(config, ('test', 'val')) if dataset.get('pipeline')]
    pipeline = tested[0] if tested else config.test_pipeline
    transforms = [TRANSFORMS.build(copy.deepcopy(transform)) for transform in pipeline]
    for transform, said in zip(transforms, pipeline, strict=True):
        if not isinstance(transform, UNDERSTOOD):
            known = ', '.join(kind.__name__ for kind in UNDERSTOOD)
            raise InputError(
                f'{config.filename}: prediction does not know {said["type"]} of test_pipeline; it knows {known}'
            )
    box = next(transform for transform in transforms if isinstance(transform, GetBBoxCenterScale))
    warp = next(transform for transform in transforms if isinstance(transform, TopdownAffine))
    size = tuple(int(length) for length in warp.input_size)
    decoding = decoding_of(model, sample_metainfo(size, len(load_landmark_set(config.landmark_set))))
    return CoarseStage(size, float(box.padding), bool(warp.use_udp), decoding)


def _write_recipe(config: Config, description: ModelDescription, stage: Path) -> None:
    """The recipe as data, without what is of the machine; a landmark set of one's own goes beside it."""
    content = copy.deepcopy(config._cfg_dict.to_dict())
    for name in OF_THE_MACHINE:
        content.pop(name, None)
    content['data_root'] = 'data'
    content.get('env_cfg', {}).get('dist_cfg', {}).pop('backend', None)
    if content['landmark_set'].endswith('.json'):
        content['landmark_set'] = 'landmarks.json'
        write_json(stage / 'landmarks.json', landmark_table(description.landmarks))
    for _, dataset in dataset_configs(content):
        dataset['data_root'] = 'data'
        if 'landmark_set' in dataset:
            dataset['landmark_set'] = content['landmark_set']
    backbone = content['model'].get('backbone', {})
    source = (backbone.get('init_cfg') or {}).get('checkpoint', '')
    if '://' not in str(source):  # A file of this machine.
        backbone.pop('init_cfg', None)
    try:
        write_json(stage / CONFIG, content)
    except TypeError as error:
        raise InputError(f'{config.filename}: holds what is no data and cannot be kept as JSON: {error}') from None


def _write_weights(model: torch.nn.Module, description: ModelDescription, stage: Path) -> None:
    meta = parse_pose_metainfo(mmpose_metainfo(description.landmarks))
    plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in meta.items()}
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    write_torch({'state_dict': weights, 'meta': {'dataset_meta': plain}}, stage / WEIGHTS)


def _with_graphs(
    description: ModelDescription,
    model: torch.nn.Module,
    config: Config,
    stage: Path,
    xrays: Sequence[np.ndarray],
    compact: bool,
) -> ModelDescription:
    if description.coarse.decoding['kind'] == 'points':
        return replace(description, why_no_networks='the codec of its head is decoded by PyTorch')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # About shapes that are constants here, and are meant to be.
            networks = write_graphs(model, config.model.data_preprocessor, description, stage)
    except InputError:
        raise
    except Exception as error:  # Whatever the exporter does not know of somebody's module.
        reason = (str(error).strip().splitlines() or [''])[0]
        return replace(description, why_no_networks=f'they cannot be exported: {type(error).__name__}: {reason[:200]}')
    for name in networks if compact else ():
        share_weights(stage / name, stage / WEIGHTS)
    exported = replace(description, networks=networks)
    _write_description(exported, stage)
    distance_px = largest_distance_px(stage, xrays)
    if distance_px > LIMIT_PX:
        for name in networks:
            (stage / name).unlink()
        return replace(
            description,
            why_no_networks=f'by ONNX Runtime a landmark lies {distance_px:.2f} pixels from where PyTorch finds it; '
            'where a model is at a loss, as after a short training, two places are as good as each other',
        )
    shutil.copyfile(predict_onnx.__file__, stage / 'predict_onnx.py')
    checked = {'xrays': len(xrays), 'largest_distance_px': round(distance_px, 6)}
    return replace(exported, provenance={**exported.provenance, 'onnx_against_pytorch': checked})


def largest_distance_px(folder: Path, xrays: Sequence[np.ndarray]) -> float:
    """How far apart ONNX Runtime and PyTorch find a landmark, at most, in pixels of these X-rays; 0 for none."""
    models = [TrainedModel([folder], backend=backend) for backend in ('onnxruntime', 'torch')]
    distances = [
        np.linalg.norm(np.subtract(*(model.predictor.predict(xray).points_px for model in models)), axis=1).max()
        for xray in xrays
    ]
    return float(max(distances, default=0.0))


def _write_description(description: ModelDescription, stage: Path) -> None:
    files = {path.name: sha256(path) for path in sorted(stage.iterdir()) if path.name not in (DESCRIPTION, CALIBRATION)}
    write_json(stage / DESCRIPTION, description_content(replace(description, files=files)))


LEFT_BY_A_KILLED_RUN = re.compile(r'\.\w{8}\.model-partial')


def _hidden_folder(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=f'.{folder.name}.', suffix='.model-partial', dir=folder.parent))


def _clear_leftovers(folder: Path) -> None:
    """Remove the hidden folders of killed runs; a model that one of them had moved out of the way comes back."""
    for path in folder.parent.glob(f'.{glob.escape(folder.name)}.*'):
        if LEFT_BY_A_KILLED_RUN.fullmatch(path.name.removeprefix(f'.{folder.name}')) and path.is_dir():
            if not folder.exists() and (path / folder.name / DESCRIPTION).is_file():
                (path / folder.name).replace(folder)
            shutil.rmtree(path, ignore_errors=True)


def _publish(stage: Path, folder: Path) -> None:
    if not folder.exists():
        stage.replace(folder)
        return
    if any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise InputError(f'{folder} is there already and is no model folder: move it elsewhere or name another')
    old = _hidden_folder(folder)
    folder.replace(old / folder.name)
    stage.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
