"""Landmark sets as data: which landmarks there are, in which order, how they are called and joined in drawings.

A set is one JSON table. Those that come with the package lie in ``landmark_sets/``; a laboratory's own is named by its
path. Nothing else in the project knows how many landmarks there are.
"""

import functools
import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace
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
        definitions: Where each landmark lies, in one line, in the same order; empty texts where nobody said, and no
            texts at all where nobody said of any. Sets that differ in nothing else are the same.
    """

    name: str
    title: str
    names: tuple[str, ...]
    abbreviations: tuple[str, ...]
    groups: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    definitions: tuple[str, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.abbreviations)

    def definition(self, index: int) -> str:
        """Where the landmark at a position lies, in one line; an empty text where nobody said."""
        return self.definitions[index] if self.definitions else ''

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

    One without definitions, as files of earlier versions have it, gets those of the built-in set that it is.

    Raises:
        TypeError, ValueError, KeyError: They are not those of a landmark set.
    """
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    landmark_set = LandmarkSet(**frozen | {'lines': tuple((a, b) for a, b in fields['lines'])})
    columns = [landmark_set.abbreviations, landmark_set.names, landmark_set.groups]
    columns += [landmark_set.definitions] if landmark_set.definitions != () else []
    texts = [landmark_set.name, landmark_set.title, *(text for column in columns for text in column)]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError('names of landmarks must be texts')
    count = len(set(landmark_set.abbreviations))
    if any(not isinstance(column, tuple) or len(column) != count for column in columns):
        raise ValueError('each landmark needs an abbreviation of its own, a name and a group, or also a definition')
    if not all(isinstance(end, int) and 0 <= end < count for line in landmark_set.lines for end in line):
        raise ValueError('lines must join landmarks by their positions')
    return with_known_definitions(landmark_set)


def with_known_definitions(landmark_set: LandmarkSet) -> LandmarkSet:
    """A set without definitions with those of the built-in set of its name, if that has the same landmarks."""
    if landmark_set.definitions or landmark_set.name not in built_in_landmark_sets():
        return landmark_set
    known = load_landmark_set(landmark_set.name)
    same = (known.abbreviations, known.names) == (landmark_set.abbreviations, landmark_set.names)
    return replace(landmark_set, definitions=known.definitions) if same else landmark_set


def landmark_table(landmark_set: LandmarkSet) -> dict:
    """The JSON table of a set, complete in itself: what it takes from another table is written out."""
    return {
        'title': landmark_set.title,
        'landmarks': [_row(landmark_set, position) for position in range(len(landmark_set))],
        'lines': [[landmark_set.abbreviations[a], landmark_set.abbreviations[b]] for a, b in landmark_set.lines],
    }


def _row(landmark_set: LandmarkSet, position: int) -> dict:
    """What a table says of a landmark."""
    row = {
        'abbreviation': landmark_set.abbreviations[position],
        'name': landmark_set.names[position],
        'group': landmark_set.groups[position],
    }
    definition = landmark_set.definition(position)
    return row | {'definition': definition} if definition else row


def _load(name: str, children: tuple[Path, ...]) -> LandmarkSet:
    """Load a set; ``children`` are the tables that led to it by "subset_of" or "based_on"."""
    path = Path(name) if name.endswith('.json') else BUILT_IN / f'{name}.json'
    if not os.path.exists(path):  # Unlike Path.exists, it takes any name, also one too long.
        known = ', '.join(built_in_landmark_sets())
        raise InputError(f'there is no landmark set {name!r}: use one of {known}, or the path of your own .json table')
    try:
        table = read_json(path)
    except InputError as error:
        raise InputError(f'{path}: not a landmark set: {error}') from None
    if path.resolve() in children:
        raise InputError(f'{path}: is a subset of itself; name another set in "subset_of" or "based_on"')
    return _parse(path, table, (*children, path.resolve()))


def _parse(path: Path, table: object, family: tuple[Path, ...]) -> LandmarkSet:
    if not isinstance(table, dict) or not isinstance(table.get('landmarks'), list) or not table['landmarks']:
        raise InputError(f'{path}: a landmark set is a JSON object with a non-empty list "landmarks"')
    if not isinstance(table.get('title', ''), str) or not isinstance(table.get('lines', []), list):
        raise InputError(f'{path}: "title" must be a text and "lines" a list')
    parents = [key for key in ('subset_of', 'based_on') if key in table]
    if len(parents) > 1:
        raise InputError(f'{path}: has "subset_of" and "based_on": leave one of them')
    rows, lines = table['landmarks'], table.get('lines', [])
    if parents:
        parent = _load(_name_of_parent(path, parents[0], table[parents[0]]), family)
        rows = _rows_of_parent(path, rows, parent, own_ones=parents[0] == 'based_on')
    for row in rows:
        _check_row(path, row)
    if parents:
        lines = lines or _lines_of_parent(rows, parent)
    abbreviations = tuple(row['abbreviation'] for row in rows)
    twice = sorted({text for text in abbreviations if abbreviations.count(text) > 1})
    if twice:
        raise InputError(f'{path}: the abbreviation {twice[0]!r} is there more than once; abbreviations must be unique')
    position = {text: index for index, text in enumerate(abbreviations)}
    try:
        pairs = tuple((position[a], position[b]) for a, b in lines)
    except MALFORMED as error:
        raise InputError(f'{path}: "lines" must hold pairs of abbreviations of this set: {error}') from None
    definitions = tuple(row.get('definition', '').strip() for row in rows)
    return LandmarkSet(
        name=path.stem,
        title=table.get('title', path.stem),
        names=tuple(row['name'] for row in rows),
        abbreviations=abbreviations,
        groups=tuple(row.get('group', 'landmark') for row in rows),
        lines=pairs,
        definitions=definitions if any(definitions) else (),
    )


def _check_row(path: Path, row: object) -> None:
    texts = [row.get('abbreviation'), row.get('name'), row.get('group', 'none')] if isinstance(row, dict) else ['']
    if not all(isinstance(text, str) and text for text in texts):
        raise InputError(
            f'{path}: every landmark needs the texts "abbreviation" and "name", and may have a "group" and a '
            f'"definition", not {row!r}'
        )
    definition = row.get('definition', '')
    if not isinstance(definition, str) or len(definition.splitlines()) > 1:
        raise InputError(f'{path}: the "definition" of {row["abbreviation"]} must be a text of one line')


def _name_of_parent(path: Path, key: str, name: object) -> str:
    """A name as it stands; the path of a table seen from the folder of the table that names it."""
    if not isinstance(name, str):
        raise InputError(f'{path}: "{key}" must be the name of a set or the path of a table, not {name!r}')
    return str(path.parent / name) if name.endswith('.json') else name


def _rows_of_parent(path: Path, chosen: list, parent: LandmarkSet, own_ones: bool) -> list[dict]:
    """The rows of a set, those of another for their abbreviations; rows of its own as they are, if it may have some."""
    unknown = [row for row in chosen if row not in parent.abbreviations and not (own_ones and isinstance(row, dict))]
    if unknown:
        raise InputError(f'{path}: {unknown[0]!r} is not a landmark of the set {parent.name!r}')
    return [row if isinstance(row, dict) else _row(parent, parent.abbreviations.index(row)) for row in chosen]


def _lines_of_parent(rows: list[dict], parent: LandmarkSet) -> list[tuple[str, str]]:
    chosen = {row['abbreviation'] for row in rows}
    lines = [(parent.abbreviations[a], parent.abbreviations[b]) for a, b in parent.lines]
    return [line for line in lines if chosen.issuperset(line)]
