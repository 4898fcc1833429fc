"""Landmarks to measure on: predictions as JSON or CSV, or the ground truth of a COCO file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImages, load_coco
from cephalometric.formats.csv_files import CsvTable, read_csv
from cephalometric.formats.json_files import read_json
from cephalometric.formats.predictions import PredictedXray, Predictions, parse_predictions
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.orientation import Orientation


def read_point_file(path: str | Path, spacing_mm: float | None = None) -> Predictions:
    """Read the landmarks of X-rays.

    Args:
        path: ``predictions.json`` or ``landmarks.csv`` of ``predict``, or a COCO file of this project. A CSV file needs
            the columns image, landmark, x_px and y_px; its spacing is that by which x_mm and y_mm follow from them.
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
    image, landmark = table.column('image'), table.column('landmark')
    names = {name: place for place, name in enumerate(dict.fromkeys(row[image] for row in table.rows))}
    abbreviations = list(dict.fromkeys(row[landmark] for row in table.rows))
    cells = [_numbers(table, position) for position in range(len(table.rows))]
    points_px = np.full((len(names), len(abbreviations), 2), np.nan)
    points_mm = points_px.copy()
    for row, numbers in zip(table.rows, cells, strict=True):
        place = names[row[image]], abbreviations.index(row[landmark])
        points_px[place], points_mm[place] = numbers[:2], numbers[2:]
    xrays = [
        _labelled(name, '', (0, 0), _spacing_mm(in_px, in_mm), in_px)
        for name, in_px, in_mm in zip(names, points_px, points_mm, strict=True)
    ]
    return Predictions(_set_of(abbreviations), tuple(xrays))


def _numbers(table: CsvTable, position: int) -> list[float]:
    """The cells x_px, y_px, x_mm, y_mm of a row; NaN where there is none."""
    columns = [table.column('x_px'), table.column('y_px'), table.find_column('x_mm'), table.find_column('y_mm')]
    texts = ['' if column is None else table.rows[position][column] for column in columns]
    try:
        return [float(text) if text else np.nan for text in texts]
    except ValueError:
        raise InputError(
            f'{table.path}, line {table.lines[position]}: {", ".join(texts)} are not all numbers; correct the row'
        ) from None


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
