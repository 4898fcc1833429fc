"""What is annotated in one X-ray, whatever file says it, and the checks that all files of annotations share."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.errors import Problems
from cephalometric.landmarks import LandmarkSet

Place = int | str
NO_POINT = 'points that are not two finite numbers, x and y'


@dataclass(frozen=True)
class Annotation:
    """What is annotated in one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in the order of the landmark set; NaN where a landmark is not annotated.
        spacing_mm: Millimetres per pixel; NaN where the file gives none that can be used.
    """

    points_px: np.ndarray
    spacing_mm: float

    @property
    def visible(self) -> np.ndarray:
        """Shape (K,): whether each landmark is annotated."""
        return np.isfinite(self.points_px).all(axis=1)


def label(landmark_set: LandmarkSet, index: int) -> str:
    """How messages call a landmark: its abbreviation and its number in challenge files, such as ``S (1)``."""
    return f'{landmark_set.abbreviations[index]} ({index + 1})'


def short(value: object) -> str:
    """A value of a file as a message quotes it: as JSON, and cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f'{text[:77]}...'


def finite_number(value: object) -> float | None:
    """A number, or a text that spells one; None if it is not one or not finite."""
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def positive_spacing(value: object, place: Place, problems: Problems) -> float:
    """A spacing as a number, and NaN where the file is silent; one that is not a positive number is a problem too."""
    if value is None or value == '':
        return math.nan
    spacing_mm = finite_number(value)
    if spacing_mm is not None and spacing_mm > 0:
        return spacing_mm
    problems.add('spacings that are not a positive number (mm per pixel)', place, short(value))
    return math.nan


def one_spacing(spacings_mm: Collection[float], place: Place, problems: Problems) -> float:
    """The one spacing that an X-ray is said to have, NaN for none; several that differ are a problem."""
    if len(spacings_mm) > 1:
        problems.add('differing spacings of one image', place, ', '.join(map(str, sorted(spacings_mm))))
    return min(spacings_mm, default=math.nan)


def mean_annotation(annotations: Sequence[Annotation], place: Place, problems: Problems) -> Annotation:
    """The mean of what several people have annotated in one X-ray; a landmark that one of them left out is left out."""
    spacings = {annotation.spacing_mm for annotation in annotations if math.isfinite(annotation.spacing_mm)}
    points_px = np.mean([annotation.points_px for annotation in annotations], axis=0)
    return Annotation(points_px, one_spacing(spacings, place, problems))


class AnnotationBuilder:
    """Collects what a file says about one X-ray point by point, each landmark named by its abbreviation."""

    def __init__(self, landmark_set: LandmarkSet, place: Place, problems: Problems):
        self._landmark_set = landmark_set
        self._place = place
        self._problems = problems
        self._points: dict[str, tuple[float, float]] = {}
        self._spacings: set[float] = set()

    def add_point(self, abbreviation: str, x: object, y: object) -> None:
        """Take a point in pixels; one that cannot be used is a problem."""
        numbers = finite_number(x), finite_number(y)
        if abbreviation not in self._landmark_set.abbreviations:
            self._problems.add(
                f'names outside the landmark set {self._landmark_set.name} (use its abbreviations, or choose another '
                'set with --landmarks)',
                self._place,
                short(abbreviation),
            )
        elif abbreviation in self._points:
            self._problems.add('landmarks annotated more than once', self._place, abbreviation)
        elif None in numbers:
            self._problems.add(NO_POINT, self._place, f'{abbreviation} at ({short(x)}, {short(y)})')
        else:
            self._points[abbreviation] = numbers

    def add_spacing(self, value: object) -> None:
        """Take a spacing, as a number or a text; None or an empty text says nothing."""
        spacing_mm = positive_spacing(value, self._place, self._problems)
        if math.isfinite(spacing_mm):
            self._spacings.add(spacing_mm)

    def build(self) -> Annotation:
        """All that was collected. Spacings that differ are a problem."""
        missing = (math.nan, math.nan)
        points_px = np.array([self._points.get(name, missing) for name in self._landmark_set.abbreviations])
        return Annotation(points_px, one_spacing(self._spacings, self._place, self._problems))
