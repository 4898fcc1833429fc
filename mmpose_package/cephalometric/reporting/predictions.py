"""Predicted landmarks as a CSV table."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from cephalometric.formats.atomic import atomic_write
from cephalometric.formats.predictions import PredictedXray, Predictions


def write_landmarks(path: str | Path, predictions: Predictions) -> None:
    """Write one row for each image and landmark.

    Columns that would be empty throughout are left out: millimetres when no X-ray has a spacing, expected errors and
    flags without a calibration, the orientation when all films lie the right way.

    Raises:
        InputError: The file cannot be written.
    """
    rows = [row for xray in predictions.xrays for row in _landmark_rows(xray, predictions)]
    names = (
        *('image', 'landmark', 'name', 'x_px', 'y_px', 'x_mm', 'y_mm', 'score', 'expected_error_mm', 'flagged'),
        'orientation',
    )
    write_rows(path, rows, names, optional=names[5:])


def write_rows(
    path: str | Path, rows: Sequence[Mapping[str, str]], names: Sequence[str], optional: Sequence[str]
) -> None:
    """Write rows as CSV, without the optional columns that no row has a text for."""
    used = [name for name in names if name not in optional or any(row.get(name) for row in rows)]
    with atomic_write(path) as partial, open(partial, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, used, extrasaction='ignore')
        writer.writeheader()
        writer.writerows(rows)


def _landmark_rows(xray: PredictedXray, predictions: Predictions) -> Iterator[dict[str, str]]:
    spacing_mm = np.nan if xray.spacing_mm is None else xray.spacing_mm
    calibrated = xray.expected_errors_mm is not None
    for k, abbreviation in enumerate(predictions.landmarks.abbreviations):
        x, y = xray.points_px[k]
        yield {
            'image': xray.name,
            'landmark': abbreviation,
            'name': predictions.landmarks.names[k],
            'x_px': _text(x, 2),
            'y_px': _text(y, 2),
            'x_mm': _text(x * spacing_mm, 3),
            'y_mm': _text(y * spacing_mm, 3),
            'score': _text(xray.scores[k], 4),
            'expected_error_mm': _text(xray.expected_errors_mm[k], 2) if calibrated else '',
            'flagged': ('yes' if xray.flagged[k] else 'no') if calibrated else '',
            'orientation': str(xray.orientation) if xray.orientation.turned else '',
        }


def _text(value: float, digits: int) -> str:
    return f'{value:.{digits}f}' if np.isfinite(value) else ''
