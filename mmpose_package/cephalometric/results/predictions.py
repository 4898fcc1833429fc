"""Predicted landmarks of X-rays as one JSON file, written by ``predict`` and read by ``measure``."""

import json
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import atomic_write
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
        run: What was asked for, of plain types.
    """

    landmarks: LandmarkSet
    xrays: Sequence[PredictedXray]
    failed: Mapping[str, str] = field(default_factory=dict)
    model: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    complete: bool = True
    run: Mapping[str, object] = field(default_factory=dict)


def write_predictions(path: str | Path, predictions: Predictions) -> None:
    """Write predictions; values that are not known are null, and without a spacing there are no millimetres.

    Raises:
        InputError: The file cannot be written there.
    """
    writer = PredictionsWriter(path, predictions.landmarks, predictions.model, predictions.run)
    for xray in predictions.xrays:
        writer.add(entry_text(image_entry(xray, predictions.landmarks)))
    writer.finish(predictions.failed, predictions.complete)


class PredictionsWriter:
    """Writes predictions as they come: one X-ray a line, which :mod:`~cephalometric.results.stored_xrays` reads so.

    Args:
        path: The file that :meth:`finish` writes; what comes waits in a hidden file beside it.
        landmarks: Names the landmarks.
        model: What predicts, of plain types.
        run: What was asked for, of plain types.

    Raises:
        OSError: No file can be written there.
    """

    def __init__(
        self,
        path: str | Path,
        landmarks: LandmarkSet,
        model: Mapping[str, object],
        run: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self._path = Path(path)
        self._waiting = self._path.with_name(f'.{self._path.name}.images')
        head = {
            'format': FORMAT,
            'notice': NOTICE,
            'landmark_set': asdict(landmarks),
            'model': dict(model),
            'run': dict(run),
        }
        self._head = entry_text(head)[:-1] + IMAGES
        self._file = open(self._waiting, 'wb')  # noqa: SIM115, until finish
        self._between = b'\n'

    def add(self, text: str) -> None:
        """Add the entry of an X-ray, as :func:`entry_text` writes it."""
        self._file.write(self._between + text.encode())
        self._between = b',\n'

    def finish(self, failed: Mapping[str, str], complete: bool) -> None:
        """Write the file, whole or not at all.

        Raises:
            InputError: The file cannot be written.
        """
        self._file.close()
        with open(self._waiting, 'rb') as images, atomic_write(self._path) as partial, open(partial, 'wb') as file:
            file.write(self._head.encode())
            shutil.copyfileobj(images, file, 1 << 20)
            file.write(END_OF_IMAGES.encode())
            for number, (name, error) in enumerate(failed.items()):
                file.write(f'{"," if number else ""}\n{entry_text({"file": name, "error": error})}'.encode())
            file.write(f'\n], "complete": {json.dumps(complete)}}}\n'.encode())
        self._waiting.unlink()


IMAGES, END_OF_IMAGES = ', "images": [', '\n], "failed": ['
"""What stands before and after the X-rays."""


def entry_text(entry: Mapping[str, object]) -> str:
    """An entry as one line of ASCII."""
    return json.dumps(entry, allow_nan=False)


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
        'landmarks': list(_landmark_entries(xray, landmarks)),
        'measurements': {name: _number(value) for name, value in xray.measurements.items()},
        'measurement_errors': {name: _number(value) for name, value in xray.measurement_errors.items()},
        'flagged_measurements': sorted(xray.flagged_measurements),
    }


def _landmark_entries(xray: PredictedXray, landmarks: LandmarkSet) -> Iterator[dict]:
    points_px, scores = xray.points_px.tolist(), xray.scores.tolist()
    expected_mm = None if xray.expected_error_mm is None else xray.expected_error_mm.tolist()
    flagged = None if xray.flagged is None else xray.flagged.tolist()
    for k, (x, y) in enumerate(points_px):
        entry = {
            'landmark': landmarks.abbreviations[k],
            'name': landmarks.names[k],
            'x_px': _number(x),
            'y_px': _number(y),
        }
        if xray.spacing_mm is not None:
            entry |= {'x_mm': _number(x * xray.spacing_mm), 'y_mm': _number(y * xray.spacing_mm)}
        entry['score'] = _number(scores[k])
        if expected_mm is not None:
            entry['expected_error_mm'] = _number(expected_mm[k])
        if flagged is not None:
            entry['flagged'] = bool(flagged[k])
        yield entry


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def parse_predictions(path: str | Path, content: object) -> Predictions:
    """Understand the content of what :func:`write_predictions` wrote; ``path`` is for messages.

    Raises:
        InputError: It is not such a file.
    """
    try:
        if content['format'] != FORMAT:
            raise ValueError(f'its format is {content["format"]!r}')
        landmarks = landmark_set_from(content['landmark_set'])
        xrays = tuple(xray_of(entry, landmarks) for entry in content['images'])
        failed = {entry['file']: entry['error'] for entry in content['failed']}
        complete = bool(content.get('complete', True))
        run = dict(content.get('run', {}))
        return Predictions(landmarks, xrays, failed, content['model'], complete=complete, run=run)
    except MALFORMED as error:
        raise InputError(
            f'{path}: not a file of predictions of this version ({type(error).__name__}: {error}); make it anew with '
            '"cephalometric predict"'
        ) from None


def xray_of(entry: dict, landmarks: LandmarkSet) -> PredictedXray:
    """The X-ray of an entry; one of ``MALFORMED`` if it is none."""
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
