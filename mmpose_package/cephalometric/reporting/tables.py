"""What was found as tables: scores per landmark, predicted landmarks, and measurements of X-rays."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cephalometric import csv_files
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Measurement
from cephalometric.results.predictions import PredictedXray, Predictions
from cephalometric.scores import THRESHOLDS_MM, Scores

COLUMNS = (
    'landmark',
    'name',
    'count',
    'MRE mm',
    'SD mm',
    'median mm',
    *(f'SDR {threshold:.1f}mm %' for threshold in THRESHOLDS_MM),
)


def _row(abbreviation: str, name: str, scores: Scores) -> list[str]:
    numbers = (scores.mre_mm, scores.sd_mm, scores.median_mm)
    rates = (scores.sdr_percent[threshold] for threshold in THRESHOLDS_MM)
    return [
        abbreviation,
        name,
        str(scores.count),
        *(f'{value:.3f}' for value in numbers),
        *(f'{value:.2f}' for value in rates),
    ]


def score_rows(landmarks: LandmarkSet, per_landmark: Sequence[Scores], overall: Scores) -> list[list[str]]:
    """The table's rows, one per landmark and a last one for all of them, under the headings of ``COLUMNS``."""
    labels = zip(landmarks.abbreviations, landmarks.names, per_landmark, strict=True)
    return [_row(*label) for label in labels] + [_row('all', 'all landmarks', overall)]


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """The rows under their headings, in columns of even width."""
    table = [list(COLUMNS), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    lines = []
    for row in table:
        labels = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append('  '.join(labels + numbers))
    return '\n'.join(lines)


def write_csv(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write the rows under their headings, whole or not at all."""
    csv_files.write_csv(path, [COLUMNS, *rows])


REMARKS = ('doubtful', 'warnings')
"""The columns of what concerns an X-ray as a whole."""


_LANDMARK_COLUMNS = (
    *('image', 'landmark', 'name', 'x_px', 'y_px', 'spacing_mm', 'x_mm', 'y_mm'),
    *('score', 'expected_error_mm', 'flagged'),
    *('orientation', *REMARKS),
)


class LandmarkTable:
    """Writes one row for each image and landmark, as the images come.

    Columns that would be empty throughout are left out: spacing and millimetres when no X-ray has a spacing, expected
    errors and flags without a calibration, the orientation when all films lie the right way, doubts and warnings when
    there are none.

    Args:
        path: The file that :meth:`finish` writes.
        landmarks: Names the landmarks.
    """

    def __init__(self, path: str | Path, landmarks: LandmarkSet) -> None:
        self._landmarks = landmarks
        self._spool = csv_files.CsvSpool(path, _LANDMARK_COLUMNS, _LANDMARK_COLUMNS[5:])

    def add(self, xray: PredictedXray) -> None:
        """Add the rows of an X-ray."""
        for row in _landmark_rows(xray, self._landmarks):
            self._spool.add(row)

    def finish(self) -> None:
        """Write the file; an ``InputError`` if it cannot be written."""
        self._spool.finish()


def write_landmarks(path: str | Path, predictions: Predictions) -> None:
    """Write all rows of a :class:`LandmarkTable`.

    Raises:
        InputError: The file cannot be written.
    """
    table = LandmarkTable(path, predictions.landmarks)
    for xray in predictions.xrays:
        table.add(xray)
    table.finish()


def _landmark_rows(xray: PredictedXray, landmarks: LandmarkSet) -> Iterator[dict[str, str]]:
    spacing_mm = math.nan if xray.spacing_mm is None else xray.spacing_mm
    calibrated, assessed = xray.expected_error_mm is not None, xray.flagged is not None
    # The same in all rows.
    of_xray = {
        'image': xray.name,
        'spacing_mm': '' if xray.spacing_mm is None else repr(float(xray.spacing_mm)),
        'orientation': str(xray.orientation) if xray.orientation.turned else '',
        **_remarks(xray),
    }
    for k, ((x, y), point_score) in enumerate(zip(xray.points_px.tolist(), xray.scores.tolist(), strict=True)):
        yield {
            **of_xray,
            'landmark': landmarks.abbreviations[k],
            'name': landmarks.names[k],
            'x_px': _text(x, 2),
            'y_px': _text(y, 2),
            'x_mm': _text(x * spacing_mm, 3),
            'y_mm': _text(y * spacing_mm, 3),
            'score': _text(point_score, 4),
            'expected_error_mm': _text(xray.expected_error_mm[k], 2) if calibrated else '',
            'flagged': ('yes' if xray.flagged[k] else 'no') if assessed else '',
        }


def _remarks(xray: PredictedXray) -> dict[str, str]:
    return {'doubtful': 'yes' if xray.doubtful else '', 'warnings': '; '.join(xray.warnings)}


def _text(value: float, digits: int) -> str:
    return f'{value:.{digits}f}' if math.isfinite(value) else ''


class MeasurementTable:
    """Writes one row for each image and one column, with its unit, for each measurement that any image has.

    The column beside it, ``SE``, is the standard error, where any image has one. The column ``flagged`` names the
    measurements of the row that use a flagged landmark.

    Args:
        path: The file that :meth:`finish` writes.
        measurements: All that could be measured.
    """

    def __init__(self, path: str | Path, measurements: Sequence[Measurement]) -> None:
        self._titles = {measurement.name: f'{measurement.name} ({measurement.unit})' for measurement in measurements}
        columns = [column for title in self._titles.values() for column in (title, f'{title} SE')]
        optional = (*columns, 'flagged', *REMARKS)
        self._spool = csv_files.CsvSpool(path, ('image', *optional), optional)

    def add(self, xray: PredictedXray) -> None:
        """Add the row of an X-ray."""
        titles = self._titles
        known = {name: value for name, value in xray.measurements.items() if math.isfinite(value)}
        flagged = ' '.join(name for name in known if name in xray.flagged_measurements)
        values = {titles[name]: f'{value:.3f}' for name, value in known.items()}
        errors = {f'{titles[name]} SE': _text(xray.measurement_errors.get(name, math.nan), 3) for name in known}
        self._spool.add({'image': xray.name, **values, **errors, 'flagged': flagged, **_remarks(xray)})

    def finish(self) -> None:
        """Write the file; an ``InputError`` if it cannot be written."""
        self._spool.finish()


def write_measurements(path: str | Path, xrays: Iterable[PredictedXray], measurements: Sequence[Measurement]) -> None:
    """Write all rows of a :class:`MeasurementTable`.

    Raises:
        InputError: The file cannot be written.
    """
    table = MeasurementTable(path, measurements)
    for xray in xrays:
        table.add(xray)
    table.finish()
