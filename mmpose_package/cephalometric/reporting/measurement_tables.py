"""Measurements of X-rays as CSV and JSON."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cephalometric.formats.json_files import write_json
from cephalometric.formats.predictions import NOTICE, PredictedXray
from cephalometric.measurements import Measurement, classify
from cephalometric.reporting.predictions import write_rows

FORMAT = 'cephalometric measurements 1'


def write_measurements(path: str | Path, xrays: Sequence[PredictedXray], measurements: Sequence[Measurement]) -> None:
    """Write one row for each image and one column, with its unit, for each measurement that any image has.

    Raises:
        InputError: The file cannot be written.
    """
    titles = {measurement.name: f'{measurement.name} ({measurement.unit})' for measurement in measurements}
    rows = [
        {'image': xray.name}
        | {titles[name]: f'{value:.3f}' for name, value in xray.measurements.items() if np.isfinite(value)}
        for xray in xrays
    ]
    write_rows(path, rows, ('image', *titles.values()), optional=tuple(titles.values()))


def write_measurement_json(
    path: str | Path, xrays: Sequence[PredictedXray], measurements: Sequence[Measurement]
) -> None:
    """Write what was measured, with definition, unit, norm and source, and for each image value, deviation and class.

    Values that cannot be taken are left out, and so are measurements that no image has.

    Raises:
        InputError: The file cannot be written.
    """
    used = [m for m in measurements if any(np.isfinite(xray.measurements[m.name]) for xray in xrays)]
    content = {
        'format': FORMAT,
        'notice': NOTICE,
        'measurements': [_definition(measurement) for measurement in used],
        'images': [{'image': xray.name, 'values': _values(xray, used)} for xray in xrays],
    }
    write_json(path, content)


def _definition(measurement: Measurement) -> dict:
    norm = measurement.norm
    return {
        'name': measurement.name,
        'title': measurement.title,
        'unit': measurement.unit,
        'landmarks': list(measurement.landmarks),
        'definition': measurement.definition,
        'sign': measurement.sign,
        'source': measurement.source,
        'norm': None if norm is None else {'mean': norm.mean, 'sd': norm.sd, 'source': norm.source},
    }


def _values(xray: PredictedXray, measurements: Sequence[Measurement]) -> dict:
    values = {}
    for measurement in measurements:
        value = xray.measurements[measurement.name]
        if np.isfinite(value):
            deviation_sd = measurement.norm and measurement.norm.deviation_sd(value)
            values[measurement.name] = {
                'value': value,
                'unit': measurement.unit,
                'deviation_sd': deviation_sd,
                'class': classify(measurement, value),
            }
    return values
