"""X-rays of results, measured: all at once, as arrays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import (
    ANYBODY,
    Analysis,
    AssessedAnalysis,
    Measurement,
    Person,
    assess_all,
    flagged_measurements,
    measure_all,
    standard_errors,
)
from cephalometric.results.predictions import PredictedXray

AT_ONCE = 256
"""X-rays in memory: arrays of so many are quick, and small."""


def measure_xrays(
    xrays: Sequence[PredictedXray], landmarks: LandmarkSet, measurements: Sequence[Measurement]
) -> list[PredictedXray]:
    """The same X-rays with the values of measurements, their standard errors, and which of them are flagged.

    Args:
        xrays: The X-rays.
        landmarks: Names the landmarks.
        measurements: What to measure.
    """
    points_px, spacings_mm, expected_mm = _arrays(xrays, landmarks)
    names = [measurement.name for measurement in measurements]
    values = measure_all(points_px, landmarks, spacings_mm, measurements)
    errors = standard_errors(points_px, expected_mm, landmarks, spacings_mm, measurements)
    measured = []
    for xray, its_values, its_errors in zip(xrays, values, errors, strict=True):
        known = [measurement for measurement, value in zip(measurements, its_values, strict=True) if np.isfinite(value)]
        measured.append(
            replace(
                xray,
                measurements=dict(zip(names, its_values.tolist(), strict=True)),
                measurement_errors=dict(zip(names, its_errors.tolist(), strict=True)),
                flagged_measurements=flagged_measurements(known, landmarks, xray.flagged),
            )
        )
    return measured


class MeasuredXrays(Iterable[PredictedXray]):
    """X-rays that are measured, some at once, whenever they are gone through; see :func:`measure_xrays`."""

    def __init__(
        self, xrays: Sequence[PredictedXray], landmarks: LandmarkSet, measurements: Sequence[Measurement]
    ) -> None:
        self._xrays, self._landmarks, self._measurements = xrays, landmarks, measurements

    def __len__(self) -> int:
        return len(self._xrays)

    def __iter__(self) -> Iterator[PredictedXray]:
        left = iter(self._xrays)
        while some := list(islice(left, AT_ONCE)):
            yield from measure_xrays(some, self._landmarks, self._measurements)


def assess_xrays(
    xrays: Sequence[PredictedXray],
    landmarks: LandmarkSet,
    analysis: Analysis,
    person: Person = ANYBODY,
    norms: str | None = None,
) -> list[AssessedAnalysis]:
    """The values of X-rays by an analysis; see :func:`~cephalometric.measurements.assess_all`."""
    points_px, spacings_mm, expected_mm = _arrays(xrays, landmarks)
    return assess_all(
        points_px,
        landmarks,
        spacings_mm,
        analysis,
        [person] * len(xrays),
        norms=norms,
        expected_errors_mm=expected_mm,
        flagged=[xray.flagged for xray in xrays],
    )


def assess_xray(
    xray: PredictedXray,
    landmarks: LandmarkSet,
    analysis: Analysis,
    person: Person = ANYBODY,
    norms: str | None = None,
) -> AssessedAnalysis:
    """The values of one X-ray by an analysis."""
    return assess_xrays([xray], landmarks, analysis, person, norms)[0]


def _arrays(xrays: Sequence[PredictedXray], landmarks: LandmarkSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points in pixels, shape (N, K, 2), spacings, shape (N,), and expected errors, shape (N, K); NaN where unknown."""
    shape = (len(xrays), len(landmarks))
    unknown = np.full(len(landmarks), np.nan)
    points_px = np.array([xray.points_px for xray in xrays], float).reshape(*shape, 2)
    spacings_mm = np.array([np.nan if xray.spacing_mm is None else xray.spacing_mm for xray in xrays], float)
    expected = [unknown if xray.expected_error_mm is None else xray.expected_error_mm for xray in xrays]
    return points_px, spacings_mm, np.array(expected, float).reshape(shape)
