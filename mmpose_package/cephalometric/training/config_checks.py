"""What a config says, checked against the classes that it names, before any of them is built."""

import difflib
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import mmengine.registry
import mmpose.registry
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import Registry
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner, TestLoop, ValLoop
from torch.utils.data import DataLoader

from cephalometric.errors import InputError

# No recipe names one of these, and what they import is slow and warns.
NOT_IN_RECIPES = {'inferencer', 'strategy', 'runner', 'runner constructor'}
REGISTRIES = {
    id(registry): registry
    for module in (mmpose.registry, mmengine.registry)
    for registry in vars(module).values()
    if isinstance(registry, Registry) and registry.name not in NOT_IN_RECIPES
}.values()
OURS = {'landmark_set', 'data_root', 'codec', 'patch_codec', 'views', 'train_pipeline', 'test_pipeline', 'arithmetic'}
OF_MMENGINE = {'auto_scale_lr', 'sync_bn', 'custom_imports', 'cfg', 'runner_type', 'model_wrapper_cfg'}
OF_LOADERS = {'dataset', 'batch_sampler', 'sampler', 'collate_fn', 'num_batch_per_epoch'}
# What MMEngine takes out of such a dict before it hands the rest to the class.
INTERNAL = frozenset({'self', 'args', 'kwargs', '_scope_', '_delete_'})
TAKEN_OUT = INTERNAL | {'type', 'priority', 'convert_to_iter_based', 'by_epoch', 'constructor', 'paramwise_cfg'}
# Below these stand settings that are no arguments of a class, or that others take apart in their own ways.
NO_ARGUMENTS = re.compile(r'(^|\.)(metainfo|\w*_?cfg)$')
# Nor these: what a transform is given may be another library's.
NO_TYPES = re.compile(r'(^|\.)metainfo$|pipeline\.\d+\.')
SECTIONS = (
    *('codec', 'patch_codec', 'model', 'train_pipeline', 'test_pipeline', 'optim_wrapper', 'param_scheduler'),
    *('train_dataloader', 'val_dataloader', 'test_dataloader', 'val_evaluator', 'test_evaluator'),
    *('default_hooks', 'custom_hooks', 'visualizer', 'log_processor', 'train_cfg', 'val_cfg', 'test_cfg'),
)
WHOLE, POSITIVE = 'a whole number from {} on', 'a number above 0'


def check_structure(config: Config) -> None:
    """Are the parts what they must be before anything can be filled in?

    Raises:
        InputError: One is of another kind, or lacks its type.
    """
    parts: dict[str, type | tuple] = {'landmark_set': str, 'data_root': str, 'codec': dict, 'model': dict}
    parts |= {
        'train_pipeline': (list, tuple),
        'test_pipeline': (list, tuple),
        'model.head': dict,
        'model.backbone': dict,
    }
    if 'views' in config:
        parts |= {'views': (list, tuple), 'patch_codec': dict, 'model.refiner': dict}
        parts |= {'model.refiner.backbone': dict, 'model.refiner.head': dict}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if config.get(loader) is not None:
            parts |= {loader: dict, f'{loader}.dataset': dict}
    if config.get('default_hooks') is not None:
        parts |= {'default_hooks': dict}
    if config.get('custom_hooks') is not None:
        parts |= {'custom_hooks': (list, tuple)}
    if len({config.get(f'val_{part}') is None for part in ('dataloader', 'cfg', 'evaluator')}) > 1:
        raise InputError(
            f'{config.filename}: val_dataloader, val_cfg and val_evaluator go together: say all of them or, to train '
            'without validation, --no-validation'
        )
    for name, kind in parts.items():
        found, wanted = (
            _at(config, name),
            'settings, as dict(...)' if kind is dict else 'text' if kind is str else 'a list',
        )
        if not isinstance(found, kind):
            raise InputError(f'{config.filename}: {name} must be {wanted}, not {_kind_of(found)}')
        typed = (
            [found]
            if kind is dict and not name.endswith(('_dataloader', '_hooks'))
            else found
            if kind == (list, tuple)
            else []
        )
        for entry in typed if name != 'views' else []:
            if not isinstance(entry, Mapping) or not isinstance(entry.get('type'), str):
                raise InputError(f"{config.filename}: {name} must say its type in quotes, as dict(type='...', ...)")


def _at(config: Config, name: str) -> object:
    place: object = config
    for part in name.split('.'):
        place = place.get(part) if hasattr(place, 'get') else None
    return place


def _kind_of(value: object) -> str:
    return 'missing' if value is None else f'a {type(value).__name__}'


def classes_of(name: str) -> list[type | Callable]:
    """All that is registered under the name of a type, in whatever registries."""
    found = [registry.get(name) for registry in REGISTRIES]
    return list({id(each): each for each in found if each is not None}.values())


def check_types(config: Config) -> None:
    """Is every type of a config known, and does it take what the config gives it?

    Raises:
        InputError: One line that names all that is not so, and what is near it.
    """
    # The pipelines of data sets are mostly those at the top.
    seen = [config[name] for name in ('train_pipeline', 'test_pipeline') if config.get(name)]
    wrong = [problem for name in SECTIONS if name in config for problem in _wrong(config[name], name, seen)]
    if wrong:
        more = f' (and {len(wrong) - 3} more)' if len(wrong) > 3 else ''
        raise InputError(f'{config.filename}: {"; ".join(wrong[:3])}{more}')


