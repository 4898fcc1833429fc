"""Single settings of a config, replaced by ``--cfg-options KEY=VALUE``."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from mmengine.config import Config, DictAction

from cephalometric.errors import InputError
from cephalometric.training.config_checks import INTERNAL, known_names
from cephalometric.training.named_lists import place_of

FLAG = '--cfg-options'
KINDS = {bool: 'True or False', int: 'a number', float: 'a number', list: 'a list, such as [1,2]', dict: 'settings'}


def parse_options(words: Iterable[str]) -> dict[str, str]:
    """Split ``KEY=VALUE`` at the first equals sign.

    Raises:
        InputError: A word has no key, no equals sign or no value.
    """
    options = {}
    for word in words:
        key, sign, value = word.partition('=')
        if not (key.strip() and sign and value.strip()):
            raise InputError(
                f'{FLAG} {word}: say KEY=VALUE, such as train_cfg.max_epochs=10, without blanks around "="'
            )
        options[key.strip()] = value.strip()
    return options


def apply_options(config: Config, options: Mapping[str, object] | Sequence[str]) -> None:
    """Replace settings of a config; it is changed in place.

    Args:
        config: As it was read.
        options: Dotted names and their values; an entry of a list is named by its type, as in
            ``train_pipeline.RandomFlip.prob``, or by its place from 0. Or words ``KEY=VALUE``, whose values are read as
            MMEngine reads them: numbers, True, False, None, lists as ``[1,2]`` or ``1,2``, tuples as ``(1,2)``, and all
            else as text.

    Raises:
        InputError: A name is none that the config or what it configures knows, or a value is of another kind than the
            one that it replaces.
    """
    said = options if isinstance(options, Mapping) else parse_options(options)
    for key, value in said.items():
        old, is_new, full_key = _look_up(config, key)
        if isinstance(value, str):
            value = _parsed(key, value, old)
        if not is_new:
            _check_kind(key, value, old)
        config.merge_from_dict({full_key: value})


def _look_up(config: Config, key: str) -> tuple[object, bool, str]:
    """What stands under a name, whether it is to be added, and the name with places in the lists."""
    place, names, full = config._cfg_dict, key.split('.'), key.split('.')
    for depth, name in enumerate(names):
        path = '.'.join(names[:depth])
        if isinstance(place, (list, tuple)):
            number = place_of(place, name)
            if number is None:
                raise InputError(f'{FLAG} {key}: {_no_entry(place, name, path)}')
            place, full[depth] = place[number], str(number)
        elif not isinstance(place, Mapping):
            raise InputError(f'{FLAG} {key}: {path} is {place!r} in {config.filename}, and holds no settings')
        elif name in place:
            place = place[name]
        else:
            known = known_names(place, path)
            if not known.allow(name):
                raise InputError(f'{FLAG} {key}: {_unknown(name, path, known.names | set(place))}')
            return None, True, '.'.join(full)
    return place, False, '.'.join(full)


def _no_entry(entries: Sequence, name: str, path: str) -> str:
    types = [str(entry['type']) for entry in entries if isinstance(entry, Mapping) and 'type' in entry]
    if types.count(name) > 1:
        return f'{path} has {types.count(name)} {name}: say which by its place, from 0 to {len(entries) - 1}'
    names = f', or one of {", ".join(dict.fromkeys(types))}' if types else ''
    return f'{path} is a list of {len(entries)}: say a place from 0 to {len(entries) - 1}{names}'


def _unknown(name: str, path: str, known: AbstractSet[str]) -> str:
    known = known - INTERNAL
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    hint = f'did you mean {" or ".join(near)}?' if near else f'it has {", ".join(sorted(known))}'
    return f'no setting {name!r} in {path or "the config"}; {hint}'


def _parsed(key: str, text: str, old: object) -> object:
    bare = text.strip('\'"')
    # A name may hold blanks and commas, and look like a number.
    if isinstance(old, str) and not bare.startswith(('[', '(')):
        return None if bare == 'None' else bare
    try:
        return DictAction._parse_iterable(text)
    except (AssertionError, ValueError, RecursionError):  # What MMEngine trips over.
        raise InputError(f'{FLAG} {key}={text}: its brackets or commas do not fit: say a list as [1,2]') from None


def _check_kind(key: str, value: object, old: object) -> None:
    if old is None or (value is None and not isinstance(old, (bool, int, float))):
        return
    kind = next(
        (kind for kind in (bool, int, float, list, dict) if isinstance(old, list if kind is list else kind)), None
    )
    if isinstance(old, tuple):
        kind = list
    fits = {
        bool: isinstance(value, (bool, int)) and value in (0, 1),
        int: isinstance(value, (int, float)) and not isinstance(value, bool),
        float: isinstance(value, (int, float)) and not isinstance(value, bool),
        list: isinstance(value, (list, tuple)),
        dict: isinstance(value, Mapping),
        None: True,
    }[kind]
    if not fits:
        hint = f': say {key}.NAME=VALUE' if kind is dict else ''
        raise InputError(f'{FLAG} {key}={value}: it wants {KINDS[kind]}, as {_short(old)} in the config{hint}')


def _short(value: object) -> str:
    text = str(dict(value) if isinstance(value, Mapping) else value)
    return text if len(text) < 60 else f'{text[:56]} ...'
