"""Configs: read, completed, and checked before anything is built from them.

A recipe states a fact once: the landmark set, the codec, the data root, the two pipelines. ``load_config`` hands each
to all parts that must agree on it. The result is an ordinary MMEngine config, complete in itself, which the Runner
writes into the work dir.
"""

import inspect
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.datasets.transforms import GenerateTarget, TopdownAffine
from mmpose.registry import KEYPOINT_CODECS, TRANSFORMS

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.models.codec_geometry import is_edge_to_edge
from cephalometric.training.arithmetic import check_arithmetic
from cephalometric.training.config_checks import check_numbers, check_structure, check_types
from cephalometric.training.config_options import apply_options
from cephalometric.training.config_reading import first_line, plain, read_config
from cephalometric.training.metric import complete_selection
from cephalometric.training.patch_samples import SampleLandmarkPatches

DATA_ROOT_VARIABLE = 'CEPHALOMETRIC_DATA_ROOT'
REQUIRED = ('landmark_set', 'data_root', 'codec', 'model', 'train_pipeline', 'test_pipeline')


def load_config(
    path: str | Path,
    data_root: str | None = None,
    landmark_set: str | None = None,
    options: Mapping[str, object] | Sequence[str] | None = None,
) -> Config:
    """Read a recipe, check it and complete it.

    Args:
        path: A config file, which may inherit by ``_base_``.
        data_root: The folder that step 2 filled; by default the environment variable ``CEPHALOMETRIC_DATA_ROOT``, then
            what the config says.
        landmark_set: Replaces the config's.
        options: What replaces settings of the config, as for
            :func:`cephalometric.training.config_options.apply_options`.

    Raises:
        InputError: The file is missing or broken, an option does not fit, the recipe lacks a part, or what it says is
            not what the classes take that it names.
    """
    config = read_config(path)
    apply_options(config, options or {})
    missing = [name for name in REQUIRED if name not in config]
    if missing:
        raise InputError(f'{path}: not a recipe of this toolkit: it says no {", ".join(missing)}')
    _enter_scope(config)
    check_structure(config)
    check_types(config)
    check_numbers(config)
    check_arithmetic(config)
    config.landmark_set = landmark_set or _found_landmark_set(config.landmark_set, Path(path))
    config.data_root = str(find_data_root(data_root, config.data_root))
    _complete(config)
    try:
        json.dumps(plain(config), allow_nan=False)
    except (TypeError, ValueError) as error:
        # A trained model keeps its recipe as data: this is said now, and not when the training is over.
        raise InputError(f'{path}: holds what is no data, such as a class instead of its name: {error}') from None
    return config


def _enter_scope(config: Config) -> None:
    scope = config.get('default_scope') or 'mmpose'
    if not isinstance(scope, str) or find_spec(scope) is None:
        raise InputError(f"{config.filename}: default_scope = {scope!r}: no such package; leave it out for 'mmpose'")
    config.default_scope = scope
    init_default_scope(scope)


def find_data_root(data_root: str | None, otherwise: str | None = None) -> Path:
    """The folder that step 2 filled: the one that is named, else that of the environment variable, else ``otherwise``.

    Raises:
        InputError: None of them says it.
    """
    found = data_root or os.environ.get(DATA_ROOT_VARIABLE) or otherwise
    if not found:
        raise InputError(f'say where the data of step 2 are: --data-root, or the variable {DATA_ROOT_VARIABLE}')
    return Path(found)


def _found_landmark_set(name: str, config_path: Path) -> str:
    """A table is named as seen from the config's folder or, failing that, from the working directory."""
    beside = config_path.parent / name
    return str(beside) if name.endswith('.json') and beside.is_file() else name


def _complete(config: Config) -> None:
    codec, head = config.codec, config.model.head
    built = _built_codec(config)
    head.out_channels = len(load_landmark_set(config.landmark_set))
    head.decoder = codec
    if hasattr(built, 'simcc_split_ratio'):
        head.input_size = codec.input_size
        # The stride of the last stage of every backbone that the SimCC heads are used with.
        head.in_featuremap_size = tuple(size // 32 for size in codec.input_size)
        head.simcc_split_ratio = built.simcc_split_ratio
    if 'views' in config:
        _complete_refiner(config)
    for pipeline in (config.train_pipeline, config.test_pipeline):
        for transform in pipeline:
            kind = TRANSFORMS.get(transform.type)
            if not inspect.isclass(kind):
                continue
            if issubclass(kind, TopdownAffine):
                transform.input_size = codec.input_size
                transform.use_udp = _warp(config, built, transform)
            elif issubclass(kind, GenerateTarget):
                transform.encoder = codec
            elif issubclass(kind, SampleLandmarkPatches):
                transform.update(encoder=config.patch_codec, views=config.views)
    for name in ('train', 'val', 'test'):
        loader = config.get(f'{name}_dataloader')
        if loader is not None and not loader.get('num_workers'):
            # Only workers can be kept, and only they fetch ahead.
            loader.pop('prefetch_factor', None)
            loader.persistent_workers = False
    complete_selection(config)
    for name, dataset in _datasets(config):
        dataset.landmark_set = config.landmark_set
        dataset.data_root = config.data_root
        dataset.pipeline = config.train_pipeline if name == 'train' else config.test_pipeline


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


def _warp(config: Config, codec: BaseKeypointCodec, transform: ConfigDict) -> bool:
    """Whether the X-ray is warped as UDP does it: as its codec does, or as the recipe says where that does not show."""
    said, name = transform.get('use_udp'), config.codec.type
    try:
        measured = is_edge_to_edge(codec, config.codec.input_size)
    except Exception as error:  # What a codec of MMPose raises for values that it does not take, or one of the user's.
        if said is None:
            raise InputError(
                f'{config.filename}: codec = {plain(config.codec)}: cannot encode a landmark: {type(error).__name__}: '
                f'{first_line(error)}'
            ) from None
        measured = None
    if measured is None and said is None:
        raise InputError(
            f'{config.filename}: it does not show whether {name} places landmarks as UDP does (the centres of the '
            'outer pixels on the edges of the image) or not: say so in both pipelines, as '
            f'dict(type={transform.type!r}, use_udp=True) or use_udp=False'
        )
    if measured is None:
        return bool(said)
    if said is not None and said != measured:
        raise InputError(
            f'{config.filename}: {transform.type} says use_udp={said}, but {name} needs use_udp={measured}, or all '
            'landmarks are off: leave it out'
        )
    return measured


def _complete_refiner(config: Config) -> None:
    model, backbone, head = config.model, config.model.refiner.backbone, config.model.refiner.head
    config.patch_codec.stride = backbone.stride
    model.resolutions_mm = [view.resolution_mm for view in config.views]
    model.update(patch_size=config.patch_codec.patch_size, num_landmarks=model.head.out_channels)
    backbone.num_landmarks = model.num_landmarks
    head.update(in_channels=backbone.channels[0], out_channels=model.num_landmarks, decoder=config.patch_codec)


def _datasets(config: Config) -> Iterator[tuple[str, ConfigDict]]:
    for name in ('train', 'val', 'test'):
        loader = config.get(f'{name}_dataloader')
        if loader is not None:
            yield name, loader.dataset
