"""Fine-tuning: a model that starts from the weights of another one, also one that finds other landmarks.

What a network knows of a single landmark is a row of some of its tensors: of the last layer of a heatmap head, of an
embedding, of the mean layout. Such rows are taken over by the landmark's abbreviation, all other weights by their
names.
"""

import ast
import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.models import build_pose_estimator

from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet, built_in_landmark_sets, load_landmark_set, typed_plainly
from cephalometric.prediction.model_folder import WEIGHTS, find_model_folder, read_description
from cephalometric.training.checkpoints import load_from_checked_file, weights_of
from cephalometric.training.config_reading import read_config

# What configs call a number of landmarks; out_channels is that of heads alone.
COUNTS = ('num_landmarks', 'num_keypoints', 'num_joints')
HEADS = ('head', 'heads')


@dataclass(frozen=True)
class TrainedWeights:
    """The weights of a trained model, and what they find.

    Attributes:
        name: What the user calls the model.
        weights: Its tensors by their names.
        landmarks: The abbreviations of its landmarks, in order; None where nothing says them.
    """

    name: str
    weights: Mapping[str, torch.Tensor]
    landmarks: tuple[str, ...] | None


@dataclass(frozen=True)
class StartingPoint:
    """What a model takes over from another one.

    Attributes:
        name: What the user calls the other model.
        weights: All tensors of the model by their names: those that are taken over in full or in part, and the others
            as the model has them itself.
        landmarks: The abbreviations of the landmarks whose rows are taken over.
        new: Those of the model's other landmarks, which begin as they would from scratch.
        tensors: How many tensors are taken over, in full or in part.
        with_rows: How many of them have rows of landmarks, and how many such tensors the model has.
    """

    name: str
    weights: Mapping[str, torch.Tensor]
    landmarks: tuple[str, ...]
    new: tuple[str, ...]
    tensors: int
    with_rows: tuple[int, int]

    def __str__(self) -> str:
        total = len(self.landmarks) + len(self.new)
        line = (
            f'The model starts from {self.name}: {len(self.landmarks)} of its {total} landmarks and {self.tensors} of '
            f'its {len(self.weights)} tensors are taken over, {self.with_rows[0]} of the {self.with_rows[1]} with rows '
            'of landmarks among them'
        )
        return f'{line}; new are {", ".join(self.new)}' if self.new else line


def open_trained_weights(name: str | Path) -> TrainedWeights:
    """The weights of a model folder, of the work dir of a training, of a model that ships, or of a checkpoint.

    Args:
        name: Its path, name or, of a checkpoint, its address.

    Raises:
        InputError: There is no such model, it is damaged or unsafe, or a folder holds ONNX graphs and no weights.
    """
    is_address = '://' in str(name)
    if Path(name).is_file() or is_address:
        load = CheckpointLoader.load_checkpoint if is_address else load_from_checked_file
        checkpoint = load(str(name), 'cpu')
        return TrainedWeights(str(name), weights_of(checkpoint, str(name)), _landmarks_of(checkpoint, Path(name)))
    folder = find_model_folder(name)
    description = read_description(folder)
    if not (folder / WEIGHTS).is_file():
        raise InputError(
            f'{folder} holds ONNX graphs alone, from which no training can start: name a folder with {WEIGHTS}, or the '
            'checkpoint that it was made of'
        )
    weights = weights_of(load_from_checked_file(str(folder / WEIGHTS), 'cpu'), str(folder / WEIGHTS))
    return TrainedWeights(str(name), weights, description.landmarks.abbreviations)


def _landmarks_of(checkpoint: Mapping[str, object], path: Path) -> tuple[str, ...] | None:
    """The landmarks of a checkpoint: as it says them itself, or the landmark set of its config."""
    meta = checkpoint.get('meta') if isinstance(checkpoint.get('meta'), dict) else {}
    dataset = meta.get('dataset_meta') if isinstance(meta.get('dataset_meta'), dict) else {}
    said, numbered = meta.get('landmarks'), dataset.get('keypoint_id2name')
    names = [numbered[number] for number in sorted(numbered)] if isinstance(numbered, dict) else []
    # Those of a data set of another project may be any texts, such as numbers.
    if said or _are_known(names):
        names = said or names
        return tuple(names) if all(isinstance(name, str) for name in names) else None
    in_text = _set_in_text(meta.get('cfg'))
    for landmark_set in filter(None, (in_text, _set_beside(path))):
        with contextlib.suppress(InputError):
            return load_landmark_set(landmark_set).abbreviations
    # A set of one's own, whose table is elsewhere.
    return tuple(map(str, names)) if in_text and names else None


def _are_known(names: Sequence[object]) -> bool:
    """Whether a landmark set of the package has some of these names."""
    known = {typed_plainly(each) for name in built_in_landmark_sets() for each in load_landmark_set(name).abbreviations}
    return any(isinstance(name, str) and typed_plainly(name) in known for name in names)


