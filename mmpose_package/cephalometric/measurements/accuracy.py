"""What errors of landmarks do to measurements, and to the classes that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.entries import Measurement, measurements_for
from cephalometric.measurements.measuring import measure_all


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
