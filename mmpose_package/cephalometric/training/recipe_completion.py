"""What follows from what a recipe says once: handed to the parts that say nothing themselves.

What a part says stays. Only a copy follows its original: where a part said the same as what an option or a flag has
replaced since, it says what that says now.
"""

import copy
import inspect
from collections.abc import Iterator, Mapping
from functools import partial

from mmengine.config import Config, ConfigDict
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.datasets.transforms import GenerateTarget, TopdownAffine
from mmpose.registry import DATASETS, KEYPOINT_CODECS, TRANSFORMS

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.models.codec_geometry import is_edge_to_edge
from cephalometric.training.config_checks import known_names
from cephalometric.training.config_reading import first_line, plain
from cephalometric.training.dataset_parts import Place, dataset_configs
from cephalometric.training.feature_shapes import feature_arguments
from cephalometric.training.hooks import BestWeightsHook, CurvesHook, EpochSeedHook, ProgressBarHook
from cephalometric.training.patch_samples import SampleLandmarkPatches

PACKAGES = ('cephalometric.training', 'cephalometric.models')
# What a run of this toolkit leaves, it leaves by these.
NEEDED_HOOKS = (EpochSeedHook, CurvesHook, ProgressBarHook, BestWeightsHook)
# How MMPose's heads call the number of landmarks.
COUNTS = ('out_channels', 'num_joints', 'num_keypoints')
Fact = tuple[Place, object]


def complete_parts(config: Config, before: Config) -> None:
    """Hand what is said once to model, pipelines and data sets; config is changed in place.

    Args:
        config: The config, with the options in it.
        before: The config without them.

    Raises:
        InputError: The codec cannot be used, or parts contradict each other.
    """
    codec = _built_codec(config)
    _hand_out(config, before, _facts_of_model)
    seen = [('model', 'backbone'), ('model', 'neck'), ('codec', 'input_size')]
    changed = any(not _same(at(config, place), at(before, place)) for place in seen)
    _hand_out(config, before, partial(_facts_of_features, also_said=changed))
    _hand_out(config, before, _facts_of_transforms)
    _refuse_contradictions(config)
    _complete_warps(config, codec)
    _hand_out(config, before, _facts_of_datasets)
    for _, dataset in dataset_configs(config):
        if _takes(dataset, DATASETS, 'landmark_set') and dataset.landmark_set != config.landmark_set:
            raise InputError(
                f'{config.filename}: a data set says landmark_set = {dataset.landmark_set!r}, and the recipe '
                f'{config.landmark_set!r}: a model has one landmark set'
            )


def _hand_out(config: Config, before: Config, facts) -> None:
    earlier = {}
    try:
        for place, value in facts(before):
            earlier[place] = value
    except (InputError, AttributeError, KeyError, TypeError, ValueError):
        pass  # Without its options a config may be anything, and then nothing in it is a copy.
    for place, value in facts(config):
        said = at(config, place)
        is_copy = place in earlier and _same(at(before, place), earlier[place]) and _same(said, at(before, place))
        if said is None or is_copy:
            at(config, place[:-1])[place[-1]] = ConfigDict(value=copy.deepcopy(value)).value


def at(config: Config, place: Place) -> object:
    """What stands at a place of a config; None where nothing does."""
    found: object = config
    for key in place:
        if isinstance(found, (list, tuple)):
            found = found[key] if isinstance(key, int) and key < len(found) else None
        else:
            found = found.get(key) if hasattr(found, 'get') else None
    return found


def _same(first: object, second: object) -> bool:
    """Equal, whether as lists or as tuples."""
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    return first == second


def landmarks_of_head(config: Config) -> int | None:
    """How many landmarks the head of a config says it finds; None where it does not."""
    name = _count_name(config)
    count = at(config, ('model', 'head', name)) if name else None
    return count if type(count) is int else None


def _count_name(config: Config) -> str | None:
    head = at(config, ('model', 'head'))
    if not isinstance(head, Mapping):
        return None
    known = known_names(head, 'model.head')
    return next((name for name in COUNTS if name in head or name in known.names), None)


