"""CSV files with a header, as spreadsheets and scripts write them: read with a clear message, written safely.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end for a formula. What is
written here has an apostrophe before such a text, as OWASP advises for "CSV injection"; what is read loses it again.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from cephalometric.errors import InputError
from cephalometric.files import atomic_write, read_text

NUMBER = re.compile(r'[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?')
"""A number as files write it. Python reads more: underscores, digits of other scripts, nan and inf."""
_FORMULA = re.compile(r"'*\s*[=+\-@\uff0b\uff0d\uff1d\uff20]|'*\s*[\t\r\n]")
_DECIMAL_COMMA = re.compile(r'[+-]?[0-9]+,[0-9]+')
_PERHAPS_THOUSANDS = re.compile(r'[+-]?[1-9][0-9]?,[0-9]{3}')
_SEPARATORS = ',;\t'


@dataclass(frozen=True)
class CsvTable:
    """The cells of a CSV file, without spaces around them.

    Attributes:
        path: The file.
        header: The names of the columns, each there once.
        rows: The rows that are not empty, each as long as the header.
        lines: The line of the file in which each row ends, from 1.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def find_column(self, *names: str) -> int | None:
        """The position of the first column that has one of the names, then of one that differs in case; or None."""
        for name in names:
            if name in self.header:
                return self.header.index(name)
        folded = [name.casefold() for name in self.header]
        return next((folded.index(name) for name in map(str.casefold, names) if folded.count(name) == 1), None)

    def column(self, *names: str) -> int:
        """The position of the first column that has one of the names.

        Raises:
            InputError: None has.
        """
        position = self.find_column(*names)
        if position is None:
            wanted, found = ' or '.join(map(repr, names)), ', '.join(self.header)
            raise InputError(f'{self.path}: there is no column {wanted}; the columns are {found[:200]}')
        return position

    def with_decimal_points(self, columns: Iterable[int | None]) -> 'CsvTable':
        """The table with a point for the decimal comma in some of its columns; None is passed over.

        Raises:
            InputError: Points and commas are both used, or all commas may as well be those of thousands.
        """
        chosen = {column for column in columns if column is not None}
        cells = [(row[column], line) for row, line in zip(self.rows, self.lines, strict=True) for column in chosen]
        commas = [(cell, line) for cell, line in cells if _DECIMAL_COMMA.fullmatch(cell)]
        if not commas:
            return self
        cell, line = commas[0]
        point = next((other for other, _ in cells if '.' in other and NUMBER.fullmatch(other)), None)
        if point is not None:
            raise InputError(
                f'{self.path}, line {line}: {cell} has a comma, but {point} a point: write all numbers with a point'
            )
        if all(_PERHAPS_THOUSANDS.fullmatch(cell) for cell, _ in commas):
            raise InputError(
                f'{self.path}, line {line}: {cell} may be {cell.replace(",", "")} or {cell.replace(",", ".")}: write '
                'numbers with a decimal point and without a separator of thousands'
            )
        rows = [
            tuple(_with_point(cell) if column in chosen else cell for column, cell in enumerate(row))
            for row in self.rows
        ]
        return replace(self, rows=tuple(rows))


def _with_point(cell: str) -> str:
    return cell.replace(',', '.') if _DECIMAL_COMMA.fullmatch(cell) else cell


def read_csv(path: str | Path) -> CsvTable:
    """Read a CSV file whose first line names the columns.

    It may be separated by commas, semicolons or tabs, may say so in a line ``sep=;`` before the names, and may be in
    UTF-8 or UTF-16.

    Raises:
        InputError: The file is missing or unreadable, has no header or a name twice in it, or a row is not as long as
            the header.
    """
    text = read_text(path)
    said, text = _said_separator(text)
    try:
        if said is not None:
            table = _parsed(text, said)
        else:
            tables = [table for one in _SEPARATORS if (table := _parsed_or_none(text, one))]
            table = _most_likely(tables) or _parsed(text, ',')
    except csv.Error as error:
        raise InputError(f'{path}: not a CSV file: {error}; save it as CSV UTF-8 with commas') from None
    if not table:
        raise InputError(f'{path}: is empty: the first line of a CSV file names its columns')
    (header, _), *table = table
    table = [(row, line + (said is not None)) for row, line in table]
    twice = sorted(name for name, count in Counter(header).items() if name and count > 1)
    if twice:
        raise InputError(f'{path}: the column {twice[0]!r} is there more than once; give each column a name of its own')
    for row, line in table:
        if len(row) != len(header):
            raise InputError(
                f'{path}: line {line} has {len(row)} cells, but the first line names {len(header)} columns; give every '
                'line as many'
            )
    return CsvTable(Path(path), header, tuple(row for row, _ in table), tuple(line for _, line in table))


