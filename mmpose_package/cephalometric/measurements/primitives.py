"""Geometric primitives of measurements: angles and distances between landmarks and lines, with their signs.

Points, lines and positions are those of :mod:`cephalometric.measurements.points`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from cephalometric.measurements.points import (
    Line,
    Point,
    Positions,
    Segment,
    abbreviations,
    at,
    constructions,
    cross,
    dot,
    foot,
    segment,
    unit,
    way,
)


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
        yield from abbreviations(self._parts())

    def segments(self, positions: Positions) -> Iterator[Segment]:
        """What to draw of it, for positions of shape (2,): how its points are constructed, then its lines."""
        for point in constructions(self._parts()):
            yield from point.segments(positions)
        yield from self.lines(positions)

    def lines(self, positions: Positions) -> Iterator[Segment]:
        """What to draw of it besides its constructed points."""
        raise NotImplementedError

    def _parts(self) -> tuple:
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Angle(Formula):
    """The angle first-vertex-second, 0 to 180 degrees."""

    first: Point
    vertex: Point
    second: Point
    dimension: ClassVar[str] = 'angle'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return np.abs(Turn((self.vertex, self.first), (self.vertex, self.second)).evaluate(positions))

    def lines(self, positions: Positions) -> Iterator[Segment]:
        yield segment(positions, (self.vertex, self.first))
        yield segment(positions, (self.vertex, self.second))


@dataclass(frozen=True)
class Turn(Formula):
    """By how many degrees a line has to be turned to have the direction of the other, above -180 to 180.

    Positive when its end goes down at the face: clockwise, as seen on a face that looks right.
    """

    line: Line
    other: Line
    dimension: ClassVar[str] = 'angle'

    def evaluate(self, positions: Positions) -> np.ndarray:
        start, end = unit(positions, self.line), unit(positions, self.other)
        return np.degrees(np.arctan2(cross(start, end), dot(start, end)))

    def lines(self, positions: Positions) -> Iterator[Segment]:
        yield segment(positions, self.line)
        yield segment(positions, self.other)


@dataclass(frozen=True)
class Distance(Formula):
    """The length of the way from one point to another."""

    start: Point
    end: Point
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return np.linalg.norm(way(positions, (self.start, self.end)), axis=-1)

    def lines(self, positions: Positions) -> Iterator[Segment]:
        yield segment(positions, (self.start, self.end), 'length')


@dataclass(frozen=True)
class Along(Formula):
    """The way from one point to another projected on a line, positive in the line's direction."""

    start: Point
    end: Point
    line: Line
    dimension: ClassVar[str] = 'length'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return dot(way(positions, (self.start, self.end)), unit(positions, self.line))

    def lines(self, positions: Positions) -> Iterator[Segment]:
        feet = [foot(positions, point, self.line) for point in (self.start, self.end)]
        yield segment(positions, self.line)
        for point, place in zip((self.start, self.end), feet, strict=True):
            yield Segment(at(positions, self.line[1]), place, 'extension')
            yield Segment(at(positions, point), place, 'foot')
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

    def lines(self, positions: Positions) -> Iterator[Segment]:
        yield segment(positions, (self.start, self.end), 'length')


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
        return -cross(unit(positions, self.line), way(positions, (self.line[0], self.point)))

    def lines(self, positions: Positions) -> Iterator[Segment]:
        place = foot(positions, self.point, self.line)
        yield segment(positions, self.line)
        yield Segment(at(positions, self.line[1]), place, 'extension')
        yield Segment(at(positions, self.point), place, 'length')
