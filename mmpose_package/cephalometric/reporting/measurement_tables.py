"""The tables of the report about measurements: how far predicted landmarks bring them off, and their classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cephalometric.measurements import AnalysisAgreement, EntryAgreement, analysis_agreement, measurement_errors
from cephalometric.measurements import measurements_for as known_measurements
from cephalometric.reporting.report_columns import Cell, Column, Table
from cephalometric.reporting.report_tables import side_by_side
from cephalometric.reporting.runs import Run
from cephalometric.results.evaluation import Evaluation

LARGE_ERROR = 2.0
"""A mean error of a measurement, in degrees, millimetres or percent, that is coloured."""
FIRST = 'isbi2015'
"""The analysis that is shown first and open: the benchmark's measurements, by which models are compared."""
ERROR = Column('mean absolute error', 1, 'in the unit of the measurement', worst='high', rank=1)
SPREAD = Column('SD', 1, 'standard deviation of the absolute errors', worst='high', rank=5)
BIAS = Column('mean difference', 1, 'predicted minus true; above 0: they measure too much', worst='far', rank=3)
RIGHT = Column('right class (%)', 1, 'share of the images whose class is that of the ground truth', worst='low', rank=2)
IMAGES = Column('images', 0, 'in which both values exist', worst='low', rank=6)
MEANS = f'a mean absolute error of more than {LARGE_ERROR:g}'


@dataclass(frozen=True)
class Confusion:
    """Which classes were taken for which: rows are the true ones, columns the predicted ones."""

    title: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class AnalysisPart:
    """An analysis in the report: its table, and the classes that were not always right."""

    name: str
    title: str
    table: Table
    confusions: tuple[Confusion, ...]


@dataclass(frozen=True)
class MeasurementPart:
    """What the report says of measurements.

    Attributes:
        tables: Those for CSV files: of measurements, of analyses, of the measurements of each, and of classes.
        analyses: Each analysis for the page, that of the benchmark first.
    """

    tables: tuple[Table, ...]
    analyses: tuple[AnalysisPart, ...]


def measurement_part(runs: Sequence[Run]) -> MeasurementPart:
    """Compare the measurements from predicted landmarks with those from true ones; norms are those of any adult."""
    agreements = {run.name: _agreements(run.evaluation) for run in runs}
    if not next(iter(agreements.values())):
        return MeasurementPart((_measurements(runs),), ())
    whole = _analysis_measurements(runs, agreements)
    parts = []
    for agreement in agreements[runs[0].name]:
        title = agreement.analysis.title
        rows = [row for row, cells in enumerate(whole.rows) if cells[0] == title]
        table = replace(
            whole,
            name=f'analysis_{agreement.analysis.name}',
            columns=whole.columns[1:],
            rows=tuple(whole.rows[row][1:] for row in rows),
            bad=tuple(whole.is_bad(row) for row in rows),
            file=f'{whole.name}.csv',
        )
        parts.append(AnalysisPart(agreement.analysis.name, title, table, _confusions(runs, agreements, title)))
    tables = _measurements(runs), _overview(runs, agreements), whole, _classes(runs, agreements)
    return MeasurementPart(tables, tuple(parts))


def _data(evaluation: Evaluation) -> tuple:
    return evaluation.points_px, evaluation.true_px, evaluation.landmarks, evaluation.spacings_mm


def _agreements(evaluation: Evaluation) -> list[AnalysisAgreement]:
    return sorted(analysis_agreement(*_data(evaluation)), key=lambda one: one.analysis.name != FIRST)


def _measurements(runs: Sequence[Run]) -> Table:
    """One row a measurement that the landmark set allows; no rows where it allows none."""
    labels = [(one.title, one.unit) for one in known_measurements(runs[0].evaluation.landmarks)]

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        errors = measurement_errors(*_data(evaluation))
        return [(error.mean_absolute, error.sd, error.bias, error.count) for error in errors]

    label_columns = (Column('measurement'), Column('unit'))
    columns = (ERROR, SPREAD, BIAS, IMAGES)
    return side_by_side('measurements', label_columns, labels, runs, columns, cells, limit=LARGE_ERROR, bad_means=MEANS)


_Agreements = dict[str, list[AnalysisAgreement]]