def _wrong(part: object, path: str, seen: list) -> Iterator[str]:
    if NO_TYPES.search(path) or (path.endswith('.pipeline') and part in seen):
        return
    if path.endswith('.pipeline'):
        seen.append(part)
    if isinstance(part, Mapping):
        if isinstance(part.get('type'), str) and '_scope_' not in part:
            yield from _wrong_type(part, path)
        for name, value in part.items():
            yield from _wrong(value, f'{path}.{name}', seen)
    elif isinstance(part, (list, tuple)):
        for place, value in enumerate(part):
            yield from _wrong(value, f'{path}.{place}', seen)


def _wrong_type(part: Mapping, path: str) -> Iterator[str]:
    if not classes_of(part['type']):
        names = {name for registry in REGISTRIES for name in registry.module_dict}
        yield f'{path}.type: nothing is registered as {part["type"]!r}{_near(part["type"], names)}'
        return
    known = known_names(part, path)
    for name in part:
        if not known.allow(name):
            yield f'{path}: {part["type"]} takes no {name!r}{_near(name, known.names)}'


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f'; did you mean {" or ".join(near)}?' if near else ''


@dataclass(frozen=True)
class KnownNames:
    """What may stand in a part of a config.

    Attributes:
        names: The names that are known.
        is_open: Whether others may stand there too.
    """

    names: frozenset[str]
    is_open: bool = False

    def allow(self, name: str) -> bool:
        """Whether a name may stand there; one that is nearly a known one is none of the others, but misspelled."""
        return name in self.names or (
            self.is_open and bool(name) and not difflib.get_close_matches(name, self.names, n=1, cutoff=0.8)
        )


def known_names(part: Mapping, path: str) -> KnownNames:
    """What may stand in a part of a config.

    Args:
        part: The part.
        path: Its dotted name; empty for the whole config.
    """
    if not path:
        return KnownNames(frozenset({*_parameters(Runner), *OURS, *OF_MMENGINE, *part}))
    if path in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        return KnownNames(_parameters(DataLoader) | OF_LOADERS)
    loops = {'train_cfg': (EpochBasedTrainLoop, IterBasedTrainLoop), 'val_cfg': (ValLoop,), 'test_cfg': (TestLoop,)}
    if path in loops and 'type' not in part:
        return KnownNames(TAKEN_OUT.union(*map(_parameters, loops[path])))
    if NO_ARGUMENTS.search(path):
        return KnownNames(frozenset(part), is_open=True)
    kinds = [OptimWrapper] if path == 'optim_wrapper' and 'type' not in part else classes_of(str(part.get('type')))
    found = [_arguments(kind) for kind in kinds]
    names = TAKEN_OUT.union(*(each.names for each in found))
    return KnownNames(names, is_open=not found or any(each.is_open for each in found))


def _parameters(kind: type) -> frozenset[str]:
    return frozenset(inspect.signature(kind.__init__).parameters)


def _arguments(found: type | Callable) -> KnownNames:
    """The arguments of a class, and of those that it hands its others on to."""
    names: set[str] = set()
    for kind in found.__mro__ if inspect.isclass(found) else ():
        if '__init__' not in vars(kind) or kind is object:
            continue
        try:
            parameters = inspect.signature(kind.__init__).parameters.values()
        except (TypeError, ValueError):
            break
        names |= {parameter.name for parameter in parameters}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            return KnownNames(frozenset(names))
    return KnownNames(frozenset(names), is_open=True)


def check_numbers(config: Config) -> None:
    """Are the numbers that every recipe has numbers that can be meant?

    Raises:
        InputError: One line that names the first that is not.
    """
    for name, least in (
        *(('train_cfg.max_epochs', 1), ('train_cfg.val_interval', 1), ('default_hooks.checkpoint.interval', 1)),
        *(('default_hooks.checkpoint.max_keep_ckpts', -1), ('default_hooks.logger.interval', 1)),
        *((f'{part}_dataloader.batch_size', 1) for part in ('train', 'val', 'test')),
        *((f'{part}_dataloader.num_workers', 0) for part in ('train', 'val', 'test')),
    ):
        value = _at(config, name)
        if value is not None and not _is_whole(value, least):
            raise InputError(f'{config.filename}: {name} = {value!r}: must be {WHOLE.format(least)}')
    for name in ('codec.input_size', 'codec.heatmap_size'):
        value = _at(config, name)
        fits = isinstance(value, Sequence) and len(value) == 2 and all(_is_whole(length, 1) for length in value)
        if value is not None and not fits:
            raise InputError(
                f'{config.filename}: {name} = {value!r}: must be width and height in pixels, as (256, 320)'
            )
    rate = _at(config, 'optim_wrapper.optimizer.lr')
    if rate is not None and not (_is_number(rate) and math.isfinite(rate) and rate > 0):
        raise InputError(f'{config.filename}: optim_wrapper.optimizer.lr = {rate!r}: must be {POSITIVE}')


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
