"""Points and lines of measurements: landmarks, middles, crossings, feet of perpendiculars, turned points.

Positions are looked up by abbreviation: arrays of shape (..., 2) as x, y, y down, of a face that looks right. A point
is a tuple of abbreviations, mostly of one, and lies in the middle of these landmarks; or a :class:`Construction`. A
line is a pair of points and has a direction, from the first to the second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np

Positions = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Segment:
    """A straight line to draw.

    Attributes:
        start, end: Shape (2,) as x, y.
        role: 'line' for what angles and distances are taken from, 'extension' for its way on to a foot or a crossing,
            'length' for a way that is measured, 'foot' for the perpendicular that leads to it.
    """

    start: np.ndarray
    end: np.ndarray
    role: str


class Construction:
    """A point that is not a landmark, but follows from landmarks."""

    def at(self, positions: Positions) -> np.ndarray:
        """Where it lies, of the positions' shape; NaN where it is not defined."""
        raise NotImplementedError

    def segments(self, positions: Positions) -> Iterator[Segment]:
        """How it is found, for positions of shape (2,)."""
        raise NotImplementedError


Point = tuple[str, ...] | Construction
Line = tuple[Point, Point]


@dataclass(frozen=True)
class Middle(Construction):
    """The middle of points that are not all landmarks."""

    points: tuple[Point, ...]

    def at(self, positions: Positions) -> np.ndarray:
        return np.mean([at(positions, point) for point in self.points], axis=0)

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield from ()


@dataclass(frozen=True)
class Crossing(Construction):
    """Where two lines meet, or would meet if they were longer; nowhere when they are parallel."""

    line: Line
    other: Line

    def at(self, positions: Positions) -> np.ndarray:
        first, second = unit(positions, self.line), unit(positions, self.other)
        between = way(positions, (self.line[0], self.other[0]))
        slope = cross(first, second)
        length = cross(between, second) / np.where(np.abs(slope) < 1e-12, np.nan, slope)
        return at(positions, self.line[0]) + first * length[..., None]

    def segments(self, positions: Positions) -> Iterator[Segment]:
        for line in (self.line, self.other):
            yield segment(positions, line, 'extension')
            yield Segment(at(positions, line[1]), self.at(positions), 'extension')


@dataclass(frozen=True)
class Foot(Construction):
    """The foot of the perpendicular from a point on a line, or on the line made longer."""

    point: Point
    line: Line

    def at(self, positions: Positions) -> np.ndarray:
        return foot(positions, self.point, self.line)

    def segments(self, positions: Positions) -> Iterator[Segment]:
        place = self.at(positions)
        yield segment(positions, self.line, 'extension')
        yield Segment(at(positions, self.line[1]), place, 'extension')
        yield Segment(at(positions, self.point), place, 'foot')


@dataclass(frozen=True)
class Turned(Construction):
    """A point turned about another one by degrees, clockwise on a face that looks right."""

    point: Point
    pivot: Point
    degrees: float

    def at(self, positions: Positions) -> np.ndarray:
        cosine, sine = np.cos(np.deg2rad(self.degrees)), np.sin(np.deg2rad(self.degrees))
        x, y = np.moveaxis(way(positions, (self.pivot, self.point)), -1, 0)
        return at(positions, self.pivot) + np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield segment(positions, (self.pivot, self.point), 'extension')


def constructions(part: object) -> Iterator[Construction]:
    """The constructed points among points and lines, those first that others are built on."""
    if isinstance(part, tuple):
        for inner in part:
            yield from constructions(inner)
    elif isinstance(part, Construction):
        for field in fields(part):
            yield from constructions(getattr(part, field.name))
        yield part


def abbreviations(part: object) -> Iterator[str]:
    """The landmarks that points and lines need, perhaps more than once."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for inner in part:
            yield from abbreviations(inner)
    elif isinstance(part, Construction):
        for field in fields(part):
            yield from abbreviations(getattr(part, field.name))


def at(positions: Positions, point: Point) -> np.ndarray:
    """Where a point lies."""
    if isinstance(point, Construction):
        return point.at(positions)
    return np.mean([positions[name] for name in point], axis=0) if len(point) > 1 else positions[point[0]]


def way(positions: Positions, line: Line) -> np.ndarray:
    """The way from a line's first point to its second."""
    return at(positions, line[1]) - at(positions, line[0])


def unit(positions: Positions, line: Line) -> np.ndarray:
    """The line's direction; NaN when its ends coincide, for then it has none."""
    direction = way(positions, line)
    length = np.linalg.norm(direction, axis=-1, keepdims=True)
    return direction / np.where(length == 0, np.nan, length)


def foot(positions: Positions, point: Point, line: Line) -> np.ndarray:
    """The foot of the perpendicular from a point on a line."""
    direction = unit(positions, line)
    return at(positions, line[0]) + direction * dot(direction, way(positions, (line[0], point)))[..., None]


def segment(positions: Positions, line: Line, role: str = 'line') -> Segment:
    """The line between its two points, to draw."""
    return Segment(at(positions, line[0]), at(positions, line[1]), role)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product of directions, positive when the second lies clockwise of the first, y being down."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The scalar product of directions."""
    return (a * b).sum(axis=-1)
