"""Landmarks in, measurements out; and what errors of landmarks do to measurements and their classes."""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class MeasurementError:
    """Measured on predicted landmarks minus measured on true ones, over images.

    Attributes:
        measurement: What was measured; its unit is that of the numbers.
        count: The images in which both values exist.
        mean_absolute: The mean of the absolute differences; NaN when there are none, as the next two.
        sd: Their (population) standard deviation.
        bias: The mean of the differences with their sign: above 0 when predictions measure too much.
    """

    measurement: Measurement
    count: int
    mean_absolute: float
    sd: float
    bias: float


@dataclass(frozen=True)
class ClassSuccess:
    """How often predicted landmarks lead to the same class as true ones.

    Attributes:
        measurement: What was classified.
        count: The images in which both classes exist.
        success_percent: The share with equal classes, 0 to 100; NaN when there are none.
    """

    measurement: Measurement
    count: int
    success_percent: float


def classify(measurement: Measurement, value: float) -> str | None:
    """The name of the class that a value belongs to; None for NaN, and for a measurement without classes."""
    if np.isnan(value):
        return None
    return next((part.name for part in measurement.classes if part.holds(value)), None)


def measurement_errors(
    predicted_px: np.ndarray,
    true_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    measurements: Sequence[Measurement] | None = None,
) -> list[MeasurementError]:
    """How far measurements on predicted landmarks are from those on true ones.

    Args:
        predicted_px, true_px: Shape (N, K, 2) as x, y, in pixels; NaN where a landmark is missing.
        landmark_set: Names the K landmarks.
        spacings_mm: Shape (N,), millimetres per pixel; NaN where it is not known.
        measurements: By default all of the package whose landmarks the set has.

    Returns:
        One entry a measurement, in the given order.
    """
    chosen = measurements_for(landmark_set) if measurements is None else measurements
    predicted = measure_all(predicted_px, landmark_set, spacings_mm, chosen)
    differences = predicted - measure_all(true_px, landmark_set, spacings_mm, chosen)
    return [_error(measurement, column) for measurement, column in zip(chosen, differences.T, strict=True)]


def class_successes(
    predicted_px: np.ndarray,
    true_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    measurements: Sequence[Measurement] | None = None,
) -> list[ClassSuccess]:
    """The success classification rate of every measurement that has classes.

    The rate is that of C.-W. Wang et al., "A benchmark for comparison of dental radiography analysis algorithms",
    Medical Image Analysis 31, 2016: the share of images whose class is the same on predicted and on true landmarks.
    Arguments as in ``measurement_errors``.
    """
    chosen = measurements_for(landmark_set) if measurements is None else measurements
    chosen = [measurement for measurement in chosen if measurement.classes]
    predicted = measure_all(predicted_px, landmark_set, spacings_mm, chosen)
    true = measure_all(true_px, landmark_set, spacings_mm, chosen)
    return [_success(*column) for column in zip(chosen, predicted.T, true.T, strict=True)]


def _error(measurement: Measurement, differences: np.ndarray) -> MeasurementError:
    found = differences[np.isfinite(differences)]
    if found.size == 0:
        return MeasurementError(measurement, 0, np.nan, np.nan, np.nan)
    absolute = np.abs(found)
    return MeasurementError(measurement, found.size, float(absolute.mean()), float(absolute.std()), float(found.mean()))


def _success(measurement: Measurement, predicted: np.ndarray, true: np.ndarray) -> ClassSuccess:
    pairs = [(classify(measurement, a), classify(measurement, b)) for a, b in zip(predicted, true, strict=True)]
    equal = [a == b for a, b in pairs if a is not None and b is not None]
    return ClassSuccess(measurement, len(equal), float(np.mean(equal)) * 100 if equal else np.nan)
