"""Landmarks to measure on: of ``predict`` as JSON or CSV, of a COCO file, or of a table of one's own."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from cephalometric.annotations.annotation import USUAL_SPACING_MM, finite_number, is_normalised
from cephalometric.annotations.coco import load_coco, names_landmark_set
from cephalometric.annotations.coco_keypoints import fitting_landmark_sets, is_numbered, read_keypoint_file
from cephalometric.annotations.coco_values import is_count
from cephalometric.csv_files import read_csv
from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.geometry import Orientation
from cephalometric.landmarks import (
    LandmarkSet,
    built_in_landmark_sets,
    find_abbreviation,
    load_landmark_set,
    with_known_definitions,
)
from cephalometric.measurements import load_measurements
from cephalometric.results.point_tables import PointRow, point_rows, spacing_of_rows
from cephalometric.results.predictions import PredictedXray, Predictions, parse_predictions
from cephalometric.results.stored_xrays import changed_xrays, stored_predictions

FARTHEST_PX = 1e6


def known_abbreviations() -> frozenset[str]:
    """The landmarks of the sets and measurements that come with the package."""
    of_sets = (load_landmark_set(name).abbreviations for name in built_in_landmark_sets())
    of_measurements = (measurement.landmarks for measurement in load_measurements())
    return frozenset().union(*of_sets, *of_measurements)


def read_point_file(
    path: str | Path, spacing_mm: float | None = None, known: Collection[str] | None = None
) -> Predictions:
    """Read the landmarks of X-rays.

    Args:
        path: ``predictions.json`` or ``landmarks.csv`` of ``predict``, or a COCO file with keypoints. A CSV file needs
            the columns image, landmark, x_px and y_px. Its spacing is that of its column spacing_mm; without one, that
            on which most rows agree by their x_mm and y_mm. Its columns score, flagged, doubtful and warnings are read
            where they are there.
        spacing_mm: Millimetres per pixel, instead of what the file says.
        known: Abbreviations that measurements use. A CSV file, or a COCO file of another program, may type them in
            another way; what is none of them is noted. By default :func:`known_abbreviations`.

    Returns:
        The landmarks; its notes say what is to be known about the file.

    Raises:
        InputError: The file is missing, is none of these, or contradicts itself.
    """
    known = known_abbreviations() if known is None else known
    if str(path).lower().endswith('.csv'):
        points = _from_csv(path, spacing_mm, known)
    else:
        stored = stored_predictions(path)
        content = {} if stored else read_json(path)
        if stored:
            points = stored
        elif not isinstance(content, dict) or 'annotations' not in content:
            points = parse_predictions(path, content)
        elif names_landmark_set(content):
            points = _from_our_coco(path)
        else:
            points = _from_coco(path, known)
    if spacing_mm is not None:
        points = replace(points, xrays=changed_xrays(points.xrays, partial(_with_spacing, spacing_mm)))
    return _with_notes(path, points, known)


def _with_notes(path: str | Path, points: Predictions, known: Collection[str]) -> Predictions:
    """The landmarks with notes on spacings that are hardly right, and on abbreviations that nothing uses."""
    notes = list(points.notes)
    for xray in points.xrays:
        if (np.abs(xray.points_px) > FARTHEST_PX).any():
            raise InputError(f'{path}: a point of {xray.name} is beyond any image; correct it')
        notes += [f'{path}: {xray.name}: {text}' for text in _about_spacing(xray)]
    unknown = [repr(name) for name in points.landmarks.abbreviations if name not in known]
    if unknown:
        more = f' and {len(unknown) - 10} more' if len(unknown) > 10 else ''
        notes.append(f'{path}: no measurement and no landmark set knows {", ".join(unknown[:10])}{more}')
    return replace(points, xrays=changed_xrays(points.xrays, _with_warnings), notes=tuple(notes))


def _with_spacing(spacing_mm: float, xray: PredictedXray) -> PredictedXray:
    return replace(xray, spacing_mm=spacing_mm)


def _with_warnings(xray: PredictedXray) -> PredictedXray:
    return replace(xray, warnings=(*xray.warnings, *_about_spacing(xray)))


def _about_spacing(xray: PredictedXray) -> tuple[str, ...]:
    lowest, highest = USUAL_SPACING_MM
    if xray.spacing_mm is None or lowest <= xray.spacing_mm <= highest:
        return ()
    return (f'its spacing of {xray.spacing_mm:g} mm per pixel is unusual: lengths are as wrong as it is',)


def _from_our_coco(path: str | Path) -> Predictions:
    labelled = load_coco(path)
    groups = ('landmark',) * len(labelled.abbreviations)
    # The file says it all, so that nobody needs the table of a landmark set of one's own.
    landmarks = LandmarkSet(
        labelled.landmark_set,
        labelled.landmark_set,
        labelled.landmark_names,
        labelled.abbreviations,
        groups,
        labelled.lines,
    )
    landmarks = with_known_definitions(landmarks)
    xrays = []
    for image in labelled.images:
        name, size = Path(image.file_name).stem, (image.width, image.height)
        file = str(labelled.image_path(image))
        xrays.append(_labelled(name, file, size, image.spacing_mm, image.points_px))
    return Predictions(landmarks, tuple(xrays))


def _from_coco(path: str | Path, known: Collection[str]) -> Predictions:
    """The landmarks of another program's COCO file."""
    content = read_keypoint_file(path)
    fitting = fitting_landmark_sets(content) if is_numbered(content.names) else []
    if len(fitting) == 1:
        content = replace(content, names=fitting[0].abbreviations)
    found = [find_abbreviation(name, known) or name for name in content.names]
    names = [name if found.count(name) == 1 else own for name, own in zip(found, content.names, strict=True)]
    stems = [PurePosixPath(image['file_name'].replace('\\', '/')) for image in content.images]
    xrays, notes = [], []
    for image, file in zip(content.images, stems, strict=True):
        if image['id'] in content.several:
            raise InputError(f'{path}: {image["file_name"]} has several annotations with keypoints: leave one')
        if image['id'] not in content.points_px:
            continue
        unique = sum(other.stem == file.stem for other in stems) == 1
        name = file.stem if unique else '_'.join(part for part in file.with_suffix('').parts if part.strip('./'))
        spacing_mm = image.get('spacing')
        if spacing_mm is not None and (finite_number(spacing_mm) is None or finite_number(spacing_mm) <= 0):
            raise InputError(f'{path}: the spacing of {image["file_name"]} is no positive number of mm per pixel')
        size = tuple(image[side] if is_count(image.get(side)) else 0 for side in ('width', 'height'))
        xray = _labelled(
            name,
            str(Path(path).parent / image['file_name']),
            size,
            None if spacing_mm is None else finite_number(spacing_mm),
            content.points_px[image['id']],
        )
        xray, texts = _without_origin(path, xray, names)
        xrays.append(xray)
        notes += [f'{path}: {name}: {text}' for text in texts]
    return Predictions(_set_of(names, content.lines), tuple(xrays), notes=tuple(notes))


