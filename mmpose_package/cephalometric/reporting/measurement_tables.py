"""The tables of the report about measurements: how far predicted landmarks bring them off."""

from collections.abc import Sequence

import numpy as np

from cephalometric.measurements import class_successes, measurement_errors, measurements_for
from cephalometric.reporting.report_columns import Cell, Column, Table
from cephalometric.reporting.report_tables import side_by_side
from cephalometric.reporting.runs import Run
from cephalometric.results.evaluation import Evaluation

LARGE_ERROR = 2.0
"""A mean error of a measurement, in degrees, millimetres or percent, that is coloured."""


def measurements(runs: Sequence[Run]) -> Table:
    """One row a clinical measurement that the landmark set allows: its error; no rows where it allows none."""
    landmarks = runs[0].evaluation.landmarks
    labels = [(measurement.title, measurement.unit) for measurement in measurements_for(landmarks)]
    columns = (
        Column('mean absolute error', 1, 'in the unit of the measurement', worst='high', rank=1),
        Column('SD', 1, 'standard deviation of the absolute errors', worst='high', rank=4),
        Column('mean difference', 1, 'predicted minus true; above 0: they measure too much', worst='far', rank=3),
        Column('same class (%)', 1, 'images in which both values fall into the same class', worst='low', rank=2),
        Column('images', 0, 'in which both values exist', worst='low', rank=5),
    )
    means = f'a mean absolute error of more than {LARGE_ERROR:g}'
    label_columns = (Column('measurement'), Column('unit'))
    return side_by_side(
        'measurements', label_columns, labels, runs, columns, _cells, limit=LARGE_ERROR, bad_means=means
    )


def _cells(evaluation: Evaluation) -> list[tuple[Cell, ...]]:
    data = (evaluation.points_px, evaluation.true_px, evaluation.landmarks, evaluation.spacings_mm)
    same = {success.measurement.name: success.success_percent for success in class_successes(*data)}
    return [
        (error.mean_absolute, error.sd, error.bias, same.get(error.measurement.name, np.nan), error.count)
        for error in measurement_errors(*data)
    ]
