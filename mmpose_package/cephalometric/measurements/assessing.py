"""Values against an analysis: whose norm, how many standard deviations from it, which class, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.analyses import ANYBODY, Analysis, AnalysisEntry
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.formulas import Sum, Times
from cephalometric.measurements.measuring import UNIT_SCALES, evaluate_all
from cephalometric.measurements.norms import MeasurementClass, Norm, Person
from cephalometric.measurements.uncertainty import formula_errors


@dataclass(frozen=True)
class AssessedValue:
    """One measurement of one X-ray in an analysis.

    Attributes:
        measurement: What was measured.
        value: In its unit; NaN where it cannot be measured.
        standard_error: In its unit, from the landmarks' expected errors; None where these are not known.
        norm: The norm that was used, with the mean at the person's age; None where there is none for such a person.
        mean: The norm's mean, or the middle of its range, or what its formula gives for this head; None without a norm.
        deviation_sd: How many standard deviations the value lies above the mean; None without either.
        class_name: In words; None without classes and without a value.
        is_normal: Whether that is the normal class; None without one.
        class_source: Who set the borders of the classes; empty without one.
        undecided: Whether the value is closer to a border of its class than its standard error, so that the class may
            be another one; None where the standard error is not known or there is no class.
        flagged: Whether it uses a flagged landmark; None where nothing was assessed.
    """

    measurement: Measurement
    value: float
    standard_error: float | None
    norm: Norm | None
    mean: float | None
    deviation_sd: float | None
    class_name: str | None
    is_normal: bool | None
    class_source: str
    undecided: bool | None
    flagged: bool | None

    @property
    def sd(self) -> float | None:
        """The norm's standard deviation, or the author's clinical one."""
        return self.norm and self.norm.sd

    @property
    def range(self) -> tuple[float, float] | None:
        """The range that the norm's author calls normal."""
        return self.norm and self.norm.range


@dataclass(frozen=True)
class AssessedGroup:
    """The values of a group of an analysis, under its title."""

    title: str
    values: tuple[AssessedValue, ...]


@dataclass(frozen=True)
class AssessedAnalysis:
    """An analysis of one X-ray: its values in the analysis' groups and order."""

    analysis: Analysis
    groups: tuple[AssessedGroup, ...]

    @property
    def values(self) -> tuple[AssessedValue, ...]:
        """All values in order."""
        return tuple(value for group in self.groups for value in group.values)


def assess(
    points_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacing_mm: float | None,
    analysis: Analysis,
    *,
    person: Person = ANYBODY,
    norms: str | None = None,
    expected_error_mm: np.ndarray | None = None,
    flagged: np.ndarray | None = None,
) -> AssessedAnalysis:
    """Assess one X-ray by an analysis; see :func:`assess_all` for many at once.

    Args:
        points_px: Shape (K, 2) as x, y, in pixels; NaN where a landmark is missing.
        landmark_set: Names the K landmarks.
        spacing_mm: Millimetres per pixel; None where it is not known: then there are no lengths and no standard errors.
        analysis: Such as ``load_analyses()['steiner']``. What the landmark set cannot measure has the value NaN.
        person: Whom the norms are chosen for; without sex and age, adult norms for both sexes.
        norms: The name of a population whose norms come before others.
        expected_error_mm: Shape (K,): the mean radial error to expect of each landmark; None where it is not known.
        flagged: Shape (K,): the landmarks in doubt; None where nothing was assessed.
    """
    spacings = np.array([np.nan if spacing_mm is None else spacing_mm])
    expected = None if expected_error_mm is None else np.asarray(expected_error_mm, float)[None]
    marks = None if flagged is None else np.asarray(flagged)[None]
    points = np.asarray(points_px, float)[None]
    return assess_all(
        points, landmark_set, spacings, analysis, [person], norms=norms, expected_errors_mm=expected, flagged=marks
    )[0]


