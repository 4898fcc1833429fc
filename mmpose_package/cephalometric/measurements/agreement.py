"""What errors of landmarks do to measurements and to their classes: predicted landmarks against true ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.analyses import ANYBODY, Analysis, AnalysisEntry
from cephalometric.measurements.analysis_tables import analyses_for, measurements_for
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.measuring import UNIT_SCALES, evaluate_all, measure_all
from cephalometric.measurements.norms import MeasurementClass, Person


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
class EntryAgreement:
    """How well predicted landmarks serve for a measurement of an analysis.

    Attributes:
        entry: The measurement with its norms and classes.
        error: How far the measurements are off.
        classes: The names of its classes, from the lowest values to the highest; empty without any.
        confusion: Shape (C, C), whole numbers: rows are the true classes, columns the predicted ones, both in the order
            of ``classes``; only images in which both exist.
    """

    entry: AnalysisEntry
    error: MeasurementError
    classes: tuple[str, ...]
    confusion: np.ndarray

    @property
    def class_count(self) -> int:
        """The images in which both classes exist."""
        return int(self.confusion.sum())

    @property
    def right_class_percent(self) -> float:
        """The share of images whose class is right, 0 to 100; NaN when there are none.

        The success classification rate of C.-W. Wang et al., "A benchmark for comparison of dental radiography
        analysis algorithms", Medical Image Analysis 31, 2016.
        """
        return float(np.trace(self.confusion)) / self.class_count * 100 if self.class_count else np.nan


@dataclass(frozen=True)
class AnalysisAgreement:
    """An analysis with the agreement of each of its measurements, in order."""

    analysis: Analysis
    entries: tuple[EntryAgreement, ...]


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
    angles = np.array([measurement.unit == 'deg' for measurement in chosen], bool)
    differences[:, angles] = (differences[:, angles] + 180) % 360 - 180
    return [_error(measurement, column) for measurement, column in zip(chosen, differences.T, strict=True)]


def _error(measurement: Measurement, differences: np.ndarray) -> MeasurementError:
    found = differences[np.isfinite(differences)]
    if found.size == 0:
        return MeasurementError(measurement, 0, np.nan, np.nan, np.nan)
    absolute = np.abs(found)
    return MeasurementError(measurement, found.size, float(absolute.mean()), float(absolute.std()), float(found.mean()))


def analysis_agreement(
    predicted_px: np.ndarray,
    true_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    analyses: Mapping[str, Analysis] | None = None,
    person: Person = ANYBODY,
    norms: str | None = None,
) -> list[AnalysisAgreement]:
    """How well predicted landmarks serve for analyses: errors of the measurements, and whether their classes are right.

    Args:
        predicted_px, true_px: Shape (N, K, 2) as x, y, in pixels; NaN where a landmark is missing.
        landmark_set: Names the K landmarks.
        spacings_mm: Shape (N,), millimetres per pixel; NaN where it is not known.
        analyses: By default all of the package, with what the landmark set can measure.
        person: Whom the norms are chosen for, the same for all images, as the classes may depend on it.
        norms: The name of a population whose norms come before others.

    Returns:
        One entry an analysis, in the given order.
    """
    chosen = analyses_for(landmark_set) if analyses is None else analyses
    data = predicted_px, true_px, landmark_set, spacings_mm
    every = {entry.name: entry.measurement for analysis in chosen.values() for entry in analysis.entries}
    errors = dict(zip(every, measurement_errors(*data, list(every.values())), strict=True))
    return [
        AnalysisAgreement(
            analysis, tuple(_agreement(entry, errors[entry.name], data, person, norms) for entry in analysis.entries)
        )
        for analysis in chosen.values()
    ]


def _agreement(
    entry: AnalysisEntry, error: MeasurementError, data: tuple, person: Person, norms: str | None
) -> EntryAgreement:
    norm = entry.norm_for(person, norms)
    classes, relative, _ = entry.classes_at(norm)
    predicted_px, true_px, landmark_set, spacings_mm = data
    ordered = in_order(classes)
    confusion = np.zeros((len(ordered), len(ordered)), int)
    if classes:
        predicted, true = (
            _positions(entry, norm if relative else None, points, landmark_set, spacings_mm)
            for points in (predicted_px, true_px)
        )
        numbers = class_numbers(classes, true), class_numbers(classes, predicted)
        places = np.array([ordered.index(part) for part in classes])
        both = (numbers[0] >= 0) & (numbers[1] >= 0)
        np.add.at(confusion, (places[numbers[0][both]], places[numbers[1][both]]), 1)
    return EntryAgreement(entry, error, tuple(part.name for part in ordered), confusion)


def _positions(entry, norm, points_px, landmark_set, spacings_mm) -> np.ndarray:
    """What is compared with the classes' borders: the value, or what it lies above the norm's mean; shape (N,)."""
    formulas = [entry.measurement.formula]
    if norm is not None and norm.formula is not None:
        formulas.append(norm.formula)
    scale = UNIT_SCALES.get(entry.measurement.unit, 1.0)
    values = evaluate_all(points_px, landmark_set, spacings_mm, formulas) * scale
    if norm is None:
        return values[:, 0]
    return values[:, 0] - (norm.centre if norm.formula is None else values[:, 1])


def class_numbers(classes: Sequence[MeasurementClass], values: np.ndarray) -> np.ndarray:
    """The number of the first class that holds each value, of the shape of the values; -1 for NaN."""
    values = np.asarray(values, float)
    numbers = np.full(values.shape, -1)
    for number in range(len(classes) - 1, -1, -1):
        part = classes[number]
        holds = np.isfinite(values)
        if part.below is not None:
            holds = holds & (values < part.below)
        if part.above is not None:
            holds = holds & (values > part.above)
        numbers[holds] = number
    return numbers


def in_order(classes: Sequence[MeasurementClass]) -> tuple[MeasurementClass, ...]:
    """Classes from the lowest values to the highest, the one without a border between."""
    low = sorted((part for part in classes if part.below is not None and part.above is None), key=lambda c: c.below)
    high = sorted((part for part in classes if part.above is not None), key=lambda c: c.above)
    return (*low, *(part for part in classes if part.is_normal), *high)