def _by_run(runs: Sequence[Run], agreements: _Agreements, evaluation: Evaluation) -> list[AnalysisAgreement]:
    return next(agreements[run.name] for run in runs if run.evaluation is evaluation)


def _overview(runs: Sequence[Run], agreements: _Agreements) -> Table:
    """One row an analysis: the errors of its angles and lengths, and how often its classes are right."""
    labels = [(one.analysis.title, len(one.entries)) for one in agreements[runs[0].name]]

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        rows = _by_run(runs, agreements, evaluation)
        return [
            (_mean_error(one.entries, 'deg'), _mean_error(one.entries, 'mm'), _right_percent(one.entries))
            for one in rows
        ]

    columns = (
        Column('mean error of angles (°)', 1, 'mean absolute error over its angles', worst='high', rank=1),
        Column('of lengths (mm)', 1, 'mean absolute error over its lengths', worst='high', rank=3),
        RIGHT,
    )
    table = side_by_side('analyses', (Column('analysis'), Column('measurements')), labels, runs, columns, cells)
    return replace(table, worst='')


def _mean_error(entries: Sequence[EntryAgreement], unit: str) -> float:
    errors = [e.error.mean_absolute for e in entries if e.entry.measurement.unit == unit and e.error.count]
    return float(np.mean(errors)) if errors else np.nan


def _right_percent(entries: Sequence[EntryAgreement]) -> float:
    counts = [entry.class_count for entry in entries]
    right = sum(float(np.trace(entry.confusion)) for entry in entries)
    return right / sum(counts) * 100 if sum(counts) else np.nan


def _analysis_measurements(runs: Sequence[Run], agreements: _Agreements) -> Table:
    """One row a measurement of an analysis."""
    labels = [
        (one.analysis.title, entry.entry.measurement.title, entry.entry.measurement.unit)
        for one in agreements[runs[0].name]
        for entry in one.entries
    ]

    def cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
        return [
            (e.error.mean_absolute, e.error.sd, e.error.bias, e.right_class_percent, e.error.count)
            for one in _by_run(runs, agreements, evaluation)
            for e in one.entries
        ]

    label_columns = (Column('analysis'), Column('measurement'), Column('unit'))
    columns = (ERROR, SPREAD, BIAS, RIGHT, IMAGES)
    table = side_by_side(
        'analysis_measurements', label_columns, labels, runs, columns, cells, limit=LARGE_ERROR, bad_means=MEANS
    )
    return replace(table, worst='')


def _classes(runs: Sequence[Run], agreements: _Agreements) -> Table:
    """One row a true class and a predicted one, of each measurement of each analysis: how many images."""
    rows = []
    for analyses in zip(*(agreements[run.name] for run in runs), strict=True):
        for entries in zip(*(one.entries for one in analyses), strict=True):
            names = (analyses[0].analysis.title, entries[0].entry.measurement.title)
            for i, true in enumerate(entries[0].classes):
                for j, predicted in enumerate(entries[0].classes):
                    rows.append((*names, true, predicted, *(int(entry.confusion[i, j]) for entry in entries)))
    labels = tuple(Column(title) for title in ('analysis', 'measurement', 'true class', 'predicted class'))
    several = len(runs) > 1
    counts = tuple(Column('images', run=run.name if several else '') for run in runs)
    return Table('classes', (*labels, *counts), tuple(rows))


def _confusions(runs: Sequence[Run], agreements: _Agreements, title: str) -> tuple[Confusion, ...]:
    """The confusions of an analysis where a class was not right in any run."""
    several = len(runs) > 1
    found = []
    for analyses in zip(*(agreements[run.name] for run in runs), strict=True):
        if analyses[0].analysis.title != title:
            continue
        for entries in zip(*(one.entries for one in analyses), strict=True):
            if all(np.trace(entry.confusion) == entry.class_count for entry in entries):
                continue
            for run, entry in zip(runs, entries, strict=True):
                heading = f'{entry.entry.measurement.title}{f", {run.name}" if several else ""}'
                counts = tuple(tuple(int(count) for count in row) for row in entry.confusion)
                found.append(Confusion(heading, entry.classes, counts))
    return tuple(found)
