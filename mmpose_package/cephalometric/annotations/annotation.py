"""What is annotated in one X-ray, whatever file says it, and the checks that all files of annotations share."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cephalometric.csv_files import NUMBER
from cephalometric.errors import Problems
from cephalometric.landmarks import LandmarkSet

Place = int | str
NO_POINT = 'points that are not two finite numbers, x and y'
USUAL_SPACING_MM = (0.02, 1.0)
"""What scanners, sensors and photographs of films have; micrometres and dots per inch are not among it."""


@dataclass(frozen=True)
class Annotation:
    """What is annotated in one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in the order of the landmark set; NaN where a landmark is not annotated.
        spacing_mm: Millimetres per pixel; NaN where the file gives none that can be used.
        sizes: The width and height in pixels of the images that it was made on, as far as the files say; None for a
            side that they do not.
        at_origin: The positions of the landmarks that a file puts at exactly (0, 0), where many tools put what is not
            annotated. See :func:`without_origin`.
    """

    points_px: np.ndarray
    spacing_mm: float
    sizes: frozenset[tuple[int | None, int | None]] = field(default_factory=frozenset)
    at_origin: frozenset[int] = field(default_factory=frozenset)

    @property
    def visible(self) -> np.ndarray:
        """Shape (K,): whether each landmark is annotated."""
        return np.isfinite(self.points_px).all(axis=1)


def without_origin(annotation: Annotation) -> Annotation:
    """The annotation with what lies at exactly (0, 0) taken as not annotated, and noted in ``at_origin``."""
    at_origin = (annotation.points_px == 0).all(axis=1)
    points_px = np.where(at_origin[:, None], np.nan, annotation.points_px)
    return replace(annotation, points_px=points_px, at_origin=frozenset(np.flatnonzero(at_origin).tolist()))


def is_normalised(points_px: np.ndarray) -> bool:
    """Whether all points of an X-ray, shape (K, 2), lie from 0 to 1: shares of its width and height and no pixels."""
    points = points_px[np.isfinite(points_px).all(axis=1)]
    return len(points) > 0 and bool(((points >= 0) & (points <= 1)).all())


def label(landmark_set: LandmarkSet, index: int) -> str:
    """How messages call a landmark: its abbreviation and its number in challenge files, such as ``S (1)``."""
    return f'{landmark_set.abbreviations[index]} ({index + 1})'


def short(value: object) -> str:
    """A value of a file as a message quotes it: as JSON, and cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f'{text[:77]}...'


def finite_number(value: object) -> float | None:
    """A number, or a text that spells one as files do; None if it is not one or not finite.

    Python's own spellings, such as ``1_2``, are no numbers.
    """
    if isinstance(value, bool) or (isinstance(value, str) and not NUMBER.fullmatch(value.strip())):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


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
    # Divided first, so that no sum is too large for a number.
    points_px = np.sum([annotation.points_px / len(annotations) for annotation in annotations], axis=0)
    return Annotation(
        points_px,
        one_spacing(spacings, place, problems),
        frozenset().union(*(annotation.sizes for annotation in annotations)),
        frozenset().union(*(annotation.at_origin for annotation in annotations)),
    )


class AnnotationBuilder:
    """Collects what a file says about one X-ray point by point, each landmark named by its abbreviation."""

    def __init__(self, landmark_set: LandmarkSet, place: Place, problems: Problems):
        self._landmark_set = landmark_set
        self._place = place
        self._problems = problems
        self._points: dict[int, tuple[float, float]] = {}
        self._spacings: set[float] = set()
        self._size: tuple[int | None, int | None] = (None, None)

    def add_point(self, name: str, x: object, y: object) -> None:
        """Take a point in pixels, its landmark named as ``LandmarkSet.find`` understands it.

        One that cannot be used is a problem.
        """
        index = self._landmark_set.find(name)
        if index is None:
            self._problems.add(
                f'names outside the landmark set {self._landmark_set.name} (use its abbreviations, or choose another '
                'set with --landmarks)',
                self._place,
                short(name),
            )
        else:
            self.add_point_of(index, x, y)

    def add_point_of(self, index: int, x: object, y: object) -> None:
        """Take a point of the landmark at a position of the set; one that cannot be used is a problem."""
        abbreviation = self._landmark_set.abbreviations[index]
        numbers = finite_number(x), finite_number(y)
        if index in self._points:
            self._problems.add('landmarks annotated more than once', self._place, abbreviation)
        elif None in numbers:
            self._problems.add(NO_POINT, self._place, f'{abbreviation} at ({short(x)}, {short(y)})')
        else:
            self._points[index] = numbers

    def add_size(self, width: object, height: object) -> None:
        """Take the size of the image that was annotated, in pixels; None says nothing."""
        numbers = [finite_number(side) for side in (width, height) if side is not None]
        if all(number is not None and number >= 1 and number == int(number) for number in numbers):
            self._size = tuple(None if side is None else int(finite_number(side)) for side in (width, height))
        else:
            detail = f'{short(width)} x {short(height)}'
            self._problems.add('sizes of images that are not two whole numbers', self._place, detail)

    def add_spacing(self, value: object) -> None:
        """Take a spacing, as a number or a text; None or an empty text says nothing."""
        spacing_mm = positive_spacing(value, self._place, self._problems)
        if math.isfinite(spacing_mm):
            self._spacings.add(spacing_mm)

    def build(self) -> Annotation:
        """All that was collected. Spacings that differ are a problem."""
        points_px = np.full((len(self._landmark_set), 2), np.nan)
        for index, point in self._points.items():
            points_px[index] = point
        sizes = frozenset([self._size] if self._size != (None, None) else [])
        return Annotation(points_px, one_spacing(self._spacings, self._place, self._problems), sizes)
