"""Two films of one patient: both tracings superimposed, and the differences of their measurements.

The tracings lie on each other at a point and along a line: on the cranial base (S-N at S) for what has grown or was
treated in all, on the palatal plane (at ANS) and on the mandibular plane (at Me) for what moved within each jaw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.csv_files import write_csv
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, AssessedValue, faces_right
from cephalometric.results.predictions import PredictedXray


@dataclass(frozen=True)
class Base:
    """What two tracings are superimposed on.

    Attributes:
        title: What it is called.
        point: The landmark in which they agree.
        towards: The landmark whose direction from there is the same in both.
        around: How far beyond the two a drawing goes, in parts of their distance; None for the whole head.
    """

    title: str
    point: str
    towards: str
    around: float | None = None


BASES = (
    Base('cranial base: S-N at S', 'S', 'N'),
    Base('palatal plane at ANS', 'ANS', 'PNS', 0.6),
    Base('mandibular plane at Me', 'Me', 'Go', 0.4),
)


@dataclass(frozen=True)
class Difference:
    """A measurement of two films.

    Attributes:
        before, after: Its values and norms.
        change: After minus before, in its unit; NaN where one of them is not known.
        standard_error: Of the change; None where it is not known.
    """

    before: AssessedValue
    after: AssessedValue
    change: float
    standard_error: float | None

    @property
    def is_clear(self) -> bool | None:
        """Whether the change is more than two standard errors; None where these are not known."""
        if self.standard_error is None or np.isnan(self.change):
            return None
        return abs(self.change) > 2 * self.standard_error


def differences(before: AssessedAnalysis, after: AssessedAnalysis) -> list[Difference]:
    """The differences of two assessments by one analysis.

    The errors of two films are independent of each other, so that their squares add up.
    """
    found = []
    for one, other in zip(before.values, after.values, strict=True):
        errors = (one.standard_error, other.standard_error)
        error = None if None in errors else float(np.hypot(*errors))
        found.append(Difference(one, other, other.value - one.value, error))
    return found


def pair_films(
    before: Sequence[PredictedXray], after: Sequence[PredictedXray]
) -> tuple[list[tuple[PredictedXray, PredictedXray]], list[str]]:
    """The films that belong together: the only one of each file, or those of the same name.

    Returns:
        The pairs, in the order of ``before``, and the names that have no partner.
    """
    if len(before) == 1 and len(after) == 1:
        return [(before[0], after[0])], []
    second = {xray.name: xray for xray in after}
    pairs = [(xray, second[xray.name]) for xray in before if xray.name in second]
    paired = {xray.name for xray, _ in pairs}
    return pairs, [xray.name for xray in (*before, *after) if xray.name not in paired]


Compared = tuple[PredictedXray, PredictedXray, AssessedAnalysis, AssessedAnalysis]


def write_differences(path: Path, compared: Mapping[str, Sequence[Compared]]) -> None:
    """Write a row for each measurement of each pair of films, by analysis.

    Args:
        path: The CSV file.
        compared: For each analysis the film before, the film after, and their values.

    Raises:
        InputError: The file cannot be written.
    """
    rows: list[list[object]] = [
        ['before', 'after', 'analysis', 'measurement', 'unit', 'value before', 'value after', 'change', 'change SE']
    ]
    for name, films in compared.items():
        for before, after, *values in films:
            for difference in differences(*values):
                measurement = difference.before.measurement
                numbers = (difference.before.value, difference.after.value, difference.change)
                error = difference.standard_error
                cells = ['' if each is None or np.isnan(each) else f'{each:.3f}' for each in (*numbers, error)]
                rows.append([before.name, after.name, name, measurement.name, measurement.unit, *cells])
    write_csv(path, rows)


def superimpose(points_mm: np.ndarray, onto_mm: np.ndarray, landmark_set: LandmarkSet, base: Base) -> np.ndarray | None:
    """Turn and move one tracing onto another, without changing its size.

    Args:
        points_mm, onto_mm: Shape (K, 2) as x, y in mm, y down, of faces that look the same way.
        landmark_set: Names the K landmarks.
        base: On what.

    Returns:
        ``points_mm`` moved; None where a landmark of the base is not known.
    """
    names = landmark_set.abbreviations
    if base.point not in names or base.towards not in names:
        return None
    at, to = names.index(base.point), names.index(base.towards)
    own, other = points_mm[to] - points_mm[at], onto_mm[to] - onto_mm[at]
    if not np.isfinite([own, other]).all():
        return None
    angle = np.arctan2(other[1], other[0]) - np.arctan2(own[1], own[0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points_mm - points_mm[at]) @ turn.T + onto_mm[at]


def points_in_mm(xray: PredictedXray, landmark_set: LandmarkSet) -> np.ndarray:
    """The landmarks in mm, shape (K, 2) as x, y, of a face that looks right.

    Raises:
        InputError: The spacing is not known.
    """
    if xray.spacing_mm is None:
        raise InputError(f'{xray.name}: films are superimposed in mm, and its spacing is not known: give --spacing')
    points = np.asarray(xray.points_px, float) * xray.spacing_mm
    return points if faces_right(points, landmark_set) else points * (-1, 1)