def assess_all(
    points_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    analysis: Analysis,
    persons: Sequence[Person] | None = None,
    *,
    norms: str | None = None,
    expected_errors_mm: np.ndarray | None = None,
    flagged: np.ndarray | None = None,
) -> list[AssessedAnalysis]:
    """Assess N X-rays by an analysis.

    Args:
        points_px: Shape (N, K, 2) as x, y, in pixels; NaN where a landmark is missing.
        landmark_set: Names the K landmarks.
        spacings_mm: Shape (N,), millimetres per pixel; NaN where it is not known.
        analysis: What to measure.
        persons: N of them; None for adults whose sex is not known.
        norms: As for :func:`assess`.
        expected_errors_mm: Shape (N, K), NaN where it is not known; None where nothing is known.
        flagged: Shape (N, K); None where nothing was assessed.
    """
    points_px, spacings_mm = np.asarray(points_px, float), np.asarray(spacings_mm, float)
    persons = [ANYBODY] * len(points_px) if persons is None else list(persons)
    columns = {
        entry.name: _column(entry, points_px, landmark_set, spacings_mm, persons, norms, expected_errors_mm, flagged)
        for entry in analysis.entries
    }
    return [
        AssessedAnalysis(
            analysis,
            tuple(
                AssessedGroup(group.title, tuple(columns[entry.name][n] for entry in group.entries))
                for group in analysis.groups
            ),
        )
        for n in range(len(points_px))
    ]


def _column(
    entry: AnalysisEntry,
    points_px: np.ndarray,
    landmark_set: LandmarkSet,
    spacings_mm: np.ndarray,
    persons: Sequence[Person],
    name: str | None,
    expected_mm: np.ndarray | None,
    flagged: np.ndarray | None,
) -> list[AssessedValue]:
    """One measurement of all X-rays."""
    measurement = entry.measurement
    scale = UNIT_SCALES.get(measurement.unit, 1.0)
    chosen = {person: entry.norm_for(person, name) for person in dict.fromkeys(persons)}
    norms = [chosen[person] for person in persons]
    # The value, and for each individualised norm its mean and how far the value lies above it.
    formulas = list(dict.fromkeys(norm.formula for norm in norms if norm is not None and norm.formula is not None))
    wanted = [measurement.formula, *formulas, *(Sum((measurement.formula, Times(-1.0, mean))) for mean in formulas)]
    values = evaluate_all(points_px, landmark_set, spacings_mm, wanted) * scale
    errors = np.full_like(values, np.nan)
    if expected_mm is not None:
        errors = formula_errors(points_px, expected_mm, landmark_set, spacings_mm, wanted) * scale
    names = set(measurement.landmarks)
    marked = [n for n, mark in enumerate(landmark_set.abbreviations) if mark in names]
    column = []
    for n, norm in enumerate(norms):
        value, error, border_error = values[n, 0], errors[n, 0], errors[n, 0]
        mean = None if norm is None else norm.centre
        if norm is not None and norm.formula is not None:
            place = 1 + formulas.index(norm.formula)
            mean, border_error = values[n, place], errors[n, place + len(formulas)]
        mark = None if flagged is None else bool(flagged[n][marked].any())
        column.append(_assessed(entry, value, error, border_error, norm, mean, mark))
    return column


def _assessed(
    entry: AnalysisEntry,
    value: float,
    error: float,
    border_error: float,
    norm: Norm | None,
    mean: float | None,
    flagged: bool | None,
) -> AssessedValue:
    classes, relative, source = entry.classes_at(norm)
    if mean is not None and not np.isfinite(mean):
        norm, mean = None, None
        classes = () if relative else classes
    position = value - mean if relative and mean is not None else value
    found = class_of(classes, position)
    nearest = min((abs(position - border) for part in classes for border in part.borders), default=np.inf)
    known = np.isfinite(value)
    return AssessedValue(
        measurement=entry.measurement,
        value=float(value),
        standard_error=float(error) if known and np.isfinite(error) else None,
        norm=norm,
        mean=None if mean is None else float(mean),
        deviation_sd=float((value - mean) / norm.sd) if known and norm is not None and norm.sd is not None else None,
        class_name=found and found.name,
        is_normal=found and found.is_normal,
        class_source=source if found else '',
        undecided=bool(nearest < border_error) if found and np.isfinite(border_error) else None,
        flagged=flagged if known else None,
    )


def class_of(classes: Sequence[MeasurementClass], value: float) -> MeasurementClass | None:
    """The class that a value belongs to; None for NaN, and without classes."""
    if np.isnan(value):
        return None
    return next((part for part in classes if part.holds(value)), None)
