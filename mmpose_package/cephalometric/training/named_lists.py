"""Lists of a recipe whose entries have names: a child changes an entry by its name, and not by its place.

MMEngine merges settings by their names and replaces lists as a whole. So what is a list to it, a pipeline, the hooks,
the schedule, may be said in a recipe as settings::

    train_pipeline = dict(LoadImage=dict(), GetBBoxCenterScale=dict(padding=1.0), TopdownAffine=dict())

The name is the type, unless the entry says another. In a recipe that inherits from this one,
``train_pipeline = dict(GetBBoxCenterScale=dict(padding=1.1))`` changes one setting, ``TopdownAffine=None`` leaves an
entry out, ``LoadImage=dict(type='LoadXray')`` puts another in its place, and
``RandomCutout=dict(_before_='TopdownAffine')`` adds one before another.
"""

import inspect
import re
from collections.abc import Mapping

from mmengine.config import Config, ConfigDict

from cephalometric.errors import InputError
from cephalometric.training.config_checks import classes_of

BEFORE = '_before_'
NAMED = re.compile(r'(\w+_)?pipeline|custom_hooks|param_scheduler')


def list_named_entries(config: Config) -> None:
    """Turn the pipelines, hooks and schedules that a recipe says by names into lists; config is changed in place.

    Raises:
        InputError: An entry is no settings, or is to stand before one that is not there.
    """
    for name in [name for name in config if NAMED.fullmatch(name)]:
        said = config[name]
        if isinstance(said, Mapping) and _has_named_entries(config, name):
            config[name] = ConfigDict(entries=_listed(said, f'{config.filename}: {name}')).entries


def _has_named_entries(config: Config, name: str) -> bool:
    if name != 'param_scheduler':
        return True
    # Settings may also be one schedule, or those of several optimizers, which need a constructor.
    optimizers = config.get('optim_wrapper')
    return 'type' not in config[name] and not (isinstance(optimizers, Mapping) and 'constructor' in optimizers)


def _listed(entries: Mapping[str, object], where: str) -> list[dict]:
    known = {name: entry for name, entry in entries.items() if entry is not None}
    wrong = [name for name, entry in known.items() if not isinstance(entry, Mapping)]
    if wrong:
        raise InputError(f'{where}.{wrong[0]} must be settings, as dict(...), or None to leave it out')
    order = [name for name, entry in known.items() if BEFORE not in entry]
    waiting = [name for name in known if name not in order]
    while waiting:
        placed = next((name for name in waiting if known[name][BEFORE] in order), None)
        if placed is None:
            raise InputError(
                f'{where}.{waiting[0]} is to stand before {known[waiting[0]][BEFORE]!r}, which is not there: it has '
                f'{", ".join(order)}'
            )
        waiting.remove(placed)
        order.insert(order.index(known[placed][BEFORE]), placed)
    return [{'type': name} | {key: value for key, value in known[name].items() if key != BEFORE} for name in order]


def place_of(entries: list, name: str) -> int | None:
    """The place of an entry of a list: by its number or, where one entry alone has it, by its type.

    The type may also be that which its class inherits from, so that ``TopdownAffine`` is found whatever does its work.

    Args:
        entries: The list.
        name: Such as ``'2'`` or ``'TopdownAffine'``.

    Returns:
        None where there is no such entry, or several.
    """
    if name.isdigit():
        return int(name) if int(name) < len(entries) else None
    types = {place: str(entry.get('type')) for place, entry in enumerate(entries) if isinstance(entry, Mapping)}
    wanted = tuple(filter(inspect.isclass, classes_of(name))) if name else ()
    found = [place for place, kind in types.items() if kind == name] or [
        place
        for place, kind in types.items()
        if any(inspect.isclass(each) and issubclass(each, wanted) for each in classes_of(kind))
    ]
    return found[0] if len(found) == 1 else None
