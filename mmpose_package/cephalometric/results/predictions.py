"""Predicted landmarks of X-rays as one JSON file, written by ``predict`` and read by ``measure``.

``measure`` also reads them as CSV, and the ground truth of a COCO file in the same form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.csv_files import CsvTable, read_csv
from cephalometric.errors import InputError
from cephalometric.files import read_json, write_json
from cephalometric.geometry import Orientation
from cephalometric.landmarks import LandmarkSet, landmark_set_from, load_landmark_set

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
    calibrated, assessed = (all(name in row for row in rows) for name in ('expected_error_mm', 'flagged'))
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
        expected_error_mm=_column(rows, 'expected_error_mm')[:, 0] if calibrated else None,
        flagged=np.array([row['flagged'] for row in rows], bool) if assessed else None,
        warnings=tuple(entry['warnings']),
        doubtful=bool(entry['doubtful']),
        measurements={name: _value(value) for name, value in entry['measurements'].items()},
        measurement_errors={name: _value(value) for name, value in entry.get('measurement_errors', {}).items()},
        flagged_measurements=frozenset(entry['flagged_measurements']),
    )


def _column(rows: list[dict], *names: str) -> np.ndarray:
    return np.array([[_value(row[name]) for name in names] for row in rows], float)


def _value(value: float | None) -> float:
    return np.nan if value is None else float(value)


def read_point_file(path: str | Path, spacing_mm: float | None = None) -> Predictions:
    """Read the landmarks of X-rays.

    Args:
        path: ``predictions.json`` or ``landmarks.csv`` of ``predict``, or a COCO file of this project. A CSV file needs
            the columns image, landmark, x_px and y_px; its spacing is that by which x_mm and y_mm follow from them. Its
            columns score, flagged, doubtful and warnings are read where they are there.
        spacing_mm: Millimetres per pixel, instead of what the file says.

    Raises:
        InputError: The file is missing, or is none of these.
    """
    if str(path).lower().endswith('.csv'):
        points = _from_csv(read_csv(path))
    else:
        content = read_json(path)
        is_coco = isinstance(content, dict) and 'annotations' in content
        points = _from_coco(load_coco(path)) if is_coco else parse_predictions(path, content)
    if spacing_mm is None:
        return points
    return replace(points, xrays=tuple(replace(xray, spacing_mm=spacing_mm) for xray in points.xrays))


def _from_coco(labelled: LabelledImages) -> Predictions:
    landmarks = load_landmark_set(labelled.landmark_set)
    if landmarks.abbreviations != labelled.abbreviations:
        raise InputError(
            f'{labelled.path}: its landmarks are not those of the set {labelled.landmark_set!r}; prepare it again'
        )
    xrays = []
    for image in labelled.images:
        name, size = Path(image.file_name).stem, (image.width, image.height)
        file = str(labelled.image_path(image))
        xrays.append(_labelled(name, file, size, image.spacing_mm, image.points_px))
    return Predictions(landmarks, tuple(xrays))


def _from_csv(table: CsvTable) -> Predictions:
    image, landmark, *_ = map(table.column, ('image', 'landmark', 'x_px', 'y_px'))
    names = {name: place for place, name in enumerate(dict.fromkeys(row[image] for row in table.rows))}
    abbreviations = list(dict.fromkeys(row[landmark] for row in table.rows))
    cells = np.full((len(names), len(abbreviations), 5), np.nan)
    assessed, flagged = np.zeros(cells.shape[:2], bool), np.zeros(cells.shape[:2], bool)
    doubtful, warnings = set(), {}
    for position, row in enumerate(table.rows):
        place = names[row[image]], abbreviations.index(row[landmark])
        cells[place] = _numbers(table, position)
        flag = _yes_or_no(table, position, 'flagged')
        assessed[place], flagged[place] = flag is not None, bool(flag)
        if _yes_or_no(table, position, 'doubtful'):
            doubtful.add(row[image])
        if text := _cell(table, position, 'warnings'):
            # Whole, because a warning may hold the characters that join them.
            warnings[row[image]] = (text,)
    xrays = []
    for n, name in enumerate(names):
        points_px = cells[n, :, :2]
        xray = _labelled(name, '', (0, 0), _spacing_mm(points_px, cells[n, :, 2:4]), points_px)
        flags = np.full(len(abbreviations), True) if name in doubtful else flagged[n] if assessed[n].any() else None
        remarks = {'doubtful': name in doubtful, 'warnings': warnings.get(name, ())}
        xrays.append(replace(xray, scores=cells[n, :, 4], flagged=flags, **remarks))
    return Predictions(_set_of(abbreviations), tuple(xrays))


def _cell(table: CsvTable, position: int, name: str) -> str:
    """The cell of a row; empty where there is no such column."""
    column = table.find_column(name)
    return '' if column is None else table.rows[position][column]


def _numbers(table: CsvTable, position: int) -> list[float]:
    """The cells x_px, y_px, x_mm, y_mm and score of a row; NaN where there is none."""
    texts = [_cell(table, position, name) for name in ('x_px', 'y_px', 'x_mm', 'y_mm', 'score')]
    try:
        return [float(text) if text else np.nan for text in texts]
    except ValueError:
        raise InputError(
            f'{table.path}, line {table.lines[position]}: {", ".join(texts)} are not all numbers; correct the row'
        ) from None


def _yes_or_no(table: CsvTable, position: int, name: str) -> bool | None:
    text = _cell(table, position, name)
    if text.lower() not in ('yes', 'no', ''):
        raise InputError(f'{table.path}, line {table.lines[position]}: {name} is {text!r}; write yes, no or nothing')
    return text.lower() == 'yes' if text else None


def _spacing_mm(points_px: np.ndarray, points_mm: np.ndarray) -> float | None:
    known = np.isfinite(points_px) & np.isfinite(points_mm)
    extent_px = np.abs(points_px[known]).sum()
    return float(np.abs(points_mm[known]).sum() / extent_px) if extent_px else None


def _set_of(abbreviations: Sequence[str]) -> LandmarkSet:
    names = tuple(abbreviations)
    return LandmarkSet('csv', 'landmarks of a CSV file', names, names, ('landmark',) * len(names), ())


def _labelled(
    name: str, file: str, size: tuple[int, int], spacing_mm: float | None, points_px: np.ndarray
) -> PredictedXray:
    scores = np.full(len(points_px), np.nan)
    return PredictedXray(name, file, None, *size, spacing_mm, Orientation(), points_px, scores)
