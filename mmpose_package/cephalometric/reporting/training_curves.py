"""Training curves as a table and a picture."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from cephalometric.files import atomic_write
from cephalometric.reporting.figures import INK, as_png, new_axes

COLUMNS = ('epoch', 'learning_rate', 'loss', 'MRE', 'SDR 2.0mm', 'SDR 2.5mm', 'SDR 3.0mm', 'SDR 4.0mm')


class Curves:
    """One row an epoch: learning rate, mean training loss and, where the epoch was validated, MRE (mm) and SDR (%).

    Args:
        folder: Where ``curves.csv`` and ``curves.png`` lie.
        finished_epochs: How many epochs of an earlier, resumed run count; rows of later ones are dropped, because those
            epochs are trained again.
    """

    def __init__(self, folder: Path, finished_epochs: int = 0) -> None:
        self.table = folder / 'curves.csv'
        self.picture = folder / 'curves.png'
        self.rows: dict[int, dict[str, float]] = {}
        if finished_epochs:
            for row in read_curves(self.table):
                epoch = int(row.pop('epoch'))
                if epoch <= finished_epochs:
                    self.add(epoch, **row)

    def add(self, epoch: int, **values: float) -> None:
        """Note values of an epoch, counted from 1, under the names of ``COLUMNS``."""
        self.rows.setdefault(epoch, {}).update({name: values[name] for name in COLUMNS if name in values})

    def write_table(self) -> None:
        """Write the table, whole or not at all."""
        with atomic_write(self.table) as partial, open(partial, 'w', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self._sorted_rows())

    def draw(self) -> None:
        """Write the picture, whole or not at all."""
        with atomic_write(self.picture) as partial:
            partial.write_bytes(as_png(draw_curves(self._sorted_rows())))

    def _sorted_rows(self) -> list[dict[str, float]]:
        return [{'epoch': epoch, **row} for epoch, row in sorted(self.rows.items())]


def read_curves(path: Path) -> list[dict[str, float]]:
    """The rows of a ``curves.csv``, without the values that an epoch does not have; none when there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline='', encoding='utf-8') as file:
        return [{name: float(text) for name, text in row.items() if text} for row in csv.DictReader(file)]


def draw_curves(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Loss, MRE and SDR over the epochs; ``rows`` as :func:`read_curves` returns them."""
    figure, (left, middle, right) = new_axes(12, 3.8, columns=3)
    left.plot(*_series(rows, 'loss'), color='tab:blue')
    left.set(title='Training loss', xlabel='epoch')
    middle.plot(*_series(rows, 'MRE'), color='tab:red', marker='.')
    # The first epochs' errors are tens of times the last ones'.
    middle.set(title='Validation MRE (mm)', xlabel='epoch', yscale='log')
    middle.yaxis.set_major_formatter('{x:g}')
    middle.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    middle.yaxis.set_minor_formatter('{x:g}')
    for name in COLUMNS:
        if name.startswith('SDR'):
            right.plot(*_series(rows, name), marker='.', label=name)
    right.set(title='Validation SDR (%)', xlabel='epoch', ylim=(0, 100))
    right.legend(loc='lower right', frameon=False, labelcolor=INK)
    return figure


def _series(rows: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    points = [(row['epoch'], row[name]) for row in rows if name in row]
    return [epoch for epoch, _ in points], [value for _, value in points]
