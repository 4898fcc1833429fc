"""What was found as tables: scores per landmark, predicted landmarks, and measurements of X-rays."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from cephalometric import csv_files
from cephalometric.files import write_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import ANYBODY, Analysis, AssessedValue, Measurement, Norm, Person
from cephalometric.results.measured_xrays import assess_xrays
from cephalometric.results.predictions import NOTICE, PredictedXray, Predictions
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


def write_landmarks(path: str | Path, predictions: Predictions) -> None:
    """Write one row for each image and landmark.

    Columns that would be empty throughout are left out: spacing and millimetres when no X-ray has a spacing, expected
    errors and flags without a calibration, the orientation when all films lie the right way, doubts and warnings when
    there are none.

    Raises:
        InputError: The file cannot be written.
    """
    rows = [row for xray in predictions.xrays for row in _landmark_rows(xray, predictions)]
    names = (
        *('image', 'landmark', 'name', 'x_px', 'y_px', 'spacing_mm', 'x_mm', 'y_mm'),
        *('score', 'expected_error_mm', 'flagged'),
        *('orientation', *REMARKS),
    )
    write_rows(path, rows, names, optional=names[5:])


def write_rows(
    path: str | Path, rows: Sequence[Mapping[str, str]], names: Sequence[str], optional: Sequence[str]
) -> None:
    """Write rows as CSV, without the optional columns that no row has a text for."""
    used = [name for name in names if name not in optional or any(row.get(name) for row in rows)]
    csv_files.write_csv(path, [used, *([row.get(name, '') for name in used] for row in rows)])


def _landmark_rows(xray: PredictedXray, predictions: Predictions) -> Iterator[dict[str, str]]:
    spacing_mm = np.nan if xray.spacing_mm is None else xray.spacing_mm
    calibrated, assessed = xray.expected_error_mm is not None, xray.flagged is not None
    for k, abbreviation in enumerate(predictions.landmarks.abbreviations):
        x, y = xray.points_px[k]
        yield {
            'image': xray.name,
            'landmark': abbreviation,
            'name': predictions.landmarks.names[k],
            'x_px': _text(x, 2),
            'y_px': _text(y, 2),
            'spacing_mm': '' if xray.spacing_mm is None else repr(float(xray.spacing_mm)),
            'x_mm': _text(x * spacing_mm, 3),
            'y_mm': _text(y * spacing_mm, 3),
            'score': _text(xray.scores[k], 4),
            'expected_error_mm': _text(xray.expected_error_mm[k], 2) if calibrated else '',
            'flagged': ('yes' if xray.flagged[k] else 'no') if assessed else '',
            'orientation': str(xray.orientation) if xray.orientation.turned else '',
            **_remarks(xray),
        }


def _remarks(xray: PredictedXray) -> dict[str, str]:
    return {'doubtful': 'yes' if xray.doubtful else '', 'warnings': '; '.join(xray.warnings)}


def _text(value: float, digits: int) -> str:
    return f'{value:.{digits}f}' if np.isfinite(value) else ''


FORMAT = 'cephalometric measurements 2'


def write_measurements(path: str | Path, xrays: Sequence[PredictedXray], measurements: Sequence[Measurement]) -> None:
    """Write one row for each image and one column, with its unit, for each measurement that any image has.

    The column beside it, ``SE``, is the standard error, where any image has one. The column ``flagged`` names the
    measurements of the row that use a flagged landmark.

    Raises:
        InputError: The file cannot be written.
    """
    titles = {measurement.name: f'{measurement.name} ({measurement.unit})' for measurement in measurements}
    rows = []
    for xray in xrays:
        known = {name: value for name, value in xray.measurements.items() if np.isfinite(value)}
        flagged = ' '.join(name for name in known if name in xray.flagged_measurements)
        values = {titles[name]: f'{value:.3f}' for name, value in known.items()}
        errors = {f'{titles[name]} SE': _text(xray.measurement_errors.get(name, np.nan), 3) for name in known}
        rows.append({'image': xray.name, **values, **errors, 'flagged': flagged, **_remarks(xray)})
    columns = [column for title in titles.values() for column in (title, f'{title} SE')]
    optional = (*columns, 'flagged', *REMARKS)
    write_rows(path, rows, ('image', *optional), optional)


def write_measurement_json(
    path: str | Path,
    xrays: Sequence[PredictedXray],
    measurements: Sequence[Measurement],
    landmarks: LandmarkSet,
    analyses: Mapping[str, Analysis],
    person: Person = ANYBODY,
    norms: str | None = None,
) -> None:
    """Write what was measured: definitions and, for each image, the values; and each analysis with norms and classes.

    Values that cannot be taken are left out, and so are measurements that no image has.

    Args:
        path: The file to write.
        xrays: What was measured.
        measurements: All that could be.
        landmarks: Names the landmarks.
        analyses: Those whose norms and classes are written, by name.
        person: Whom the norms are chosen for.
        norms: The name of a population whose norms come before others.

    Raises:
        InputError: The file cannot be written.
    """
    used = [m for m in measurements if any(np.isfinite(xray.measurements[m.name]) for xray in xrays)]
    assessed = {name: _assessed(xrays, landmarks, analysis, person, norms) for name, analysis in analyses.items()}
    content = {
        'format': FORMAT,
        'notice': NOTICE,
        'sex': person.sex,
        'age': person.age,
        'measurements': [_definition(measurement) for measurement in used],
        'landmarks': _landmark_definitions(used, landmarks),
        'analyses': {name: {'title': a.title, 'source': a.source, 'note': a.note} for name, a in analyses.items()},
        'images': [
            {
                'image': xray.name,
                'warnings': list(xray.warnings),
                'doubtful': xray.doubtful,
                'values': _values(xray, used),
                'analyses': {name: results[n] for name, results in assessed.items()},
            }
            for n, xray in enumerate(xrays)
        ],
    }
    write_json(path, content)


def _definition(measurement: Measurement) -> dict:
    return {
        'name': measurement.name,
        'title': measurement.title,
        'unit': measurement.unit,
        'landmarks': list(measurement.landmarks),
        'definition': measurement.definition,
        'sign': measurement.sign,
        'source': measurement.source,
    }


def _landmark_definitions(measurements: Sequence[Measurement], landmarks: LandmarkSet) -> dict:
    """Name and place of each landmark that a measurement uses."""
    used = {name for measurement in measurements for name in measurement.landmarks}
    return {
        abbreviation: {'name': landmarks.names[k], 'definition': landmarks.definition(k) or None}
        for k, abbreviation in enumerate(landmarks.abbreviations)
        if abbreviation in used
    }


def _values(xray: PredictedXray, measurements: Sequence[Measurement]) -> dict:
    values = {}
    for measurement in measurements:
        value, error = xray.measurements[measurement.name], xray.measurement_errors.get(measurement.name, np.nan)
        if np.isfinite(value):
            values[measurement.name] = {
                'value': value,
                'unit': measurement.unit,
                'standard_error': float(error) if np.isfinite(error) else None,
            }
            if xray.flagged is not None:
                values[measurement.name]['flagged'] = measurement.name in xray.flagged_measurements
    return values


def _assessed(
    xrays: Sequence[PredictedXray], landmarks: LandmarkSet, analysis: Analysis, person: Person, norms: str | None
) -> list[dict]:
    """What an analysis says of each X-ray."""
    return [
        {value.measurement.name: _judgement(value) for value in result.values if np.isfinite(value.value)}
        for result in assess_xrays(xrays, landmarks, analysis, person, norms)
    ]


def _judgement(value: AssessedValue) -> dict:
    return {
        'norm': value.norm and _norm(value.norm, value.mean),
        'deviation_sd': value.deviation_sd,
        'class': value.class_name,
        'class_source': value.class_source or None,
        'undecided': value.undecided,
    }


def _norm(norm: Norm, mean: float | None) -> dict:
    return {
        'name': norm.name,
        'mean': mean,
        'sd': norm.sd,
        'range': norm.range and list(norm.range),
        'sex': norm.sex,
        'ages': list(norm.ages),
        'origin': norm.origin,
        'n': norm.n,
        'source': norm.source,
        'confidence': norm.confidence,
        'note': norm.note,
    }
