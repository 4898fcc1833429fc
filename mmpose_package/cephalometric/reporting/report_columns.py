"""What a table of a report is: columns and rows once, as they read on the page and in a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from markupsafe import Markup

from cephalometric.csv_files import write_csv
from cephalometric.reporting.number_words import UNITS, format_number
from cephalometric.statistics import Interval

Cell = str | int | float | Interval
LARGE_CHANGE = 0.5
"""A change of this many millimetres, degrees or percent is coloured, whether or not chance may explain it."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading.
        digits: How many decimals its numbers have.
        help: An explanation.
        interval: Whether its cells are intervals.
        is_p_value: Whether its numbers are p-values.
        worst: Which of its numbers are the worst: 'high', 'low', or 'far' from zero; empty where none is.
        run: The run that it belongs to, where a table holds several.
        rank: How soon it gives way on a page that is too narrow for all columns of all runs: low ones stay.
        on_page: Whether the page shows it; the CSV file holds all columns.
        brief: Whether the page shows an interval's estimate alone.
        is_change: Whether its numbers are changes, where above zero is worse.
    """

    title: str
    digits: int = 0
    help: str = ''
    interval: bool = False
    is_p_value: bool = False
    worst: str = ''
    run: str = ''
    rank: int = 0
    on_page: bool = True
    brief: bool = False
    is_change: bool = False

    @property
    def full_title(self) -> str:
        """The heading with the run's name."""
        return f'{self.run}: {self.title}' if self.run else self.title


@dataclass(frozen=True)
class Table:
    """A table under a name that serves as the stem of its CSV file.

    Attributes:
        name: Of the table.
        columns: Those that say what a row is come first.
        rows: As many cells as there are columns.
        worst: The full title of the column whose worst rows a folded table shows; empty: it is not folded.
        bad: For each row whether it is coloured; empty: none is.
        bad_means: What a coloured row is, in words.
        file: The CSV file that holds it; by default that of its own name.
        row_help: What the page says of a row to those who point at its first cell; empty: nothing.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    worst: str = ''
    bad: tuple[bool, ...] = ()
    bad_means: str = ''
    file: str = ''
    row_help: tuple[str, ...] = ()

    @property
    def csv_name(self) -> str:
        """The name of the CSV file that holds it."""
        return self.file or f'{self.name}.csv'

    @property
    def shown(self) -> list[int]:
        """The positions of the columns that the page shows."""
        return [place for place, column in enumerate(self.columns) if column.on_page]

    @property
    def compares(self) -> bool:
        """Whether the page shows differences of runs."""
        return any(self.columns[place].is_change for place in self.shown)

    @property
    def headings(self) -> list[tuple[str, int]]:
        """The names of runs over the columns of the page, each with how many it spans; empty names over the labels."""
        runs = groupby(self.columns[place].run for place in self.shown)
        return [(run, sum(1 for _ in columns)) for run, columns in runs]

    def more_digits(self, row: int) -> int:
        """How many decimals more than its columns say a row has: ratios are small numbers."""
        places = [place for place, column in enumerate(self.columns) if column.title == 'unit']
        return int(any(self.rows[row][place] == 'ratio' for place in places))

    def is_bad(self, row: int) -> bool:
        """Whether a row is coloured."""
        return bool(self.bad) and self.bad[row]


def number_of(cell: Cell) -> float:
    """A cell's number, or an interval's estimate; NaN for words."""
    return np.nan if isinstance(cell, str) else float(cell.estimate if isinstance(cell, Interval) else cell)


def beyond(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], title: str, limit: float) -> tuple[bool, ...]:
    """For each row whether a number under a heading is above a limit or below its negative, in any run."""
    places = [place for place, column in enumerate(columns) if column.title == title]
    return tuple(any(abs(number_of(row[place])) > limit for place in places) for row in rows)


def write_table(table: Table, path: Path) -> None:
    """Write a table as CSV: plain numbers, an interval as three columns, nothing where there is NaN."""
    titles = [title for column in table.columns for title in _csv_titles(column)]
    rows = (zip(table.columns, row, strict=True) for row in table.rows)
    write_csv(path, [titles, *([value for column, cell in row for value in _csv(column, cell)] for row in rows)])


def _csv_titles(column: Column) -> list[str]:
    ends = [f'{column.full_title} (95% CI {end})' for end in ('low', 'high')]
    return [column.full_title, *ends] if column.interval else [column.full_title]


def _csv(column: Column, cell: Cell) -> list[str | int | float]:
    values = [cell.estimate, cell.low, cell.high] if isinstance(cell, Interval) else [cell]
    return [
        value if isinstance(value, (str, int)) else '' if np.isnan(value) else round(value, column.digits + 2)
        for value in values
    ]


def cell_text(cell: Cell, column: Column, more_digits: int = 0) -> str:
    """A cell as the page shows it; changes have their sign."""
    if isinstance(cell, str):
        return UNITS.get(cell, cell) if column.title == 'unit' else cell
    if column.is_p_value and cell < 0.001:
        return '<\u202f0.001'
    digits = column.digits if isinstance(cell, int) or '%' in column.title else column.digits + more_digits
    text = format_number(number_of(cell), digits)
    if column.is_change and number_of(cell) > 0:
        text = f'+{text}'
    if not isinstance(cell, Interval) or column.brief or np.isnan(cell.estimate):
        return text
    ends = (format_number(end, digits) for end in (cell.low, cell.high))
    return Markup('{} <small>({} to {})</small>').format(text, *ends)


def cell_class(cell: Cell, column: Column) -> str:
    """How the page marks a cell: words, or a change that is large or that chance hardly explains."""
    if isinstance(cell, str):
        return 'text'
    if not column.is_change:
        return ''
    change = number_of(cell)
    low, high = (cell.low, cell.high) if isinstance(cell, Interval) else (np.nan, np.nan)
    if change >= LARGE_CHANGE or low > 0:
        return 'worse'
    return 'better' if change <= -LARGE_CHANGE or high < 0 else ''


def sort_value(cell: Cell) -> str:
    """What the page sorts a cell by: words or a number, nothing for NaN."""
    if isinstance(cell, str):
        return cell
    number = number_of(cell)
    return '' if np.isnan(number) else repr(number)
