"""Which X-rays belong together, such as those of one patient: by a column of a table, or by a pattern in file names.

What the X-rays of one patient have in common is no news to a model that has seen one of them: an error measured on the
others would be too small. So no group is split between training, validation and test.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from cephalometric.annotations.csv_labels import IMAGE_COLUMNS
from cephalometric.csv_files import read_csv
from cephalometric.errors import InputError, Problems
from cephalometric.preparation.sources import LabelledXrays

GROUP, SPLIT_BY = '--group', '--split-by'
"""The flags that take such words: for what stays together, and for the part that an image is in."""


def check_grouping(words: Sequence[str], flag: str = GROUP) -> None:
    """Whether words name groups: one pattern, or a table and one of its columns.

    Args:
        words: The pattern, or the table and the column.
        flag: Where they come from, for messages.

    Raises:
        InputError: They do not, or the pattern is not one.
    """
    if len(words) == 1:
        _pattern(words[0], flag)
    elif len(words) != 2:
        raise InputError(
            f'{flag}: {len(words)} words: give a pattern, or a CSV file and one of its columns; quote what has spaces'
        )


def read_groups(words: Sequence[str], xrays: LabelledXrays, problems: Problems, flag: str = GROUP) -> list[str]:
    r"""The name of the group of each X-ray.

    Args:
        words: A pattern that is searched in the names of the files, with the folders below their common one: the group
            is what its parentheses hold, or, without any, all that it fits, as ``patient\d+``. Or the path of a CSV
            file and one of its columns; the image is in its column ``image`` or ``image file``, else in its first one.
        xrays: The X-rays.
        problems: Takes X-rays without a group or with several, and rows that fit several X-rays. Rows of other images
            are passed over.
        flag: Where the words come from, for messages.

    Raises:
        InputError: The words are not such, or the table is not usable.
    """
    check_grouping(words, flag)
    if len(words) == 1:
        found = _by_pattern(words[0], xrays, flag)
    else:
        found = _by_table(Path(words[0]), words[1], xrays, problems, flag)
    for entry, names in zip(xrays.entries, found, strict=True):
        if len(names) > 1:
            problems.add(f'{xrays.noun}s in several groups by {flag}', entry.place, ', '.join(sorted(names)))
        elif not names:
            kind = 'whose names the pattern does not fit' if len(words) == 1 else 'without a group in the table'
            problems.add(f'{xrays.noun}s {kind} ({flag} {" ".join(words)})', entry.place)
    return [min(names, default='') for names in found]


def _pattern(text: str, flag: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        remedy = f'; a table needs its column too: {flag} {text} COLUMN' if Path(text).is_file() else ''
        raise InputError(f'{flag} {text}: not a regular expression: {error}{remedy}') from None


def _by_pattern(text: str, xrays: LabelledXrays, flag: str) -> list[set[str]]:
    pattern = _pattern(text, flag)
    if any(entry.original_file is None for entry in xrays.entries):
        raise InputError(f'{flag} {text}: slices of a stack have no names: give a table whose images are their numbers')
    if Path(text).is_file():
        raise InputError(f'{flag} {text}: name the column too, as in {flag} {text} patient')
    fits = [pattern.search(entry.original_file) for entry in xrays.entries]
    names = ['' if fit is None else '/'.join(part or '' for part in fit.groups() or [fit.group()]) for fit in fits]
    return [{name} if name.strip('/') else set() for name in names]


def _by_table(path: Path, column: str, xrays: LabelledXrays, problems: Problems, flag: str) -> list[set[str]]:
    table = read_csv(path)
    group, image = table.column(column), table.find_column(*IMAGE_COLUMNS)
    image = 0 if image is None else image
    if group == image:
        raise InputError(
            f'{flag}: the column {table.header[group]!r} of {path} is the one of the images: name another, or call the '
            'one of the images "image"'
        )
    found: list[set[str]] = [set() for _ in xrays.entries]
    for row in table.rows:
        positions = xrays.find(row[image], path.parent)
        if len(positions) > 1:
            problems.add(f'rows of {path} that fit several {xrays.noun}s (write their whole paths)', row[image])
        elif positions and row[group]:
            found[positions[0]].add(row[group])
    return found
