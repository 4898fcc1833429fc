"""Predicted landmarks of X-rays as one JSON file, written by ``predict`` and read by ``measure``."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import write_json
from cephalometric.geometry import Orientation
from cephalometric.landmarks import LandmarkSet, landmark_set_from

FORMAT = 'cephalometric predictions 2'
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
        orientation: How the X-ray lies.
        points_px: Shape (K, 2) as x, y, in pixels of the X-ray as it lies; NaN where a landmark is missing.
        scores: Shape (K,), 0 to 1.
        expected_error_mm: Shape (K,); None without a calibration.
        flagged: Shape (K,): where the expected error is beyond the threshold, and everywhere in a doubtful X-ray; None
            where that was not assessed.
        warnings: What a user should know about it.
        doubtful: Whether it is probably no lateral cephalogram that the model can read; the first warning says why.
        measurements: Values by name; NaN where one cannot be taken.
        measurement_errors: Their standard errors by name, from the landmarks' expected errors; NaN where one is not
            known, empty where none is.
        flagged_measurements: The names of those that use a flagged landmark.
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
    expected_error_mm: np.ndarray | None = None
    flagged: np.ndarray | None = None
    warnings: tuple[str, ...] = ()
    doubtful: bool = False
    measurements: Mapping[str, float] = field(default_factory=dict)
    flagged_measurements: frozenset[str] = frozenset()
    measurement_errors: Mapping[str, float] = field(default_factory=dict)

    @property
    def predicted(self) -> bool:
        """Whether a model found the landmarks; what people labelled has no scores."""
        return bool(np.isfinite(self.scores).any())


@dataclass(frozen=True)
class Predictions:
    """The content of a file of predictions.

    Attributes:
        landmarks: Names the K landmarks.
        xrays: The X-rays, in the order of the run.
        failed: Why a file could not be read, by the file.
        model: What predicted, of plain types.
        notes: What was found when a file of them was read, a line each.
        complete: Whether the run came to its end; otherwise ``failed`` names the files that it did not come to.
    """

    landmarks: LandmarkSet
    xrays: tuple[PredictedXray, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete: bool = True


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write predictions; values that are not known are null, and without a spacing there are no millimetres.

    Raises:
        InputError: The file cannot be written there.
    """
    content = {
        'format': FORMAT,
        'notice': NOTICE,
        'complete': predictions.complete,
        'landmark_set': asdict(predictions.landmarks),
        'model': dict(predictions.model),
        'images': [image_entry(xray, predictions.landmarks) for xray in predictions.xrays],
        'failed': [{'file': file, 'error': error} for file, error in predictions.failed.items()],
    }
    write_json(path, content)


def image_entry(xray: PredictedXray, landmarks: LandmarkSet) -> dict:
    """The entry of one X-ray, of plain types."""
    return {
        'image': xray.name,
        'file': xray.file,
        'slice': xray.slice,
        'width': xray.width,
        'height': xray.height,
        'spacing_mm': xray.spacing_mm,
        'orientation': asdict(xray.orientation),
        'warnings': list(xray.warnings),
        'doubtful': xray.doubtful,
        'landmarks': [_landmark_entry(xray, landmarks, k) for k in range(len(landmarks))],
        'measurements': {name: _number(value) for name, value in xray.measurements.items()},
        'measurement_errors': {name: _number(value) for name, value in xray.measurement_errors.items()},
        'flagged_measurements': sorted(xray.flagged_measurements),
    }


def _landmark_entry(xray: PredictedXray, landmarks: LandmarkSet, k: int) -> dict:
    x, y = map(_number, xray.points_px[k])
    entry = {'landmark': landmarks.abbreviations[k], 'name': landmarks.names[k], 'x_px': x, 'y_px': y}
    if xray.spacing_mm is not None:
        x, y = map(_number, xray.points_px[k] * xray.spacing_mm)
        entry |= {'x_mm': x, 'y_mm': y}
    entry['score'] = _number(xray.scores[k])
    if xray.expected_error_mm is not None:
        entry['expected_error_mm'] = _number(xray.expected_error_mm[k])
    if xray.flagged is not None:
        entry['flagged'] = bool(xray.flagged[k])
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
        complete = bool(content.get('complete', True))
        return Predictions(landmarks, xrays, failed, content['model'], complete=complete)
    except MALFORMED as error:
        raise InputError(
            f'{path}: not a file of predictions of this version ({type(error).__name__}: {error}); make it anew with '
            '"cephalometric predict"'
        ) from None


def _xray(entry: dict, landmarks: LandmarkSet) -> PredictedXray:
    rows = entry['landmarks']
    if tuple(row['landmark'] for row in rows) != landmarks.abbreviations:
        raise ValueError(f'the landmarks of {entry["image"]!r} are not those of the landmark set')
    if not isinstance(entry['slice'], int | None):
        raise TypeError(f'the slice of {entry["image"]!r} is no number')
    spacing_mm = None if entry['spacing_mm'] is None else _value(entry['spacing_mm'])
    if spacing_mm is not None and spacing_mm <= 0:
        raise ValueError(f'the spacing of {entry["image"]!r} is {spacing_mm}')
    calibrated, assessed = (all(name in row for row in rows) for name in ('expected_error_mm', 'flagged'))
    return PredictedXray(
        name=str(entry['image']),
        file=str(entry['file']),
        slice=entry['slice'],
        width=int(entry['width']),
        height=int(entry['height']),
        spacing_mm=spacing_mm,
        orientation=Orientation(**entry['orientation']),
        points_px=_column(rows, 'x_px', 'y_px'),
        scores=_column(rows, 'score')[:, 0],
        expected_error_mm=_column(rows, 'expected_error_mm')[:, 0] if calibrated else None,
        flagged=np.array([row['flagged'] for row in rows], bool) if assessed else None,
        warnings=tuple(map(str, entry['warnings'])),
        doubtful=bool(entry['doubtful']),
        measurements={name: _value(value) for name, value in entry['measurements'].items()},
        measurement_errors={name: _value(value) for name, value in entry.get('measurement_errors', {}).items()},
        flagged_measurements=frozenset(entry['flagged_measurements']),
    )


def _column(rows: list[dict], *names: str) -> np.ndarray:
    return np.array([[_value(row[name]) for name in names] for row in rows], float)


def _value(value: float | None) -> float:
    """A number of the file; NaN for null."""
    if value is None:
        return math.nan
    if isinstance(value, str | bool) or not math.isfinite(value):
        raise ValueError(f'{value!r} is no finite number')
    return float(value)
