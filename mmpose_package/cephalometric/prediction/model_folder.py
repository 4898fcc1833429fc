"""A trained model on disk: one folder, in which there is data and no code that loading it would run.

``model.json`` says all that surrounds the networks; ``docs/model_folder.md`` describes the folder for people.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json, sha256
from cephalometric.landmarks import LandmarkSet, landmark_set_from
from cephalometric.prediction.decoding import DECODINGS
from cephalometric.prediction.stages import CoarseStage, Refinement

FORMAT, VERSION = 'cephalometric model', 1
DESCRIPTION, CONFIG, WEIGHTS, CALIBRATION = 'model.json', 'config.json', 'weights.pth', 'calibration.json'
SHIPPED = Path(__file__).parents[1] / 'zoo'
DEFAULT = 'isbi2015'
NOTICE = 'For research. Not a medical device.'
REMEDY = 'copy the whole folder again, or make it again with "cephalometric export"'


@dataclass(frozen=True)
class ModelDescription:
    """The content of ``model.json``.

    Attributes:
        landmarks: The landmark set, whole.
        coarse: The stage that looks at the whole X-ray.
        refinement: The stage that looks at patches; None for models that have none.
        networks: The files of the ONNX graphs, that of the coarse stage first; empty where PyTorch alone can compute
            the networks, and ``why_no_networks`` says why.
        weights_id: Tells the weights from all others, however they are stored.
        provenance: Recipe, date, versions, numbers of X-rays, scores, seed, of plain types.
        licence: Who may use the model for what.
        note: What else people should know.
        files: The checksums of the other files, by name.
    """

    landmarks: LandmarkSet
    coarse: CoarseStage
    refinement: Refinement | None
    networks: tuple[str, ...]
    weights_id: str
    why_no_networks: str = ''
    provenance: Mapping[str, object] = field(default_factory=dict)
    licence: str = ''
    note: str = ''
    files: Mapping[str, str] = field(default_factory=dict)


def shipped_models() -> list[str]:
    """The names of the models that come with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f'*/{DESCRIPTION}'))


def find_model_folder(name: str | Path) -> Path:
    """The folder of a model.

    Args:
        name: The name of a model that ships, a model folder, or the work dir of a training, whose model is in
            ``model/``. A folder that is called like a model that ships is given with its path, such as ``./isbi2015``.

    Raises:
        InputError: There is no such model.
    """
    if str(name) in shipped_models():
        return SHIPPED / str(name)
    folder = Path(name).expanduser()
    for candidate in (folder, folder / 'model'):
        if (candidate / DESCRIPTION).is_file():
            return candidate
    shipped = ', '.join(shipped_models()) or 'none'
    if folder.is_file():
        raise InputError(
            f'{name} is a file, and a model is a folder: make one of a checkpoint with "cephalometric export {name} '
            f'--out FOLDER", or name a model that ships ({shipped})'
        )
    if folder.is_dir():
        raise InputError(
            f'{name} holds no {DESCRIPTION}: it is no model folder, nor the work dir of a finished training; make one '
            'of a checkpoint with "cephalometric export CHECKPOINT --out FOLDER"'
        )
    raise InputError(f'{name}: there is no such model folder; models that ship are: {shipped}')


def read_description(folder: Path) -> ModelDescription:
    """Read ``model.json``, after a look at all files that belong to it.

    Raises:
        InputError: The folder was written by a newer version, is damaged, or a file is missing.
    """
    path = folder / DESCRIPTION
    content = read_json(path)
    kind, version = (content.get(name) for name in ('format', 'version')) if isinstance(content, dict) else ('', 0)
    if kind != FORMAT or type(version) is not int:
        raise InputError(f'{path}: not the description of a model ("format": "{FORMAT}"): {REMEDY}')
    if version > VERSION:
        raise InputError(
            f'{path}: version {version} of the format, and this installation reads {VERSION}: install a newer '
            'cephalometric'
        )
    try:
        description = _parse(content)
    except MALFORMED as error:
        raise InputError(f'{path}: damaged ({type(error).__name__}: {error}): {REMEDY}') from None
    for name, checksum in description.files.items():
        if Path(name).name != name:
            raise InputError(f'{path}: names the file {name!r} outside of its folder: {REMEDY}')
        if not (folder / name).is_file():
            raise InputError(f'{folder / name} is missing, which {path} names: {REMEDY}')
        if sha256(folder / name) != checksum:
            raise InputError(f'{folder / name} is damaged, or of another model than {path}: {REMEDY}')
    return description


