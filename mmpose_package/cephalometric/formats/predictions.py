"""Predicted landmarks of X-rays as one JSON file, written by ``predict`` and read by ``measure``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError
from cephalometric.formats.json_files import write_json
from cephalometric.landmarks import LandmarkSet, landmark_set_from
from cephalometric.orientation import Orientation

FORMAT = 'cephalometric predictions 1'
NOTICE = 'For research. Not a medical device.'


@dataclass(frozen=True)
class PredictedXray:
    """The landmarks of one X-ray. Nothing in it comes from a header, except the spacing.

    Attributes:
        name: What rows and files of it are called; unique in a run.
        file: The file as the user named it.
        slice: The number of the slice in a stack, from 1; None for a single image.
        width, height: Its size in pixels.
        spacing_mm: Millimetres per pixel; None where it is not known.
        orientation: How the film lies.
        points_px: Shape (K, 2) as x, y, in pixels of the film as it lies; NaN where a landmark is missing.
        scores: Shape (K,), 0 to 1.
        expected_errors_mm: Shape (K,); None without a calibration.
        flagged: Shape (K,): where the expected error is beyond the threshold; None without a calibration.
        warnings: What a user should know about it.
        measurements: Values by name; NaN where one cannot be taken.
    """

    name: str
    file: str
    slice: int | None
    width: int
    height: int
    spacing_mm: float | None
    orientation: Orientation
    points_px: np.ndarray
    scores: np.ndarray
    expected_errors_mm: np.ndarray | None = None
    flagged: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Predictions:
    """The content of a file of predictions.

    Attributes:
        landmarks: Names the K landmarks.
        xrays: The X-rays, in the order of the run.
        failed: Why a file could not be read, by the file.
        model: What predicted, of plain types.
    """

    landmarks: LandmarkSet
    xrays: tuple[PredictedXray, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, object] = field(default_factory=dict)


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write predictions; values that are not known are null, and without a spacing there are no millimetres.

    Raises:
        InputError: The file cannot be written there.
    """
    content = {
        'format': FORMAT,
        'notice': NOTICE,
        'landmark_set': asdict(predictions.landmarks),
        'model': dict(predictions.model),
        'images': [_image_entry(xray, predictions.landmarks) for xray in predictions.xrays],
        'failed': [{'file': file, 'error': error} for file, error in predictions.failed.items()],
    }
    write_json(path, content)


def _image_entry(xray: PredictedXray, landmarks: LandmarkSet) -> dict:
    entry = {
        'image': xray.name,
        'file': xray.file,
        'slice': xray.slice,
        'width': xray.width,
        'height': xray.height,
        'spacing_mm': xray.spacing_mm,
        'orientation': asdict(xray.orientation),
        'warnings': list(xray.warnings),
        'landmarks': [_landmark_entry(xray, landmarks, k) for k in range(len(landmarks))],
        'measurements': {name: _number(value) for name, value in xray.measurements.items()},
    }
    return entry


def _landmark_entry(xray: PredictedXray, landmarks: LandmarkSet, k: int) -> dict:
    x, y = map(_number, xray.points_px[k])
    entry = {'landmark': landmarks.abbreviations[k], 'name': landmarks.names[k], 'x_px': x, 'y_px': y}
    if xray.spacing_mm is not None:
        x, y = map(_number, xray.points_px[k] * xray.spacing_mm)
        entry |= {'x_mm': x, 'y_mm': y}
    entry['score'] = _number(xray.scores[k])
    if xray.expected_errors_mm is not None:
        entry |= {'expected_error_mm': _number(xray.expected_errors_mm[k]), 'flagged': bool(xray.flagged[k])}
    return entry


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def parse_predictions(path: str | Path, content: object) -> Predictions:
    """Understand the content of what :func:`write_predictions` wrote; ``path`` is for messages.

    Raises:
        InputError: It is not such a file.
    """
    try:
        if content['format'] != FORMAT:
            raise ValueError(f'its format is {content["format"]!r}')
        landmarks = landmark_set_from(content['landmark_set'])
        xrays = tuple(_xray(entry, landmarks) for entry in content['images'])
        failed = {entry['file']: entry['error'] for entry in content['failed']}
        return Predictions(landmarks, xrays, failed, content['model'])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{path}: not a file of predictions of this version ({type(error).__name__}: {error}); make it anew with '
            '"cephalometric predict"'
        ) from None


def _xray(entry: dict, landmarks: LandmarkSet) -> PredictedXray:
    rows = entry['landmarks']
    if tuple(row['landmark'] for row in rows) != landmarks.abbreviations:
        raise ValueError(f'the landmarks of {entry["image"]!r} are not those of the landmark set')
    calibrated = all('expected_error_mm' in row for row in rows)
    return PredictedXray(
        name=str(entry['image']),
        file=str(entry['file']),
        slice=entry['slice'],
        width=int(entry['width']),
        height=int(entry['height']),
        spacing_mm=None if entry['spacing_mm'] is None else float(entry['spacing_mm']),
        orientation=Orientation(**entry['orientation']),
        points_px=_column(rows, 'x_px', 'y_px'),
        scores=_column(rows, 'score')[:, 0],
        expected_errors_mm=_column(rows, 'expected_error_mm')[:, 0] if calibrated else None,
        flagged=np.array([row['flagged'] for row in rows], bool) if calibrated else None,
        warnings=tuple(entry['warnings']),
        measurements={name: _value(value) for name, value in entry['measurements'].items()},
    )


def _column(rows: list[dict], *names: str) -> np.ndarray:
    return np.array([[_value(row[name]) for name in names] for row in rows], float)


def _value(value: float | None) -> float:
    return np.nan if value is None else float(value)
