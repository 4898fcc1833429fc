"""The JSON files of the CL-Detection 2023 challenge: annotations (train-gt.json) and results.

Both hold a flat list of points ``[x, y, z]``: x and y in pixels of the padded slice, z the number of the slice from 1.
A landmark's name is its number in the landmark set, from 1. An annotation carries the spacing of its image in mm per
pixel as ``scale``, which may be a number or a text.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import Annotation, finite_number, label, short
from cephalometric.errors import InputError, Problems
from cephalometric.files import atomic_write, read_json
from cephalometric.landmarks import LandmarkSet

RESULT_NAME = 'Orthodontic landmarks'


def read_annotations(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[int, Annotation]:
    """Read an annotation file.

    Args:
        path: A file such as train-gt.json.
        landmark_set: The landmarks that its names count through.
        problems: Takes every problem of a point, name or scale. A landmark that is not there is none: that is for the
            caller to judge.

    Returns:
        The annotations by slice number, which is from 1 in a valid file.

    Raises:
        InputError: The file is missing, is not JSON or has no list of points.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get('points'), list):
        raise InputError(f'{path}: not an annotation file: a JSON object with a list "points" is needed')
    points: dict[int, np.ndarray] = {}
    scales: dict[int, set[float | None]] = {}
    for position, entry in enumerate(content['points'], start=1):
        point = _point(entry)
        if point is None:
            problems.add(
                'entries of "points" whose "point" is not three finite numbers: x, y and the slice',
                None,
                f'entry {position}: {short(entry)}',
            )
            continue
        x, y, number = point
        points.setdefault(number, np.full((len(landmark_set), 2), np.nan))
        scales.setdefault(number, set()).add(_scale(entry, number, problems))
        index = _landmark_index(entry, number, landmark_set, problems)
        if index is not None and np.isfinite(points[number][index, 0]):
            problems.add('landmarks annotated more than once', number, label(landmark_set, index))
        elif index is not None:
            points[number][index] = x, y
    return {number: Annotation(points[number], _one_scale(scales[number], number, problems)) for number in points}


def _point(entry: object) -> tuple[float, float, int] | None:
    """x, y and the slice number; None if the entry does not have them."""
    point = entry.get('point') if isinstance(entry, dict) else None
    if not isinstance(point, list) or len(point) != 3 or any(isinstance(value, str) for value in point):
        return None
    x, y, z = (finite_number(value) for value in point)
    if x is None or y is None or z is None or z != int(z):
        return None
    return x, y, int(z)


def _scale(entry: dict, number: int, problems: Problems) -> float | None:
    scale = finite_number(entry.get('scale'))
    if scale is not None and scale > 0:
        return scale
    if entry.get('scale') is None:
        problems.add('points without a "scale" (mm per pixel)', number)
    else:
        problems.add('scales that are not a positive number (mm per pixel)', number, short(entry['scale']))
    return None


def _one_scale(scales: set[float | None], number: int, problems: Problems) -> float:
    usable = sorted(scales - {None})
    if len(usable) > 1:
        problems.add('differing scales within an image', number, ', '.join(map(str, usable)))
    return usable[0] if usable else math.nan


def _landmark_index(entry: dict, number: int, landmark_set: LandmarkSet, problems: Problems) -> int | None:
    name = entry.get('name')
    value = finite_number(name)
    if value is not None and value in range(1, len(landmark_set) + 1):
        return int(value) - 1
    problems.add(
        f'names outside the landmark set {landmark_set.name} (1 to {len(landmark_set)}; choose a set with --landmarks)',
        number,
        short(name),
    )
    return None


def write_result(
    path: str | Path,
    points_per_slice: Iterable[np.ndarray],
    probabilities_per_slice: Iterable[np.ndarray] | None = None,
) -> None:
    """Write predicted landmarks as the challenge's result file. The file appears when it is complete.

    Whether it can be written is found out before the first slice is taken, so an iterator may predict as it goes.

    Args:
        path: The JSON file to write.
        points_per_slice: For each slice, in their order, shape (K, 2) as x, y in pixels of the padded slice.
        probabilities_per_slice: For each slice, shape (K,), from 0 to 1: written as "probability" of each point.

    Raises:
        InputError: The file cannot be written there.
        ValueError: A coordinate is not finite, or a probability is not within 0 and 1.
    """
    points = []
    with atomic_write(path) as partial:
        if probabilities_per_slice is None:
            slices = ((points_px, None) for points_px in points_per_slice)
        else:
            slices = zip(points_per_slice, probabilities_per_slice, strict=True)
        for number, (points_px, probabilities) in enumerate(slices, start=1):
            points.extend(_result_points(number, points_px, probabilities))
        version = {'major': 1, 'minor': 0}
        result = {'name': RESULT_NAME, 'type': 'Multiple points', 'points': points, 'version': version}
        partial.write_text(json.dumps(result, allow_nan=False) + '\n', encoding='utf-8')


def _result_points(number: int, points_px: np.ndarray, probabilities: np.ndarray | None) -> list[dict]:
    entries = [{'name': str(k), 'point': [float(x), float(y), number]} for k, (x, y) in enumerate(points_px, start=1)]
    if probabilities is not None:
        if np.shape(probabilities) != (len(entries),) or not all(0 <= value <= 1 for value in probabilities):
            raise ValueError(f'slice {number}: one probability between 0 and 1 is needed for each landmark')
        for entry, value in zip(entries, probabilities, strict=True):
            entry['probability'] = float(value)
    return entries