def _set_in_text(text: object) -> str | None:
    """The landmark set that the text of a config says. It is parsed and not run."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        for statement in ast.parse(text).body if isinstance(text, str) else ():
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
                if 'landmark_set' in names and isinstance(statement.value.value, str):
                    return statement.value.value
    return None


def _set_beside(path: Path) -> str | None:
    """The landmark set of the one config beside a checkpoint."""
    configs = sorted(path.parent.glob('*.py')) if path.is_file() else []
    if len(configs) != 1:
        return None
    with contextlib.suppress(InputError):
        said = read_config(configs[0]).get('landmark_set')
        beside = configs[0].parent / str(said)
        return str(beside) if str(said).endswith('.json') and beside.is_file() else said
    return None


def starting_point(config: Config, model: torch.nn.Module, source: TrainedWeights) -> StartingPoint:
    """What a model takes over from another one.

    Args:
        config: That of the model.
        model: The model, with the weights that it would start from otherwise.
        source: The other one.

    Raises:
        InputError: Nothing of what the other one knows of a landmark can be taken over.
    """
    own, landmarks = model.state_dict(), load_landmark_set(config.landmark_set)
    places = dict(_landmark_places(config, own, len(landmarks)))
    names = source.landmarks or _names_by_number(source, own, places, landmarks)
    known = {typed_plainly(name): row for row, name in enumerate(names)}
    rows = [known.get(typed_plainly(name)) for name in landmarks.abbreviations]
    filled, taken, with_rows = dict(own), 0, 0
    for name, value in own.items():
        given, place = source.weights.get(name), places.get(name)
        if given is None:
            continue
        if place is None:
            fits = given.shape == value.shape
            filled[name] = given.to(value.dtype) if fits else value
            taken += fits
        elif _fits_but_for(given, value, place, len(names)):
            filled[name] = _with_rows(value, given, place, rows)
            taken, with_rows = taken + 1, with_rows + 1
    common = tuple(name for name, row in zip(landmarks.abbreviations, rows, strict=True) if row is not None)
    if not common or not with_rows:
        raise InputError(_nothing(source, names, landmarks, bool(common), taken))
    new = tuple(name for name in landmarks.abbreviations if name not in common)
    return StartingPoint(source.name, filled, common, new, taken, (with_rows, len(places)))


def _nothing(
    source: TrainedWeights, names: Sequence[str], landmarks: LandmarkSet, have_common: bool, taken: int
) -> str:
    if not have_common:
        found = ', '.join(names[:5])
        return (
            f'--load-from {source.name}: none of its {len(names)} landmarks ({found}, ...) is in the landmark set '
            f'{landmarks.name!r}, so there is nothing to start from: name a model that has some of them'
        )
    remedy = 'name a model that was trained with this recipe, or train without --load-from'
    if taken:
        remedy += "; for its backbone alone say init_cfg=dict(type='Pretrained', prefix='backbone.', ...) in the recipe"
    return f'--load-from {source.name}: no weights of a landmark fit the model of the recipe: {remedy}'


def _landmark_places(config: Config, own: Mapping[str, torch.Tensor], count: int) -> Iterator[tuple[str, int]]:
    """The tensors that have a row for each landmark, and which of their dimensions counts them.

    They are those that grow when the model is built for one landmark more.
    """
    larger = copy.deepcopy(config.model)
    _add_landmark(larger, count)
    with contextlib.suppress(Exception):  # Whatever a class of the user's own makes of it; it shows in what is missing.
        grown = build_pose_estimator(larger).state_dict()
        for name, value in own.items():
            other = grown.get(name)
            if other is not None and other.dim() == value.dim():
                changed = [dim for dim in range(value.dim()) if other.shape[dim] != value.shape[dim]]
                if len(changed) == 1 and value.shape[changed[0]] == count:
                    yield name, changed[0]


def _add_landmark(part: object, count: int, name: str = '') -> None:
    """Raise the numbers of landmarks in the config of a model by one."""
    if isinstance(part, (list, tuple)):
        for value in part:
            _add_landmark(value, count, name)
    if isinstance(part, dict):
        for key, value in part.items():
            if (key in COUNTS or (key == 'out_channels' and name in HEADS)) and value == count:
                part[key] = count + 1
            else:
                _add_landmark(value, count, key)


def _fits_but_for(given: torch.Tensor, value: torch.Tensor, place: int, count: int) -> bool:
    return given.dim() == value.dim() and all(
        given.shape[dim] == (count if dim == place else value.shape[dim]) for dim in range(value.dim())
    )


def _with_rows(value: torch.Tensor, given: torch.Tensor, place: int, rows: Sequence[int | None]) -> torch.Tensor:
    to = [row for row, source in enumerate(rows) if source is not None]
    of = [source for source in rows if source is not None]
    filled = value.clone()
    filled.index_copy_(
        place,
        torch.tensor(to, dtype=torch.long, device=value.device),
        given.to(value).index_select(place, torch.tensor(of, dtype=torch.long, device=value.device)),
    )
    return filled


def _names_by_number(
    source: TrainedWeights, own: Mapping[str, torch.Tensor], places: Mapping[str, int], landmarks: LandmarkSet
) -> tuple[str, ...]:
    """The landmarks of weights that do not say them: those of the one landmark set that has as many."""
    counts = {
        source.weights[name].shape[place]
        for name, place in places.items()
        if name in source.weights and source.weights[name].dim() == own[name].dim()
    }
    if len(counts) != 1:
        raise InputError(_nothing(source, (), landmarks, have_common=True, taken=0))
    (count,) = counts
    sets = [landmarks, *map(load_landmark_set, built_in_landmark_sets())]
    fitting = {each.abbreviations for each in sets if len(each) == count}
    if len(fitting) != 1:
        raise InputError(
            f'--load-from {source.name}: does not say which {count} landmarks it finds: put the config that it was '
            'trained with beside it, with its landmark_set, or make a model folder of it by "cephalometric export"'
        )
    return fitting.pop()