def _from_csv(path: str | Path, asked_mm: float | None, known: Collection[str]) -> Predictions:
    table = read_csv(path)
    rows = point_rows(table, known)
    names = list(dict.fromkeys(row.landmark for row in rows))
    by_image: dict[str, list[PointRow]] = {}
    for row in rows:
        by_image.setdefault(row.image, []).append(row)
    xrays, notes = [], []
    for image, own in by_image.items():
        spacing_mm, texts = spacing_of_rows(table.path, own, asked_mm)
        xray = _xray_of_rows(table.path, own, names, spacing_mm if asked_mm is None else asked_mm)
        xray, at_origin = _without_origin(path, xray, names)
        texts = (*texts, *at_origin)
        # What the file warns of is kept whole, because a warning may hold the characters that join them.
        xrays.append(replace(xray, warnings=(*dict.fromkeys(row.warnings for row in own if row.warnings), *texts)))
        notes += [f'{path}: {image}: {text}' for text in texts]
    return Predictions(_set_of(names), tuple(xrays), notes=tuple(notes))


def _xray_of_rows(path: Path, rows: Sequence[PointRow], names: list[str], spacing_mm: float | None) -> PredictedXray:
    points_px, scores = np.full((len(names), 2), np.nan), np.full(len(names), np.nan)
    expected_mm = np.full(len(names), np.nan)
    flagged, assessed = np.zeros(len(names), bool), False
    for row in rows:
        place = names.index(row.landmark)
        if np.isfinite(row.px).all() or not np.isfinite(row.mm).all():
            points_px[place] = row.px
        elif spacing_mm is None:
            raise InputError(
                f'{path}, line {row.line}: x_mm and y_mm without a spacing: give --spacing or x_px and y_px'
            )
        else:
            points_px[place] = row.mm / spacing_mm
        scores[place], expected_mm[place] = row.score, row.expected_error_mm
        assessed |= row.flagged is not None
        flagged[place] = bool(row.flagged)
    doubtful = any(row.doubtful for row in rows)
    xray = _labelled(rows[0].image, '', (0, 0), spacing_mm, points_px)
    flags = np.ones(len(names), bool) if doubtful else flagged if assessed else None
    expected = expected_mm if np.isfinite(expected_mm).any() else None
    return replace(xray, scores=scores, expected_error_mm=expected, flagged=flags, doubtful=doubtful)


def _without_origin(
    path: str | Path, xray: PredictedXray, names: Sequence[str]
) -> tuple[PredictedXray, tuple[str, ...]]:
    """The X-ray without points at exactly (0, 0), where many tools put what is not annotated, and what to say of them.

    Raises:
        InputError: All its points lie from 0 to 1.
    """
    at_origin = (xray.points_px == 0).all(axis=1)
    points_px = np.where(at_origin[:, None], np.nan, xray.points_px)
    if is_normalised(points_px):
        raise InputError(
            f'{path}: the points of {xray.name} lie from 0 to 1, which are no pixels: multiply them by width and height'
        )
    gone = ', '.join(name for name, gone in zip(names, at_origin, strict=True) if gone)
    return replace(xray, points_px=points_px), ((f'taken as not annotated, at (0, 0): {gone}',) if gone else ())


def _set_of(abbreviations: Sequence[str], lines: Sequence[tuple[int, int]] = ()) -> LandmarkSet:
    names = tuple(abbreviations)
    return LandmarkSet('own', 'landmarks of a file', names, names, ('landmark',) * len(names), tuple(lines))


def _labelled(
    name: str, file: str, size: tuple[int, int], spacing_mm: float | None, points_px: np.ndarray
) -> PredictedXray:
    scores = np.full(len(points_px), np.nan)
    return PredictedXray(name, file, None, *size, spacing_mm, Orientation(), points_px, scores)
