"""How sure a measurement is, when it is known how far the landmarks are expected to be off."""

from collections.abc import Sequence

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.measuring import UNIT_SCALES, facing_right
from cephalometric.measurements.primitives import Formula

STEP_MM = 1e-4
"""How far landmarks are moved to find how much a measurement changes: far below any error of a landmark."""


def sigma_per_axis(expected_errors: np.ndarray) -> np.ndarray:
    """The standard deviation of each coordinate of a landmark whose mean radial error is expected to be so large.

    Its error is taken for an isotropic normal one, whose length has a Rayleigh distribution of the mean
    sigma * sqrt(pi / 2).
    """
    return np.asarray(expected_errors, float) / np.sqrt(np.pi / 2)


def standard_errors(
    points_px: np.ndarray,
    expected_errors_mm: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    measurements: Sequence[Measurement],
) -> np.ndarray:
    """The standard errors that the landmarks' expected errors mean for measurements, to first order.

    The errors of two landmarks are taken as independent. Those of one head often are not (a whole outline of a jaw that
    is taken for its double), so that what is measured between such neighbours may be surer than this says. An error
    that all landmarks of an X-ray share, such as one of its spacing, is not in it.

    Args:
        points_px: Shape (N, K, 2) as x, y, in pixels; NaN where a landmark is missing.
        expected_errors_mm: Shape (N, K): the mean radial error to expect; NaN where it is not known.
        landmark_set: Names the K landmarks.
        spacings_mm: Shape (N,), millimetres per pixel; NaN where it is not known.
        measurements: M of them.

    Returns:
        Shape (N, M), in the units of the measurements; NaN where the value, the spacing or an expected error is not
        known.
    """
    formulas = [measurement.formula for measurement in measurements]
    errors = formula_errors(points_px, expected_errors_mm, landmark_set, spacings_mm, formulas)
    return errors * np.array([UNIT_SCALES.get(measurement.unit, 1.0) for measurement in measurements])


def formula_errors(
    points_px: np.ndarray,
    expected_errors_mm: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    formulas: Sequence[Formula],
) -> np.ndarray:
    """The standard errors of formulas in degrees, millimetres or as ratios; arguments as for :func:`standard_errors`.

    Returns:
        Shape (N, M).
    """
    faces = facing_right(np.asarray(points_px, float), landmark_set) * np.asarray(spacings_mm, float)[:, None, None]
    sigmas = sigma_per_axis(expected_errors_mm)
    place = {name: index for index, name in enumerate(landmark_set.abbreviations)}
    columns = [_error(formula, faces, sigmas, place) for formula in formulas]
    return np.stack(columns, axis=1) if columns else np.empty((len(faces), 0))


def _error(formula: Formula, faces: np.ndarray, sigmas: np.ndarray, place: dict[str, int]) -> np.ndarray:
    names = list(dict.fromkeys(formula.landmarks()))
    if not set(names) <= place.keys():
        return np.full(len(faces), np.nan)
    if not names:
        return np.zeros(len(faces))
    chosen = [place[name] for name in names]
    # Every coordinate of every landmark moved a little to either side: shape (2L, 2, N, L, 2).
    steps = STEP_MM * np.eye(2 * len(names)).reshape(-1, 1, 1, len(names), 2) * np.array([1, -1]).reshape(1, 2, 1, 1, 1)
    moved = faces[:, chosen] + steps
    values = formula.evaluate({name: moved[..., n, :] for n, name in enumerate(names)})
    slopes = (values[:, 0] - values[:, 1]) / (2 * STEP_MM)
    if formula.dimension == 'angle':
        # An angle may jump by a whole turn between the two sides.
        slopes = ((slopes * 2 * STEP_MM + 180) % 360 - 180) / (2 * STEP_MM)
    variances = np.repeat(sigmas[:, chosen].T, 2, axis=0) ** 2
    return np.sqrt((slopes**2 * variances).sum(axis=0))


def errors_of_xray(
    points_px: np.ndarray,
    expected_error_mm: np.ndarray | None,
    landmark_set: LandmarkSet,
    spacing_mm: float | None,
    measurements: Sequence[Measurement],
) -> dict[str, float]:
    """The standard errors of one X-ray's measurements, by name.

    Args:
        points_px: Shape (K, 2).
        expected_error_mm: Shape (K,); None where it is not known.
        landmark_set: Names the K landmarks.
        spacing_mm: Millimetres per pixel; None where it is not known.
        measurements: What was measured.

    Returns:
        NaN where one is not known; empty where none can be, without expected errors or without a spacing.
    """
    if expected_error_mm is None or spacing_mm is None:
        return {}
    points, expected = np.asarray(points_px, float)[None], np.asarray(expected_error_mm, float)[None]
    errors = standard_errors(points, expected, landmark_set, np.array([spacing_mm]), measurements)[0]
    return {measurement.name: float(error) for measurement, error in zip(measurements, errors, strict=True)}
