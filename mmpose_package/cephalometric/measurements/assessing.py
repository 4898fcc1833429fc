"""Values against an analysis: whose norm, how many standard deviations from it, which class, and how surely."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.analyses import ANYBODY, Analysis, AnalysisEntry
from cephalometric.measurements.entries import Measurement
from cephalometric.measurements.formulas import Sum, Times
from cephalometric.measurements.measuring import UNIT_SCALES, evaluate_all
from cephalometric.measurements.norms import MeasurementClass, Norm, Person
from cephalometric.measurements.primitives import Formula
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
    flagged: Sequence[np.ndarray | None] | None = None,
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
        flagged: N arrays of shape (K,), or None for an X-ray where nothing was assessed; None where none was.
    """
    points_px, spacings_mm = np.asarray(points_px, float), np.asarray(spacings_mm, float)
    persons = [ANYBODY] * len(points_px) if persons is None else list(persons)
    chosen = [_norms_of(entry, persons, norms) for entry in analysis.entries]
    wanted = [_wanted(*pair) for pair in zip(analysis.entries, chosen, strict=True)]
    every = [formula for formulas in wanted for formula in formulas]
    values = evaluate_all(points_px, landmark_set, spacings_mm, every)
    errors = np.full_like(values, np.nan)
    if expected_errors_mm is not None:
        errors = formula_errors(points_px, expected_errors_mm, landmark_set, spacings_mm, every)
    columns, start = {}, 0
    for entry, its_norms, formulas in zip(analysis.entries, chosen, wanted, strict=True):
        part = slice(start, start + len(formulas))
        scale = UNIT_SCALES.get(entry.measurement.unit, 1.0)
        marks = _flags_of(entry.measurement, landmark_set, flagged, len(points_px))
        columns[entry.name] = _column(
            entry, its_norms, formulas, values[:, part] * scale, errors[:, part] * scale, marks
        )
        start = part.stop
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


def _norms_of(entry: AnalysisEntry, persons: Sequence[Person], name: str | None) -> list[Norm | None]:
    """The norm for each person."""
    chosen = {person: entry.norm_for(person, name) for person in dict.fromkeys(persons)}
    return [chosen[person] for person in persons]


def _wanted(entry: AnalysisEntry, norms: Sequence[Norm | None]) -> list[Formula]:
    """The value, and for each individualised norm its mean; then how far the value lies above each of these means."""
    value = entry.measurement.formula
    means = list(dict.fromkeys(norm.formula for norm in norms if norm is not None and norm.formula is not None))
    return [value, *means, *(Sum((value, Times(-1.0, mean))) for mean in means)]


def _flags_of(
    measurement: Measurement, landmark_set: LandmarkSet, flagged: Sequence[np.ndarray | None] | None, count: int
) -> list[bool | None]:
    """Whether a measurement uses a flagged landmark, for each X-ray; None where nothing was assessed."""
    names = set(measurement.landmarks)
    used = [n for n, name in enumerate(landmark_set.abbreviations) if name in names]
    rows = [None] * count if flagged is None else flagged
    return [None if row is None else bool(np.asarray(row)[used].any()) for row in rows]


def _column(
    entry: AnalysisEntry,
    norms: Sequence[Norm | None],
    formulas: Sequence[Formula],
    values: np.ndarray,
    errors: np.ndarray,
    flags: Sequence[bool | None],
) -> list[AssessedValue]:
    """One measurement of all X-rays, from the values and standard errors of what :func:`_wanted` asks for."""
    means = len(formulas) // 2
    classes = {id(norm): entry.classes_at(norm) for norm in norms}
    column = []
    for norm, its_values, its_errors, flag in zip(norms, values.tolist(), errors.tolist(), flags, strict=True):
        mean, border_error = None if norm is None else norm.centre, its_errors[0]
        if norm is not None and norm.formula is not None:
            place = 1 + formulas[1 : 1 + means].index(norm.formula)
            mean, border_error = its_values[place], its_errors[place + means]
        judged = _assessed(
            entry.measurement, its_values[0], its_errors[0], border_error, norm, mean, flag, classes[id(norm)]
        )
        column.append(judged)
    return column


def _assessed(
    measurement: Measurement,
    value: float,
    error: float,
    border_error: float,
    norm: Norm | None,
    mean: float | None,
    flagged: bool | None,
    ranges: tuple[tuple[MeasurementClass, ...], bool, str],
) -> AssessedValue:
    classes, relative, source = ranges
    if mean is not None and not isfinite(mean):
        norm, mean = None, None
        classes = () if relative else classes
    position = value - mean if relative and mean is not None else value
    found = class_of(classes, position)
    nearest = min((abs(position - border) for part in classes for border in part.borders), default=inf)
    known = isfinite(value)
    return AssessedValue(
        measurement=measurement,
        value=value,
        standard_error=error if known and isfinite(error) else None,
        norm=norm,
        mean=mean,
        deviation_sd=(value - mean) / norm.sd if known and norm is not None and norm.sd is not None else None,
        class_name=found and found.name,
        is_normal=found and found.is_normal,
        class_source=source if found else '',
        undecided=nearest < border_error if found and isfinite(border_error) else None,
        flagged=flagged if known else None,
    )


def class_of(classes: Sequence[MeasurementClass], value: float) -> MeasurementClass | None:
    """The class that a value belongs to; None for NaN, and without classes."""
    if isnan(value):
        return None
    return next((part for part in classes if part.holds(value)), None)
