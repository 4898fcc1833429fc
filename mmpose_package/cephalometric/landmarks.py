"""Landmark sets as data: which landmarks there are, in which order, how they are called and joined in drawings.

A set is one JSON table. Those that come with the package lie in ``landmark_sets/``; a laboratory's own is named by its
path. Nothing else in the project knows how many landmarks there are.
"""

import functools
import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json

BUILT_IN = Path(__file__).parent / 'landmark_sets'
# What people and programs type for the prime of soft-tissue landmarks: apostrophes, quotes, accents, primes.
_PRIMES = str.maketrans(dict.fromkeys('\u2018\u2019\u201b\u2032\u02b9\u02bc\u02c8\u0060\u00b4\uff07\ua78c', "'"))


@dataclass(frozen=True)
class LandmarkSet:
    """An ordered set of landmarks; position ``i`` is channel ``i`` of a model and number ``i + 1`` in challenge files.

    Attributes:
        name: What configs, flags and files call the set: the stem of its JSON file.
        title: One line for people.
        names: The landmark's full name, in order.
        abbreviations: Its short name, unique within the set, in the same order.
        groups: The anatomical group of each landmark, in the same order.
        lines: Pairs of positions to join in drawings.
    """

    name: str
    title: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]
    groups: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.abbreviations)

    def find(self, text: str) -> int | None:
        """The position of the landmark that a file calls so: see :func:`find_abbreviation`."""
        found = find_abbreviation(text, self.abbreviations)
        return None if found is None else self.abbreviations.index(found)