def _facts_of_model(config: Config) -> Iterator[Fact]:
    head, codec = config.model.head, config.codec
    # Where no landmark set was said, the number of landmarks is no copy.
    count = len(load_landmark_set(config.landmark_set)) if 'landmark_set' in config else None
    if count and (name := _count_name(config)):
        yield ('model', 'head', name), count
    yield ('model', 'head', 'decoder'), codec
    taken = known_names(head, 'model.head').names
    built = _built_codec(config) if 'simcc_split_ratio' in taken else None
    if hasattr(built, 'simcc_split_ratio'):
        yield ('model', 'head', 'input_size'), codec.input_size
        yield ('model', 'head', 'simcc_split_ratio'), built.simcc_split_ratio
    if 'views' in config:
        yield from _facts_of_refiner(config, count)


def _facts_of_features(config: Config, also_said: bool) -> Iterator[Fact]:
    for name, value in feature_arguments(config, also_said).items():
        yield ('model', 'head', name), value


def _facts_of_refiner(config: Config, count: int) -> Iterator[Fact]:
    backbone, refiner = config.model.refiner.backbone, ('model', 'refiner')
    yield ('patch_codec', 'stride'), backbone.stride
    yield ('model', 'resolutions_mm'), [view.resolution_mm for view in config.views]
    yield ('model', 'patch_size'), config.patch_codec.patch_size
    yield ('model', 'num_landmarks'), count
    yield (*refiner, 'backbone', 'num_landmarks'), count
    yield (*refiner, 'head', 'in_channels'), backbone.channels[0]
    yield (*refiner, 'head', 'out_channels'), count
    yield (*refiner, 'head', 'decoder'), config.patch_codec


def pipelines(config: Config) -> Iterator[tuple[Place, list]]:
    """All pipelines of a config: at the top, of the data sets, and those that hooks bring."""
    for name in config:
        if name.endswith('pipeline') and isinstance(config[name], (list, tuple)):
            yield (name,), config[name]
    for place, dataset in dataset_configs(config):
        if isinstance(dataset.get('pipeline'), (list, tuple)):
            yield (*place, 'pipeline'), dataset['pipeline']
    for number, hook in enumerate(config.get('custom_hooks') or []):
        for name in hook:
            if name.endswith('pipeline') and isinstance(hook[name], (list, tuple)):
                yield ('custom_hooks', number, name), hook[name]


def transforms_of(config: Config, kind: type) -> Iterator[tuple[Place, dict]]:
    """All transforms of a config that are of a class or inherit from it, with their places."""
    for place, pipeline in pipelines(config):
        for number, transform in enumerate(pipeline):
            if is_a(transform, TRANSFORMS, kind):
                yield (*place, number), transform


def is_a(part: object, registry: object, kind: type) -> bool:
    """Whether settings name a class that is ``kind`` or inherits from it."""
    name = part.get('type') if isinstance(part, Mapping) else None
    found = registry.get(name) if isinstance(name, str) else None
    return inspect.isclass(found) and issubclass(found, kind)


def _facts_of_transforms(config: Config) -> Iterator[Fact]:
    for place, _ in transforms_of(config, TopdownAffine):
        yield (*place, 'input_size'), config.codec.input_size
    for place, _ in transforms_of(config, GenerateTarget):
        yield (*place, 'encoder'), config.codec
    for place, _ in transforms_of(config, SampleLandmarkPatches):
        yield (*place, 'encoder'), config.patch_codec
        yield (*place, 'views'), config.views


def _facts_of_datasets(config: Config) -> Iterator[Fact]:
    for place, dataset in dataset_configs(config):
        if 'landmark_set' in config and _takes(dataset, DATASETS, 'landmark_set'):
            yield (*place, 'landmark_set'), config.landmark_set
        yield (*place, 'data_root'), config.data_root
        pipeline = config.train_pipeline if place[0] == 'train_dataloader' else config.test_pipeline
        yield (*place, 'pipeline'), pipeline


def _takes(part: Mapping, registry: object, name: str) -> bool:
    found = registry.get(part.get('type'))
    return inspect.isclass(found) and name in inspect.signature(found.__init__).parameters


def follow_pipelines(config: Config, before: Config) -> None:
    """A pipeline that was the copy of one at the top, by whatever name, follows it where an option has changed that.

    Args:
        config: The config with the options; changed in place.
        before: The config without them.
    """
    tops = [name for name in before if name.endswith('pipeline')]
    changed = [name for name in tops if not _same(before[name], config.get(name))]
    for place, _ in list(pipelines(config)):
        for name in changed:
            if place[0] not in changed and _same(at(before, place), before[name]):
                at(config, place[:-1])[place[-1]] = copy.deepcopy(config[name])


