"""The tables of the report: numbers once, for the page and for CSV files.

Every table has columns that say what a row is, and then the same columns for each run; with several runs, each later
run is also compared with the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cephalometric.csv_files import write_csv
from cephalometric.measurements import analyses_for, analysis_agreement, measurement_errors, measurements_for
from cephalometric.reporting.runs import Run, image_name, image_sources, later_runs, later_runs_per_landmark
from cephalometric.results.evaluation import Evaluation
from cephalometric.scores import THRESHOLDS_MM, Scores, score
from cephalometric.statistics import (
    Bias,
    CalibrationCheck,
    Interval,
    bias_per_landmark,
    bootstrap_mean,
    detection_rate,
)

Cell = str | int | float | Interval


@dataclass(frozen=True)
class Column:
    """A column: its heading, how many decimals its numbers have, an explanation, and what its numbers are."""

    title: str
    digits: int = 0
    help: str = ''
    interval: bool = False
    is_p_value: bool = False


@dataclass(frozen=True)
class Table:
    """A table under a name that serves as the stem of its CSV file."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def write_table(table: Table, path: Path) -> None:
    """Write a table as CSV: plain numbers, an interval as three columns, nothing where there is NaN."""
    titles = [title for column in table.columns for title in _csv_titles(column)]
    rows = (zip(table.columns, row, strict=True) for row in table.rows)
    write_csv(path, [titles, *([value for column, cell in row for value in _csv(column, cell)] for row in rows)])


def _csv_titles(column: Column) -> list[str]:
    ends = [f'{column.title} (95% CI {end})' for end in ('low', 'high')]
    return [column.title, *ends] if column.interval else [column.title]


def _csv(column: Column, cell: Cell) -> list[str | int | float]:
    values = [cell.estimate, cell.low, cell.high] if isinstance(cell, Interval) else [cell]
    return [
        value if isinstance(value, (str, int)) else '' if np.isnan(value) else round(value, column.digits + 2)
        for value in values
    ]


MRE = Column('MRE (mm)', 2, 'mean radial error: the mean distance between prediction and truth', interval=True)
MEDIAN = Column('median (mm)', 2, 'half of the distances are smaller')
SPREAD = Column('SD (mm)', 2, 'standard deviation of the distances')
RATES = tuple(
    Column(f'SDR {limit:g} mm (%)', 1, f'share of landmarks at most {limit:g} mm off') for limit in THRESHOLDS_MM
)
DIFFERENCE = Column('difference (mm)', 2, 'MRE of this run minus that of the first: below 0 is better', interval=True)
P_VALUE = Column('p', 4, 'of the test that there is no difference; below 0.05 is taken as a real one', is_p_value=True)


def _titled(run: Run, runs: Sequence[Run], column: Column) -> Column:
    """The column of one run, under its name where there are several."""
    return replace(column, title=f'{run.name}: {column.title}') if len(runs) > 1 else column


def _table(
    name: str,
    label_columns: Sequence[Column],
    labels: Sequence[Sequence[Cell]],
    runs: Sequence[Run],
    columns: Sequence[Column],
    cells: Callable[[Evaluation], Sequence[Sequence[Cell]]],
) -> Table:
    """Labels and, for each column, the cells of one run beside those of the next."""
    blocks = [cells(run.evaluation) for run in runs]
    places = range(len(columns))
    return Table(
        name,
        (*label_columns, *(_titled(run, runs, column) for column in columns for run in runs)),
        tuple(
            (*label, *(block[row][place] for place in places for block in blocks)) for row, label in enumerate(labels)
        ),
    )


def headline(runs: Sequence[Run]) -> Table:
    """One row a run: all landmarks of all images."""
    rates = tuple(replace(rate, interval=True) for rate in RATES)
    return Table(
        'headline',
        (Column('run'), Column('images'), Column('landmarks'), MRE, SPREAD, MEDIAN, *rates),
        tuple(_headline_row(run) for run in runs),
    )


def _headline_row(run: Run) -> tuple[Cell, ...]:
    errors_mm = run.evaluation.errors_mm
    scores = run.evaluation.overall()
    rates = (detection_rate(errors_mm, threshold) for threshold in THRESHOLDS_MM)
    return (run.name, len(errors_mm), scores.count, bootstrap_mean(errors_mm), scores.sd_mm, scores.median_mm, *rates)


def comparison(runs: Sequence[Run]) -> Table:
    """One row a later run: its difference from the first."""
    rows = tuple((name, pair.difference_mm, pair.p_value) for name, pair in later_runs(runs))
    return Table('comparison', (Column(f'compared with {runs[0].name}'), DIFFERENCE, P_VALUE), rows)


def comparison_per_landmark(runs: Sequence[Run]) -> Table:
    """One row a landmark: each later run's difference from the first."""
    compared = later_runs_per_landmark(runs)
    columns = [_titled(run, runs, column) for run in runs[1:] for column in (DIFFERENCE, P_VALUE)]
    rows = [
        (*label, *(cell for _, pairs in compared for cell in (pairs[row].difference_mm, pairs[row].p_value)))
        for row, label in enumerate(_landmark_labels(runs))
    ]
    return Table('comparison_per_landmark', (*_LANDMARK, *columns), tuple(rows))


_LANDMARK = (Column('landmark'), Column('name'))


def _landmark_labels(runs: Sequence[Run]) -> list[tuple[str, str]]:
    landmarks = runs[0].evaluation.landmarks
    return list(zip(landmarks.abbreviations, landmarks.names, strict=True))


def per_landmark(runs: Sequence[Run]) -> Table:
    """One row a landmark: its error and its detection rates."""
    columns = (MRE, SPREAD, MEDIAN, *RATES, Column('images'))
    return _table('per_landmark', _LANDMARK, _landmark_labels(runs), runs, columns, _landmark_cells)


