"""Configs: read, completed, and checked before anything is built from them.

A recipe states a fact once: the landmark set, the codec, the data root, the two pipelines. ``load_config`` hands each
to all parts that must agree on it. The result is an ordinary MMEngine config, complete in itself, which the Runner
writes into the work dir.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set

DATA_ROOT_VARIABLE = 'CEPHALOMETRIC_DATA_ROOT'
REQUIRED = ('landmark_set', 'data_root', 'codec', 'model', 'train_pipeline', 'test_pipeline')


def load_config(
    path: str | Path,
    data_root: str | None = None,
    landmark_set: str | None = None,
    options: Mapping[str, object] | None = None,
) -> Config:
    """Read a recipe and complete it.

    Args:
        path: A config file, which may inherit by ``_base_``.
        data_root: The folder that step 2 filled; by default the environment variable ``CEPHALOMETRIC_DATA_ROOT``, then
            what the config says.
        landmark_set: Replaces the config's.
        options: Dotted names and values that replace those of the config, as ``--cfg-options`` gives them.

    Raises:
        InputError: The file is missing or broken, an option does not fit, or the recipe lacks a part.
    """
    try:
        config = Config.fromfile(str(path))
    except FileNotFoundError as error:
        raise InputError(f'{path}: no such config, or it inherits from one that is missing ({error})') from None
    except (SyntaxError, NameError, KeyError, TypeError, OSError, AttributeError) as error:
        raise InputError(f'{path}: not a config: {type(error).__name__}: {error}') from None
    try:
        config.merge_from_dict(dict(options or {}))
    except (KeyError, TypeError, AssertionError, IndexError) as error:
        raise InputError(f'--cfg-options {dict(options)} does not fit {path}: {error}') from None
    missing = [name for name in REQUIRED if name not in config]
    if missing:
        raise InputError(f'{path}: not a recipe of this toolkit: it says no {", ".join(missing)}')
    config.landmark_set = landmark_set or _found_landmark_set(config.landmark_set, Path(path))
    config.data_root = str(find_data_root(data_root, config.data_root))
    _complete(config)
    init_default_scope(config.get('default_scope', 'mmpose'))
    return config


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
    head.out_channels = len(load_landmark_set(config.landmark_set))
    head.decoder = codec
    if codec.type == 'SimCCLabel':
        head.input_size = codec.input_size
        # The stride of the last stage of every backbone that the SimCC heads are used with.
        head.in_featuremap_size = tuple(size // 32 for size in codec.input_size)
        head.simcc_split_ratio = codec.simcc_split_ratio
    if 'views' in config:
        _complete_refiner(config)
    for pipeline in (config.train_pipeline, config.test_pipeline):
        for transform in pipeline:
            if transform.type == 'TopdownAffine':
                transform.input_size = codec.input_size
                transform.use_udp = 'UDP' in codec.type
            elif transform.type == 'GenerateTarget':
                transform.encoder = codec
            elif transform.type == 'SampleLandmarkPatches':
                transform.update(encoder=config.patch_codec, views=config.views)
    for name, dataset in _datasets(config):
        dataset.landmark_set = config.landmark_set
        dataset.data_root = config.data_root
        dataset.pipeline = config.train_pipeline if name == 'train' else config.test_pipeline


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