def _refuse_contradictions(config: Config) -> None:
    landmarks, count = load_landmark_set(config.landmark_set), landmarks_of_head(config)
    if count is not None and count != len(landmarks):
        name = _count_name(config)
        raise InputError(
            f'{config.filename}: model.head.{name} = {count}, but {config.landmark_set} has {len(landmarks)} '
            f'landmarks: leave {name} out, or say --cfg-options model.head.{name}={len(landmarks)}'
        )
    for place, warp in transforms_of(config, TopdownAffine):
        if not _same(warp['input_size'], config.codec.input_size):
            raise InputError(
                f'{config.filename}: {".".join(map(str, place))}: {warp["type"]} says input_size = '
                f'{tuple(warp["input_size"])}, and the codec {tuple(config.codec.input_size)}, so that all landmarks '
                'would be off: leave it out'
            )


def _built_codec(config: Config) -> BaseKeypointCodec:
    if 'input_size' not in config.codec:
        raise InputError(f"{config.filename}: the codec says no input_size, width and height of the network's input")
    try:
        codec = KEYPOINT_CODECS.build(dict(config.codec))
    except Exception as error:  # It may be a class of the user's own.
        raise InputError(
            f'{config.filename}: codec = {plain(config.codec)}: {type(error).__name__}: {first_line(error)}'
        ) from None
    return codec


def _complete_warps(config: Config, codec: BaseKeypointCodec) -> None:
    """Warp the X-ray as UDP does it, or not: as its codec does, or as the recipe says where that does not show."""
    name, warps = config.codec.type, [warp for _, warp in transforms_of(config, TopdownAffine)]
    try:
        measured = is_edge_to_edge(codec, config.codec.input_size)
    except Exception as error:  # What a codec of MMPose raises for values that it does not take, or one of the user's.
        if any(warp.get('use_udp') is None for warp in warps):
            raise InputError(
                f'{config.filename}: codec = {plain(config.codec)}: cannot encode a landmark: {type(error).__name__}: '
                f'{first_line(error)}'
            ) from None
        measured = None
    for warp in warps:
        said = warp.get('use_udp')
        if measured is None and said is None:
            raise InputError(
                f'{config.filename}: it does not show whether {name} places landmarks as UDP does (the centres of the '
                'outer pixels on the edges of the image) or not: say so in both pipelines, as '
                f'dict(type={warp["type"]!r}, use_udp=True) or use_udp=False'
            )
        if None not in (measured, said) and said != measured:
            raise InputError(
                f'{config.filename}: {warp["type"]} says use_udp={said}, but {name} needs use_udp={measured}, or all '
                'landmarks are off: leave it out'
            )
        warp['use_udp'] = bool(said if measured is None else measured)


def complete_loaders(config: Config) -> None:
    """Leave out what only worker processes need where there are none; config is changed in place."""
    for name in ('train', 'val', 'test'):
        loader = config.get(f'{name}_dataloader')
        if loader is not None and not loader.get('num_workers'):
            # Only workers can be kept, and only they fetch ahead.
            loader.pop('prefetch_factor', None)
            loader.persistent_workers = False


def complete_hooks(config: Config) -> None:
    """Add the hooks and imports by which a run leaves what the other steps need; config is changed in place."""
    said = [*(config.get('custom_hooks') or []), *(config.get('default_hooks') or {}).values()]
    missing = [kind for kind in NEEDED_HOOKS if not any(is_a(hook, HOOKS, kind) for hook in said)]
    if missing:
        added = [ConfigDict(type=kind.__name__) for kind in missing]
        config.custom_hooks = [*(config.get('custom_hooks') or []), *added]
    for hook in said:
        if is_a(hook, HOOKS, CheckpointHook) and hook.get('backend_args') is None:
            # Checkpoints then appear whole or not at all.
            hook['backend_args'] = {'backend': 'atomic'}
    imports = config.get('custom_imports') or {'imports': []}
    names = [imports['imports']] if isinstance(imports['imports'], str) else list(imports['imports'])
    config.custom_imports = {**imports, 'imports': names + [name for name in PACKAGES if name not in names]}