def _landmark_cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    return [
        (bootstrap_mean(errors_mm), *_score_cells(scores), scores.count)
        for scores, errors_mm in zip(evaluation.per_landmark(), evaluation.errors_mm.T, strict=True)
    ]


def _score_cells(scores: Scores) -> tuple[float, ...]:
    return (scores.sd_mm, scores.median_mm, *(scores.sdr_percent[threshold] for threshold in THRESHOLDS_MM))


def bias(runs: Sequence[Run]) -> Table:
    """One row a landmark: its systematic shift, and whether it is more than noise."""
    columns = (
        Column('dx (mm)', 2, 'mean shift; above 0 forward, to the right of the X-ray'),
        Column('dy (mm)', 2, 'mean shift; above 0 downwards'),
        Column('shift (mm)', 2, 'length of the mean shift'),
        Column('scatter (mm)', 2, 'root mean square distance of the predictions from their own mean'),
        Column('p', 4, 'of the test that there is no shift, corrected for the number of landmarks', is_p_value=True),
        Column('verdict'),
    )

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        return [_bias_cells(one) for one in bias_per_landmark(evaluation.differences_mm)]

    return _table('bias', _LANDMARK, _landmark_labels(runs), runs, columns, cells)


def _bias_cells(one: Bias) -> tuple[Cell, ...]:
    scatter = float(np.sqrt(np.trace(one.covariance_mm2)))
    return (float(one.mean_mm[0]), float(one.mean_mm[1]), one.length_mm, scatter, one.p_value, _verdict(one))


def _verdict(one: Bias) -> str:
    if np.isnan(one.p_value):
        return 'too few images'
    if one.is_constant:
        return 'constant shift'
    return 'systematic' if one.p_value < 0.05 else 'not shown'


def per_image(runs: Sequence[Run]) -> Table:
    """One row an image: its error and its worst landmark."""
    first = runs[0].evaluation
    labels = [(image_name(image), image.spacing_mm, f'{image.width} × {image.height}') for image in first.images]
    label_columns = (Column('image'), Column('spacing (mm)', 4, 'millimetres per pixel'), Column('pixels'))
    columns = (
        Column('MRE (mm)', 2, MRE.help),
        Column('SDR 2 mm (%)', 1, RATES[0].help),
        Column('worst landmark'),
        Column('its error (mm)', 2),
    )

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        return [
            (scores.mre_mm, scores.sdr_percent[THRESHOLDS_MM[0]], *_worst_landmark(evaluation, n))
            for n, scores in enumerate(evaluation.per_image())
        ]

    return _table('per_image', label_columns, labels, runs, columns, cells)


def _worst_landmark(evaluation: Evaluation, n: int) -> tuple[str, float]:
    errors_mm = evaluation.errors_mm[n]
    if not np.isfinite(errors_mm).any():
        return '', np.nan
    worst = int(np.nanargmax(errors_mm))
    return evaluation.landmarks.abbreviations[worst], float(errors_mm[worst])


def per_source(runs: Sequence[Run]) -> Table:
    """One row a source of images: its error."""
    sources = image_sources(runs[0].evaluation)
    groups = {name: [n for n, source in enumerate(sources) if source == name] for name in sorted(set(sources))}

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        parts = [evaluation.errors_mm[group] for group in groups.values()]
        return [(bootstrap_mean(part), *_score_cells(score(part, np.isfinite(part)))) for part in parts]

    labels = [(name, len(group)) for name, group in groups.items()]
    columns = (MRE, SPREAD, MEDIAN, *RATES)
    return _table('per_source', (Column('spacing and size'), Column('images')), labels, runs, columns, cells)


def confidence(judged: Sequence[tuple[str, CalibrationCheck]]) -> Table:
    """One row a group of landmarks that a model was about equally sure of: expected and observed error."""
    return Table(
        'confidence',
        (
            Column('group'),
            Column('landmarks'),
            Column('expected error (mm)', 2, 'what the confidence stands for'),
            Column('observed error (mm)', 2, 'what came', interval=True),
        ),
        tuple(
            (f'{name}: {number}' if len(judged) > 1 else f'{number}', group.count, group.expected_mm, group.observed_mm)
            for name, check in judged
            for number, group in enumerate(check.bins, start=1)
        ),
    )


def measurements(runs: Sequence[Run]) -> Table:
    """One row a clinical measurement that the landmark set allows: its error; no rows where it allows none."""
    landmarks = runs[0].evaluation.landmarks
    labels = [(measurement.title, measurement.unit) for measurement in measurements_for(landmarks)]
    columns = (
        Column('images', 0, 'in which both values exist'),
        Column('mean absolute error', 2, 'in the unit of the measurement'),
        Column('SD', 2, 'standard deviation of the absolute errors'),
        Column('mean difference', 2, 'predicted minus true: above 0, predictions measure too much'),
        Column('same class (%)', 1, 'images in which both values fall into the same clinical class'),
    )
    return _table('measurements', (Column('measurement'), Column('unit')), labels, runs, columns, _measurement_cells)


def _measurement_cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    data = (evaluation.points_px, evaluation.true_px, evaluation.landmarks, evaluation.spacings_mm)
    # The classes of the benchmark; those of the other analyses are another table.
    benchmark = {name: analysis for name, analysis in analyses_for(data[2]).items() if name == 'isbi2015'}
    same = {
        entry.entry.name: entry.right_class_percent
        for analysis in analysis_agreement(*data, benchmark)
        for entry in analysis.entries
    }
    return [
        (error.count, error.mean_absolute, error.sd, error.bias, same.get(error.measurement.name, np.nan))
        for error in measurement_errors(*data)
    ]
