"""Recipes: read, checked, and completed with what they leave out.

A recipe states a fact once: the landmark set, the codec, the data root, the two pipelines, the epochs. ``load_config``
hands each to all parts that must agree on it and say nothing themselves; what a recipe says stays. The result is an
ordinary MMEngine config, complete in itself, which MMEngine's Runner and MMPose's tools take.
"""

import copy
import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import init_default_scope

from cephalometric.errors import InputError
from cephalometric.landmarks import built_in_landmark_sets, load_landmark_set
from cephalometric.training.arithmetic import check_arithmetic
from cephalometric.training.config_checks import check_numbers, check_structure, check_types
from cephalometric.training.config_options import apply_options
from cephalometric.training.config_reading import plain, read_config
from cephalometric.training.dataset_parts import dataset_configs
from cephalometric.training.metric import complete_selection
from cephalometric.training.mmdet_names import resolve_mmdet_names
from cephalometric.training.recipe_completion import (
    complete_hooks,
    complete_loaders,
    complete_parts,
    follow_pipelines,
    landmarks_of_head,
)
from cephalometric.training.schedule import complete_schedule

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
        data_root: The folder that step 2 filled; by default what ``options`` say, the environment variable
            ``CEPHALOMETRIC_DATA_ROOT``, or what the config says.
        landmark_set: Replaces the config's.
        options: What replaces settings of the config, as for
            :func:`cephalometric.training.config_options.apply_options`. Parts that say the same as the setting that
            an option replaces follow it.

    Raises:
        InputError: The file is missing or broken, an option does not fit, the recipe lacks a part, contradicts itself,
            or what it says is not what the classes take that it names.
    """
    config = read_config(path)
    resolve_mmdet_names(config)
    _say_at_the_top(config)
    before = copy.deepcopy(config)
    apply_options(config, options or {})
    follow_pipelines(config, before)
    if landmark_set or 'landmark_set' in config:
        config.landmark_set = landmark_set or _found_landmark_set(config.landmark_set, Path(path))
    else:
        _deduce_landmark_set(config)
    root = find_data_root(data_root, config.get('data_root'), config.get('data_root') != before.get('data_root'), False)
    if root is not None:
        config.data_root = str(root)
    missing = [name for name in REQUIRED if name not in config]
    if missing:
        raise InputError(f'{path}: not a recipe of this toolkit: it says no {", ".join(missing)}')
    _enter_scope(config)
    check_structure(config)
    check_types(config)
    check_numbers(config)
    check_arithmetic(config)
    complete_schedule(config, before)
    complete_parts(config, before)
    complete_loaders(config)
    complete_hooks(config)
    complete_selection(config)
    try:
        json.dumps(plain(config), allow_nan=False)
    except (TypeError, ValueError) as error:
        # A trained model keeps its recipe as data: this is said now, and not when the training is over.
        raise InputError(f'{path}: holds what is no data, such as a class instead of its name: {error}') from None
    return config


def complete_text(config: Config) -> str:
    """A completed config as a file that stands alone.

    Args:
        config: As :func:`load_config` returns it.
    """
    alone = copy.deepcopy(config)
    # MMEngine's Runner does not start without one.
    alone.setdefault('work_dir', f'work_dirs/{Path(config.filename).stem}')
    if alone.landmark_set.endswith('.json'):
        alone.landmark_set = Path(alone.landmark_set).absolute().as_posix()
        for _, dataset in dataset_configs(alone):
            dataset['landmark_set'] = alone.landmark_set
    return alone.pretty_text


def _say_at_the_top(config: Config) -> None:
    """What a complete config says within its parts is said at the top, too, where options and other parts find it."""
    model = config.get('model')
    head = model.get('head') if isinstance(model, Mapping) else None
    decoder = head.get('decoder') if isinstance(head, Mapping) else None
    if 'codec' not in config and isinstance(decoder, Mapping):
        config.codec = copy.deepcopy(decoder)
    for name, loaders in (('train_pipeline', ('train',)), ('test_pipeline', ('test', 'val'))):
        said = [each['pipeline'] for _, each in dataset_configs(config, loaders) if each.get('pipeline')]
        if name not in config and said:
            config[name] = copy.deepcopy(said[0])
    for name in ('data_root', 'landmark_set'):
        said = {str(each[name]) for _, each in dataset_configs(config) if each.get(name)}
        if name not in config and len(said) == 1:
            config[name] = said.pop()


def _deduce_landmark_set(config: Config) -> None:
    """The landmark set that comes with the package and has as many landmarks as the head."""
    count = landmarks_of_head(config)
    if count is None:
        return
    fitting = [name for name in built_in_landmark_sets() if len(load_landmark_set(name)) == count]
    if len(fitting) != 1:
        which = f'{" and ".join(fitting)} have' if fitting else 'none that comes with the toolkit has'
        raise InputError(
            f'{config.filename}: says no landmark_set, and its head finds {count} landmarks, which {which}: say it by '
            '--landmarks NAME, or the path of a .json table (docs/landmark_sets.md)'
        )
    (config.landmark_set,) = fitting


def _enter_scope(config: Config) -> None:
    scope = config.get('default_scope') or 'mmpose'
    if not isinstance(scope, str) or find_spec(scope) is None:
        raise InputError(f"{config.filename}: default_scope = {scope!r}: no such package; leave it out for 'mmpose'")
    config.default_scope = scope
    init_default_scope(scope)


def find_data_root(
    data_root: str | None, otherwise: str | None = None, is_option: bool = False, required: bool = True
) -> Path | None:
    """The folder that step 2 filled.

    Args:
        data_root: What a flag says; it comes first.
        otherwise: What a config says; it comes after the environment variable.
        is_option: Whether an option says it, and not the config itself; then it comes before the environment variable.
        required: Whether there must be one.

    Raises:
        InputError: None of them says it.
    """
    found = data_root or (is_option and otherwise) or os.environ.get(DATA_ROOT_VARIABLE) or otherwise
    if not found and required:
        raise InputError(f'say where the data of step 2 are: --data-root, or the variable {DATA_ROOT_VARIABLE}')
    return Path(found) if found else None


def _found_landmark_set(name: str, config_path: Path) -> str:
    """A table is named as seen from the config's folder or, failing that, from the working directory."""
    beside = config_path.parent / str(name)
    return str(beside) if str(name).endswith('.json') and beside.is_file() else name
