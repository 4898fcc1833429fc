"""Geometric primitives of measurements: angles and distances between landmarks and lines, with their signs.

Positions are looked up by abbreviation: arrays of shape (..., 2) as x, y, y down, of a face that looks right. A point
is a tuple of abbreviations, mostly of one, and lies in the middle of these landmarks. A line is a pair of points and
has a direction, from the first to the second.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

Point = tuple[str, ...]
Line = tuple[Point, Point]
Positions = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Segment:
    """A straight line to draw.

    Attributes:
        start, end: Shape (2,) as x, y.
        role: 'line' for what angles and distances are taken from, 'extension' for its way on to a foot, 'length' for a
            way that is measured, 'foot' for the perpendicular that leads to it.
    """

    start: np.ndarray
    end: np.ndarray
    role: str


class Formula:
    """A value that follows from landmarks.

    Attributes:
        dimension: 'angle' (degrees), 'length' (the unit of the positions), 'number', or 'any' for a constant.
    """

    dimension: str

    def evaluate(self, positions: Positions) -> np.ndarray:
        """The value, of the positions' shape without the last axis; NaN where a landmark is NaN or points coincide."""
        raise NotImplementedError

    def landmarks(self) -> Iterator[str]:
        """The abbreviations it needs, perhaps more than once."""
        yield from _abbreviations(tuple(getattr(self, field.name) for field in fields(self)))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        """What to draw of it, for positions of shape (2,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Angle(Formula):
    """The angle first-vertex-second, 0 to 180 degrees."""

    first: Point
    vertex: Point
    second: Point
    dimension: ClassVar[str] = 'angle'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return np.abs(Turn((self.vertex, self.first), (self.vertex, self.second)).evaluate(positions))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield _segment(positions, (self.vertex, self.first))
        yield _segment(positions, (self.vertex, self.second))


@dataclass(frozen=True)
class Turn(Formula):
    """By how many degrees a line has to be turned to have the direction of the other, above -180 to 180.

    Positive when its end goes down at the face: clockwise, as seen on a face that looks right.
    """

    line: Line
    other: Line
    dimension: ClassVar[str] = 'angle'

    def evaluate(self, positions: Positions) -> np.ndarray:
        start, end = _unit(positions, self.line), _unit(positions, self.other)
        return np.degrees(np.arctan2(_cross(start, end), _dot(start, end)))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield _segment(positions, self.line)
        yield _segment(positions, self.other)


@dataclass(frozen=True)
class Distance(Formula):
    """The length of the way from one point to another."""

    start: Point
    end: Point
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return np.linalg.norm(_way(positions, (self.start, self.end)), axis=-1)

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield _segment(positions, (self.start, self.end), 'length')


@dataclass(frozen=True)
class Along(Formula):
    """The way from one point to another projected on a line, positive in the line's direction."""

    start: Point
    end: Point
    line: Line
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return _dot(_way(positions, (self.start, self.end)), _unit(positions, self.line))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        feet = [_foot(positions, point, self.line) for point in (self.start, self.end)]
        yield _segment(positions, self.line)
        for point, foot in zip((self.start, self.end), feet, strict=True):
            yield Segment(_at(positions, self.line[1]), foot, 'extension')
            yield Segment(_at(positions, point), foot, 'foot')
        yield Segment(*feet, 'length')


@dataclass(frozen=True)
class SignedDistance(Formula):
    """The length of the way from one point to another, negative when the way runs against the line's direction."""

    start: Point
    end: Point
    line: Line
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        along = Along(self.start, self.end, self.line).evaluate(positions)
        distance = Distance(self.start, self.end).evaluate(positions)
        return np.where(np.isnan(along), np.nan, np.where(along < 0, -distance, distance))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield _segment(positions, (self.start, self.end), 'length')


@dataclass(frozen=True)
class Offset(Formula):
    """The distance of a point from a line.

    Positive on the left of somebody who walks along the line, as seen on a face that looks right: in front of a line
    that runs down, above a line that runs forwards.
    """

    point: Point
    line: Line
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return -_cross(_unit(positions, self.line), _way(positions, (self.line[0], self.point)))

    def segments(self, positions: Positions) -> Iterator[Segment]:
        foot = _foot(positions, self.point, self.line)
        yield _segment(positions, self.line)
        yield Segment(_at(positions, self.line[1]), foot, 'extension')
        yield Segment(_at(positions, self.point), foot, 'length')


def _abbreviations(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Formula):
        yield from part.landmarks()
    elif isinstance(part, tuple):
        for inner in part:
            yield from _abbreviations(inner)


def _at(positions: Positions, point: Point) -> np.ndarray:
    return np.mean([positions[name] for name in point], axis=0)


def _way(positions: Positions, line: Line) -> np.ndarray:
    return _at(positions, line[1]) - _at(positions, line[0])


def _unit(positions: Positions, line: Line) -> np.ndarray:
    """The line's direction; NaN when its ends coincide, for then it has none."""
    way = _way(positions, line)
    length = np.linalg.norm(way, axis=-1, keepdims=True)
    return way / np.where(length == 0, np.nan, length)


def _foot(positions: Positions, point: Point, line: Line) -> np.ndarray:
    unit = _unit(positions, line)
    return _at(positions, line[0]) + unit * _dot(unit, _way(positions, (line[0], point)))


def _segment(positions: Positions, line: Line, role: str = 'line') -> Segment:
    return Segment(_at(positions, line[0]), _at(positions, line[1]), role)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1)
