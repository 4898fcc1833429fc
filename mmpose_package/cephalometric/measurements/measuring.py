"""Landmarks in, measurements out."""

from collections.abc import Sequence

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.analysis_tables import measurements_for
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.primitives import Formula

UNIT_SCALES = {'%': 100.0}
"""What a formula's value is multiplied by to be in a unit; by 1 in the other units."""

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


def flagged_measurements(
    measurements: Sequence[Measurement], landmark_set: LandmarkSet, flagged: np.ndarray | None
) -> frozenset[str]:
    """The names of the measurements that use a flagged landmark.

    Args:
        measurements: What was measured.
        landmark_set: Names the K landmarks.
        flagged: Shape (K,); None where nothing was assessed.
    """
    if flagged is None:
        return frozenset()
    names = {name for name, flag in zip(landmark_set.abbreviations, flagged, strict=True) if flag}
    return frozenset(measurement.name for measurement in measurements if names & set(measurement.landmarks))


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
    values = evaluate_all(points_px, landmark_set, spacings_mm, [measurement.formula for measurement in measurements])
    return values * np.array([UNIT_SCALES.get(measurement.unit, 1.0) for measurement in measurements])


def evaluate_all(
    points_px: np.ndarray, landmark_set: LandmarkSet, spacings_mm: np.ndarray, formulas: Sequence[Formula]
) -> np.ndarray:
    """The values of formulas: degrees, millimetres, and ratios as they are.

    Args:
        points_px, landmark_set, spacings_mm: As for :func:`measure_all`.
        formulas: M of them.

    Returns:
        Shape (N, M); NaN where a landmark is missing, and for a length without a spacing.
    """
    faces = facing_right(np.asarray(points_px, float), landmark_set)
    scales = np.asarray(spacings_mm, float)
    known = np.isfinite(scales)
    faces = faces * np.where(known, scales, 1.0)[:, None, None]
    positions = dict(zip(landmark_set.abbreviations, np.moveaxis(faces, 1, 0), strict=True))
    nowhere = np.full((len(faces), 2), np.nan)
    values = np.empty((len(faces), len(formulas)))
    for column, formula in enumerate(formulas):
        values[:, column] = formula.evaluate({name: positions.get(name, nowhere) for name in formula.landmarks()})
        if formula.dimension == 'length':
            values[~known, column] = np.nan
    return values


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


def facing_right(points_px: np.ndarray, landmark_set: LandmarkSet) -> np.ndarray:
    """The same points, mirrored where the face looks to the left; shape (..., K, 2)."""
    sign = np.where(faces_right(points_px, landmark_set), 1, -1)
    return points_px * np.stack([sign, np.ones_like(sign)], axis=-1)[..., None, :]