def description_content(description: ModelDescription) -> dict:
    """What ``model.json`` holds, ready to be written; the inverse of :func:`read_description`."""
    refinement = description.refinement
    return {
        'format': FORMAT,
        'version': VERSION,
        'notice': NOTICE,
        'licence': description.licence,
        'note': description.note,
        'landmark_set': asdict(description.landmarks),
        'coarse_stage': {
            'network': description.networks[0] if description.networks else None,
            'input_size': list(description.coarse.input_size),
            'colour_order': 'BGR',
            'padding': description.coarse.padding,
            'edge_to_edge': description.coarse.edge_to_edge,
            'decoding': dict(description.coarse.decoding),
        },
        'refinement': refinement
        and {
            'networks': list(description.networks[1:]) or None,
            'resolutions_mm': list(refinement.resolutions_mm),
            'patch_size': refinement.patch_size,
            'stride': refinement.stride,
            'window': refinement.window,
            'mean_layout_mm': np.asarray(refinement.mean_layout_mm, float).tolist(),
        },
        'why_no_networks': description.why_no_networks,
        'weights_id': description.weights_id,
        'provenance': dict(description.provenance),
        'files': dict(description.files),
    }


def _parse(content: dict) -> ModelDescription:
    coarse, refinement = content['coarse_stage'], content['refinement']
    landmarks = landmark_set_from(content['landmark_set'])
    networks = () if coarse['network'] is None else (coarse['network'], *((refinement or {}).get('networks') or ()))
    if refinement and networks and len(networks) != 1 + len(refinement['resolutions_mm']):
        raise ValueError(f'{len(networks)} networks for {1 + len(refinement["resolutions_mm"])} passes')
    if missing := set(networks) - set(content['files']):
        raise ValueError(f'the network {sorted(missing)[0]} is not among its files')
    if coarse['decoding']['kind'] not in DECODINGS:
        raise ValueError(f'decoding of the kind {coarse["decoding"]["kind"]!r}')
    if coarse['colour_order'] != 'BGR':
        raise ValueError(f'colour_order {coarse["colour_order"]!r}')
    return ModelDescription(
        landmarks=landmarks,
        coarse=CoarseStage(
            _size(coarse['input_size']), float(coarse['padding']), bool(coarse['edge_to_edge']), coarse['decoding']
        ),
        refinement=refinement and _refinement(refinement, len(landmarks)),
        networks=networks,
        weights_id=str(content['weights_id']),
        why_no_networks=str(content['why_no_networks']),
        provenance=dict(content['provenance']),
        licence=str(content['licence']),
        note=str(content['note']),
        files={str(name): str(checksum) for name, checksum in content['files'].items()},
    )


def _refinement(content: dict, landmarks: int) -> Refinement:
    layout = np.array(content['mean_layout_mm'], float)
    if layout.shape != (landmarks, 2) or not np.isfinite(layout).all():
        raise ValueError(f'mean_layout_mm of the shape {layout.shape} for {landmarks} landmarks')
    return Refinement(
        tuple(float(value) for value in content['resolutions_mm']),
        int(content['patch_size']),
        int(content['stride']),
        float(content['window']),
        layout,
    )


def _size(value: list) -> tuple[int, int]:
    width, height = (int(length) for length in value)
    if min(width, height) < 1:
        raise ValueError(f'input_size {value}')
    return width, height
