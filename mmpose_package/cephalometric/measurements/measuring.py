"""Landmarks in, measurements out."""

from collections.abc import Sequence

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.entries import Measurement, measurements_for

# Landmarks that follow each other clockwise on a face that looks right, far enough apart that no error changes that.
_CLOCKWISE = (('S', 'N', 'Me'), ('Po', 'Or', 'Me'), ('Go', 'N', 'Pog'))


def measure(
    points_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacing_mm: float | None,
    measurements: Sequence[Measurement] | None = None,
) -> dict[str, float]:
    """Measure one X-ray.

    Args:
        points_px: The landmarks, shape (K, 2) as x, y, in pixels; NaN where one is missing. The head may be tilted and
            may look either way: signs are those of the definition, not of the picture.
        landmark_set: Names the K landmarks.
        spacing_mm: Millimetres per pixel; None where it is not known.
        measurements: What to measure; by default all of the package whose landmarks the set has.

    Returns:
        Values by the measurements' names, in their units; NaN where a landmark is missing, where the value is not
        defined because points coincide, or for a length without a spacing.
    """
    chosen = measurements_for(landmark_set) if measurements is None else measurements
    spacings = np.array([np.nan if spacing_mm is None else spacing_mm])
    values = measure_all(np.asarray(points_px, float)[None], landmark_set, spacings, chosen)[0]
    return {measurement.name: float(value) for measurement, value in zip(chosen, values, strict=True)}


def measure_all(
    points_px: np.ndarray, landmark_set: LandmarkSet, spacings_mm: np.ndarray, measurements: Sequence[Measurement]
) -> np.ndarray:
    """Measure N X-rays.

    Args:
        points_px: Shape (N, K, 2) as x, y, in pixels; NaN where a landmark is missing.
        landmark_set: Names the K landmarks.
        spacings_mm: Shape (N,), millimetres per pixel; NaN where it is not known.
        measurements: What to measure.

    Returns:
        Shape (N, M): one column a measurement, in its unit; NaN as in ``measure``.
    """
    points_px = np.asarray(points_px, float)
    positions = dict(
        zip(landmark_set.abbreviations, np.moveaxis(_facing_right(points_px, landmark_set), 1, 0), strict=True)
    )
    nowhere = np.full((len(points_px), 2), np.nan)
    columns = []
    for measurement in measurements:
        needed = {name: positions.get(name, nowhere) for name in measurement.landmarks}
        scale = {'deg': 1, 'ratio': 1, '%': 100, 'mm': np.asarray(spacings_mm, float)}[measurement.unit]
        columns.append(measurement.formula.evaluate(needed) * scale)
    return np.stack(columns, axis=1) if columns else np.empty((len(points_px), 0))


def faces_right(points_px: np.ndarray, landmark_set: LandmarkSet) -> np.ndarray:
    """Whether faces look to the right, however the heads are tilted.

    Args:
        points_px: Shape (..., K, 2) as x, y, y down.
        landmark_set: Names the K landmarks.

    Returns:
        Booleans of shape (...); True also where too few landmarks are there to tell.
    """
    points = np.asarray(points_px, float)
    place = {name: index for index, name in enumerate(landmark_set.abbreviations)}
    areas = np.zeros(points.shape[:-2])
    for triangle in _CLOCKWISE:
        if place.keys() >= set(triangle):
            first, second, third = (points[..., place[name], :] for name in triangle)
            (ax, ay), (bx, by) = np.moveaxis(second - first, -1, 0), np.moveaxis(third - first, -1, 0)
            areas += np.nan_to_num(ax * by - ay * bx)
    return areas >= 0


def _facing_right(points_px: np.ndarray, landmark_set: LandmarkSet) -> np.ndarray:
    sign = np.where(faces_right(points_px, landmark_set), 1, -1)
    return points_px * np.stack([sign, np.ones_like(sign)], axis=-1)[..., None, :]
