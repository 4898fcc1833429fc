"""Formulas of measurements, as they stand in JSON tables.

A point is the abbreviation of a landmark, ``{"midpoint": ["U6", "L6"]}``, ``{"crossing": [line, line]}``, where two
lines meet, ``{"foot": [point, line]}``, the foot of a perpendicular, or ``{"turned": [point, pivot, degrees]}``, a
point turned about another one; a line is a pair of points. A formula is

- ``{"angle": [p, vertex, q]}``: the angle at the vertex, 0 to 180 degrees;
- ``{"turn": [line, other]}``: the angle from one line's direction to the other's, positive when the end goes down at
  the face;
- ``{"distance": [p, q]}``, or ``{"signed_distance": [p, q, line]}``, negative when p to q runs against the line;
- ``{"along": [p, q, line]}``: the way from p to q projected on the line;
- ``{"offset": [p, line]}``: the distance of p from the line, positive in front of a line that runs down and above one
  that runs forwards;
- ``{"ratio": [formula, formula]}``: one length divided by another;
- ``{"sum": [formula, ...]}``, ``{"minus": formula}``, ``{"times": [number, formula]}``, and in a sum a number;
- ``"SNA"``: the measurement of that name, which comes earlier in the table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cephalometric.measurements.points import Crossing, Foot, Line, Middle, Point, Positions, Segment, Turned
from cephalometric.measurements.primitives import Along, Angle, Distance, Formula, Offset, SignedDistance, Turn


@dataclass(frozen=True)
class Ratio(Formula):
    """One length divided by another."""

    upper: Formula
    lower: Formula
    dimension: ClassVar[str] = 'number'

    def __post_init__(self):
        if {self.upper.dimension, self.lower.dimension} != {'length'}:
            raise ValueError('"ratio" divides one length by another')

    def landmarks(self) -> Iterator[str]:
        yield from self.upper.landmarks()
        yield from self.lower.landmarks()

    def evaluate(self, positions: Positions) -> np.ndarray:
        lower = self.lower.evaluate(positions)
        return self.upper.evaluate(positions) / np.where(lower == 0, np.nan, lower)

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield from self.upper.segments(positions)
        yield from self.lower.segments(positions)


@dataclass(frozen=True)
class Sum(Formula):
    """Angles or lengths added up, with constants."""

    terms: tuple[Formula, ...]

    def __post_init__(self):
        if len({term.dimension for term in self.terms} - {'any'}) != 1:
            raise ValueError('"sum" adds angles to angles or lengths to lengths')

    @property
    def dimension(self) -> str:
        return next(term.dimension for term in self.terms if term.dimension != 'any')

    def evaluate(self, positions: Positions) -> np.ndarray:
        return sum(term.evaluate(positions) for term in self.terms)

    def landmarks(self) -> Iterator[str]:
        for term in self.terms:
            yield from term.landmarks()

    def segments(self, positions: Positions) -> Iterator[Segment]:
        for term in self.terms:
            yield from term.segments(positions)


@dataclass(frozen=True)
class Times(Formula):
    """A formula times a number."""

    factor: float
    term: Formula

    @property
    def dimension(self) -> str:
        return self.term.dimension

    def evaluate(self, positions: Positions) -> np.ndarray:
        return self.factor * self.term.evaluate(positions)

    def landmarks(self) -> Iterator[str]:
        yield from self.term.landmarks()

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield from self.term.segments(positions)


@dataclass(frozen=True)
class Constant(Formula):
    """A number."""

    value: float
    dimension: ClassVar[str] = 'any'

    def evaluate(self, positions: Positions) -> np.ndarray:
        return np.asarray(self.value)

    def landmarks(self) -> Iterator[str]:
        yield from ()

    def segments(self, positions: Positions) -> Iterator[Segment]:
        yield from ()


def parse_formula(content: object, known: Mapping[str, Formula]) -> Formula:
    """Read a formula.

    Args:
        content: What stands in the JSON table.
        known: The formulas of the measurements that come earlier, by name.

    Raises:
        ValueError: It is not a formula; the message says why.
    """
    if isinstance(content, str):
        if content not in known:
            raise ValueError(f'there is no earlier measurement {content!r}')
        return known[content]
    if isinstance(content, int | float) and not isinstance(content, bool):
        return Constant(float(content))
    if not isinstance(content, dict) or len(content) != 1:
        raise ValueError(f'{content!r} is not a formula: write {{"angle": ["S", "N", "A"]}} or the like')
    ((operator, arguments),) = content.items()
    if operator == 'minus':
        return Times(-1.0, parse_formula(arguments, known))
    if operator not in ('sum', 'ratio', 'times', *_PRIMITIVES):
        raise ValueError(f'{operator!r} is none of {", ".join([*_PRIMITIVES, "ratio", "sum", "minus", "times"])}')
    if not isinstance(arguments, list):
        raise ValueError(f'"{operator}" takes a list, not {arguments!r}')
    if operator == 'sum':
        return Sum(tuple(parse_formula(term, known) for term in arguments))
    if operator == 'times':
        factor, term = _of_length(operator, arguments, 2)
        return Times(_factor(operator, factor), parse_formula(term, known))
    if operator == 'ratio':
        return Ratio(*(parse_formula(term, known) for term in _of_length(operator, arguments, 2)))
    primitive, *readers = _PRIMITIVES[operator]
    parts = _of_length(operator, arguments, len(readers))
    return primitive(*(read(part) for read, part in zip(readers, parts, strict=True)))


def _factor(operator: str, content: object) -> float:
    if not isinstance(content, int | float) or isinstance(content, bool) or not np.isfinite(content):
        raise ValueError(f'"{operator}" takes a number, not {content!r}')
    return float(content)


def _of_length(operator: str, arguments: list, count: int) -> list:
    if len(arguments) != count:
        raise ValueError(f'"{operator}" takes {count} arguments, not {len(arguments)}')
    return arguments


def _point(content: object) -> Point:
    if isinstance(content, str):
        return (content,)
    if isinstance(content, dict) and len(content) == 1:
        ((operator, arguments),) = content.items()
        if isinstance(arguments, list) and arguments:
            if operator == 'midpoint':
                if all(isinstance(name, str) for name in arguments):
                    return tuple(arguments)
                return Middle(tuple(map(_point, arguments)))
            if operator == 'crossing':
                return Crossing(*map(_line, _of_length(operator, arguments, 2)))
            if operator == 'foot':
                point, line = _of_length(operator, arguments, 2)
                return Foot(_point(point), _line(line))
            if operator == 'turned':
                point, pivot, degrees = _of_length(operator, arguments, 3)
                return Turned(_point(point), _point(pivot), _factor(operator, degrees))
    raise ValueError(
        f'{content!r} is not a point: write "A", {{"midpoint": ["U6", "L6"]}}, or a crossing, a foot or a turned one'
    )


def _line(content: object) -> Line:
    if not isinstance(content, list) or len(content) != 2:
        raise ValueError(f'{content!r} is not a line: write ["N", "A"]')
    return _point(content[0]), _point(content[1])


_PRIMITIVES: dict[str, tuple[Callable, ...]] = {
    'angle': (Angle, _point, _point, _point),
    'turn': (Turn, _line, _line),
    'distance': (Distance, _point, _point),
    'signed_distance': (SignedDistance, _point, _point, _line),
    'along': (Along, _point, _point, _line),
    'offset': (Offset, _point, _line),
}