_Rows = list[tuple[tuple[str, ...], int]]


def _said_separator(text: str) -> tuple[str | None, str]:
    """The separator that a first line ``sep=;`` names, as Excel writes and reads it, and the text after that line."""
    said = re.match(r'"?sep=([,;\t|])"?[,;\t]*(\r\n|\r|\n|$)', text, re.IGNORECASE)
    return (said.group(1), text[said.end() :]) if said else (None, text)


def _parsed(text: str, separator: str) -> _Rows:
    """The rows that are not empty, and the lines in which they end."""
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True)
    rows = [(tuple(_without_guard(cell.strip()) for cell in row), reader.line_num) for row in reader]
    return [(row, line) for row, line in rows if any(row)]


def _parsed_or_none(text: str, separator: str) -> _Rows | None:
    try:
        return _parsed(text, separator)
    except csv.Error:
        return None


def _most_likely(tables: Sequence[_Rows]) -> _Rows | None:
    """The table that has named columns, and rows as long as its header; the first of several."""
    several = [table for table in tables if len(table[0][0]) > 1 and any(table[0][0])]
    even = [table for table in several if all(len(row) == len(table[0][0]) for row, _ in table)]
    return next(iter([*even, *several]), None)


def write_csv(path: str | Path, rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file, whole or not at all: UTF-8, commas, no cell that a spreadsheet takes for a formula.

    Args:
        path: The file.
        rows: The cells of each row, the names of the columns first; texts, numbers, or None for an empty cell.

    Raises:
        InputError: The file cannot be written.
    """
    with atomic_write(path) as partial, _open(partial) as file:
        csv.writer(file).writerows([_guarded(cell) for cell in row] for row in rows)


def _open(path: Path) -> TextIO:
    # A name of a file that is not UTF-8 must not cost the whole table.
    return open(path, 'w', newline='', encoding='utf-8', errors='backslashreplace')


class CsvSpool:
    """A CSV file whose columns are known at its end: those that are used. Its rows wait in a hidden file beside it.

    Args:
        path: The file that :meth:`finish` writes.
        names: All columns.
        optional: Those that are left out if no row has a text for them.
    """

    def __init__(self, path: str | Path, names: Sequence[str], optional: Collection[str]) -> None:
        self._path, self._names = Path(path), tuple(names)
        self._used = set(names) - set(optional)
        self._waiting = self._path.with_name(f'.{self._path.name}.rows')
        self._file = _open(self._waiting)
        self._writer = csv.writer(self._file)

    def add(self, row: Mapping[str, object]) -> None:
        """Add a row: texts or numbers by the columns' names."""
        cells = [row.get(name, '') for name in self._names]
        self._writer.writerow(map(_guarded, cells))
        if len(self._used) < len(self._names):
            self._used.update(name for name, cell in zip(self._names, cells, strict=True) if cell not in ('', None))

    def finish(self) -> None:
        """Write the file, whole or not at all, and remove the hidden one.

        Raises:
            InputError: The file cannot be written.
        """
        self._file.close()
        places = [n for n, name in enumerate(self._names) if name in self._used]
        with (
            open(self._waiting, newline='', encoding='utf-8') as rows,
            atomic_write(self._path) as partial,
            _open(partial) as file,
        ):
            writer = csv.writer(file)
            writer.writerow(_guarded(self._names[n]) for n in places)
            writer.writerows([row[n] for n in places] for row in csv.reader(rows))
        self.close()

    def close(self) -> None:
        """Remove the hidden file."""
        self._file.close()
        self._waiting.unlink(missing_ok=True)


def _guarded(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula. Numbers are none, also as texts."""
    if not isinstance(cell, str) or NUMBER.fullmatch(cell) or not _FORMULA.match(cell):
        return cell
    return f"'{cell}"


def _without_guard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
