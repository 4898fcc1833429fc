"""Training curves as a table and a picture."""

import csv
from pathlib import Path

import matplotlib

matplotlib.use('Agg')  # Pictures go to files; a display may not exist.
from matplotlib import pyplot

from cephalometric.formats.atomic import atomic_write

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
        if finished_epochs and self.table.is_file():
            self._read(finished_epochs)

    def add(self, epoch: int, **values: float) -> None:
        """Note values of an epoch, counted from 1, under the names of ``COLUMNS``."""
        self.rows.setdefault(epoch, {}).update({name: values[name] for name in COLUMNS if name in values})

    def write(self) -> None:
        """Write table and picture, each whole or not at all."""
        with atomic_write(self.table) as partial, open(partial, 'w', newline='') as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({'epoch': epoch, **row} for epoch, row in sorted(self.rows.items()))
        figure = self._draw()
        with atomic_write(self.picture) as partial:
            figure.savefig(partial, format='png', dpi=120)
        pyplot.close(figure)

    def _read(self, finished_epochs: int) -> None:
        with open(self.table, newline='') as file:
            for row in csv.DictReader(file):
                epoch = int(row.pop('epoch'))
                if epoch <= finished_epochs:
                    self.add(epoch, **{name: float(text) for name, text in row.items() if text})

    def _series(self, name: str) -> tuple[list[int], list[float]]:
        points = [(epoch, row[name]) for epoch, row in sorted(self.rows.items()) if name in row]
        return [epoch for epoch, _ in points], [value for _, value in points]

    def _draw(self) -> pyplot.Figure:
        figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(13, 4), layout='constrained')
        left.plot(*self._series('loss'), color='tab:blue')
        left.set(title='Training loss', xlabel='epoch')
        middle.plot(*self._series('MRE'), color='tab:red', marker='.')
        # The first epochs' errors are tens of times the last ones'.
        middle.set(title='Validation MRE (mm)', xlabel='epoch', yscale='log')
        middle.yaxis.set_major_formatter('{x:g}')
        middle.yaxis.set_minor_formatter('{x:g}')
        for name in COLUMNS:
            if name.startswith('SDR'):
                right.plot(*self._series(name), marker='.', label=name)
        right.set(title='Validation SDR (%)', xlabel='epoch', ylim=(0, 100))
        right.legend(loc='lower right', frameon=False)
        for axis in (left, middle, right):
            axis.grid(alpha=0.3)
        return figure