def find_abbreviation(text: str, abbreviations: Collection[str]) -> str | None:
    """The abbreviation that a text stands for; None for none, and for several.

    An equal one goes first; then one that differs in how it is typed alone, such as ``Pog\u2019`` for ``Pog'``, then
    one that also differs in upper and lower case.
    """
    if text in abbreviations:
        return text
    for plain in (typed_plainly, lambda name: typed_plainly(name).casefold()):
        found = [abbreviation for abbreviation in abbreviations if plain(abbreviation) == plain(text)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


@functools.lru_cache(maxsize=4096)
def typed_plainly(text: str) -> str:
    """A name with an apostrophe for every kind of prime, composed letters, and no spaces around it."""
    return unicodedata.normalize('NFKC', text.translate(_PRIMES)).translate(_PRIMES).strip()


def built_in_landmark_sets() -> list[str]:
    """The names of the sets that come with the package, sorted."""
    return sorted(path.stem for path in BUILT_IN.glob('*.json'))


def load_landmark_set(name: str) -> LandmarkSet:
    """Load a landmark set.

    Args:
        name: The name of a built-in set, or the path of a JSON table that ends in ``.json``.

    Raises:
        InputError: There is no such set, or the table is not a valid one.
    """
    return _load(name, ())


def landmark_set_from(fields: dict) -> LandmarkSet:
    """A landmark set from its fields as JSON has them, lists for tuples.

    Raises:
        TypeError, ValueError, KeyError: They are not those of a landmark set.
    """
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    landmark_set = LandmarkSet(**frozen | {'lines': tuple((a, b) for a, b in fields['lines'])})
    columns = (landmark_set.abbreviations, landmark_set.names, landmark_set.groups)
    texts = [landmark_set.name, landmark_set.title, *(text for column in columns for text in column)]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError('names of landmarks must be texts')
    count = len(set(landmark_set.abbreviations))
    if any(not isinstance(column, tuple) or len(column) != count for column in columns):
        raise ValueError('each landmark needs an abbreviation of its own, a name and a group')
    if not all(isinstance(end, int) and 0 <= end < count for line in landmark_set.lines for end in line):
        raise ValueError('lines must join landmarks by their positions')
    return landmark_set


def landmark_table(landmark_set: LandmarkSet) -> dict:
    """The JSON table of a set, complete in itself: what a subset takes from another table is written out."""
    rows = zip(landmark_set.abbreviations, landmark_set.names, landmark_set.groups, strict=True)
    return {
        'title': landmark_set.title,
        'landmarks': [{'abbreviation': text, 'name': name, 'group': group} for text, name, group in rows],
        'lines': [[landmark_set.abbreviations[a], landmark_set.abbreviations[b]] for a, b in landmark_set.lines],
    }


def _load(name: str, children: tuple[Path, ...]) -> LandmarkSet:
    """Load a set; ``children`` are the tables that led to it by "subset_of"."""
    path = Path(name) if name.endswith('.json') else BUILT_IN / f'{name}.json'
    if not os.path.exists(path):  # Unlike Path.exists, it takes any name, also one too long.
        known = ', '.join(built_in_landmark_sets())
        raise InputError(f'there is no landmark set {name!r}: use one of {known}, or the path of your own .json table')
    try:
        table = read_json(path)
    except InputError as error:
        raise InputError(f'{path}: not a landmark set: {error}') from None
    if path.resolve() in children:
        raise InputError(f'{path}: is a subset of itself; name another set in "subset_of"')
    return _parse(path, table, (*children, path.resolve()))


def _parse(path: Path, table: object, family: tuple[Path, ...]) -> LandmarkSet:
    if not isinstance(table, dict) or not isinstance(table.get('landmarks'), list) or not table['landmarks']:
        raise InputError(f'{path}: a landmark set is a JSON object with a non-empty list "landmarks"')
    if not isinstance(table.get('title', ''), str) or not isinstance(table.get('lines', []), list):
        raise InputError(f'{path}: "title" must be a text and "lines" a list')
    if 'subset_of' in table:
        parent = _load(_name_of_parent(path, table['subset_of']), family)
        rows = _rows_of_parent(path, table['landmarks'], parent)
        lines = table.get('lines') or _lines_of_parent(rows, parent)
    else:
        rows = table['landmarks']
        lines = table.get('lines', [])
    for row in rows:
        texts = [row.get('abbreviation'), row.get('name'), row.get('group', 'none')] if isinstance(row, dict) else ['']
        if not all(isinstance(text, str) and text for text in texts):
            raise InputError(
                f'{path}: every landmark needs the texts "abbreviation" and "name", and may have a "group", not {row!r}'
            )
    abbreviations = tuple(row['abbreviation'] for row in rows)
    twice = sorted({text for text in abbreviations if abbreviations.count(text) > 1})
    if twice:
        raise InputError(f'{path}: the abbreviation {twice[0]!r} is there more than once; abbreviations must be unique')
    position = {text: index for index, text in enumerate(abbreviations)}
    try:
        pairs = tuple((position[a], position[b]) for a, b in lines)
    except MALFORMED as error:
        raise InputError(f'{path}: "lines" must hold pairs of abbreviations of this set: {error}') from None
    return LandmarkSet(
        name=path.stem,
        title=table.get('title', path.stem),
        names=tuple(row['name'] for row in rows),
        abbreviations=abbreviations,
        groups=tuple(row.get('group', 'landmark') for row in rows),
        lines=pairs,
    )


def _name_of_parent(path: Path, name: object) -> str:
    """A name as it stands; the path of a table seen from the folder of the table that names it."""
    if not isinstance(name, str):
        raise InputError(f'{path}: "subset_of" must be the name of a set or the path of a table, not {name!r}')
    return str(path.parent / name) if name.endswith('.json') else name


def _rows_of_parent(path: Path, chosen: list, parent: LandmarkSet) -> list[dict]:
    unknown = [text for text in chosen if text not in parent.abbreviations]
    if unknown:
        raise InputError(f'{path}: {unknown[0]!r} is not a landmark of the set {parent.name!r}')
    positions = [parent.abbreviations.index(text) for text in chosen]
    return [
        {'abbreviation': text, 'name': parent.names[position], 'group': parent.groups[position]}
        for text, position in zip(chosen, positions, strict=True)
    ]


def _lines_of_parent(rows: list[dict], parent: LandmarkSet) -> list[tuple[str, str]]:
    chosen = {row['abbreviation'] for row in rows}
    lines = [(parent.abbreviations[a], parent.abbreviations[b]) for a, b in parent.lines]
    return [line for line in lines if chosen.issuperset(line)]
