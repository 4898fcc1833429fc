"""CSV files with a header, as spreadsheets and scripts write them: read with a clear message."""

import csv
from dataclasses import dataclass
from pathlib import Path

from cephalometric.errors import InputError


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
        """The position of the first column that has one of the names; None if none has."""
        return next((self.header.index(name) for name in names if name in self.header), None)

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


def read_csv(path: str | Path) -> CsvTable:
    """Read a CSV file: UTF-8, commas, the names of the columns in its first line.

    Raises:
        InputError: The file is missing or unreadable, has no header or a name twice in it, or a row is not as long as
            the header.
    """
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            reader = csv.reader(file)
            table = [(tuple(cell.strip() for cell in row), reader.line_num) for row in reader]
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the path of a CSV file') from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{path}: not a CSV file: {error}; save it as UTF-8 with commas') from None
    table = [(row, line) for row, line in table if any(row)]
    if not table:
        raise InputError(f'{path}: is empty: the first line of a CSV file names its columns')
    (header, _), *table = table
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(f'{path}: the column {twice[0]!r} is there more than once; give each column a name of its own')
    for row, line in table:
        if len(row) != len(header):
            raise InputError(
                f'{path}: line {line} has {len(row)} cells, but the first line names {len(header)} columns; give every '
                'line as many'
            )
    return CsvTable(Path(path), header, tuple(row for row, _ in table), tuple(line for _, line in table))
