"""The tracing of an analysis: its lines, angles and lengths on the X-ray, with the values where they are measured.

Marks differ by form, so that a tracing can be read in black and white: lines are solid, their ways on are dotted,
lengths are heavy and end in bars, a flagged landmark has a ring and a question mark. Colours mean the same as in all
drawings: blue what is constructed, orange what a model has found, magenta what is flagged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, AssessedValue, Measurement
from cephalometric.measurements.points import Segment, cross
from cephalometric.reporting.marks import FLAGGED_COLOUR, PREDICTED_COLOUR, Box, box_around, overlap
from cephalometric.reporting.number_words import with_unit
from cephalometric.reporting.paper import Colour, Paper, Style, on_paper, words_width
from cephalometric.results.predictions import PredictedXray

CONSTRUCTED: Colour = (0.40, 0.82, 1.0)
FOUND = on_paper(PREDICTED_COLOUR)
FLAGGED = on_paper(FLAGGED_COLOUR)
LIGHT: Colour = (1.0, 1.0, 1.0)
DARK: Colour = (0.0, 0.0, 0.0)
# Widths in mm on a tracing of the usual size on paper.
_ROLES = {
    'extension': Style(CONSTRUCTED, 0.22, 'dotted'),
    'foot': Style(CONSTRUCTED, 0.22, 'dotted'),
    'line': Style(CONSTRUCTED, 0.28),
    'length': Style(CONSTRUCTED, 0.55),
}  # In the order in which they are drawn.
_RIM_MM = 0.25
_OVERHANG = 0.08  # Lines are drawn longer than between their landmarks, so that one sees where they meet.
_LETTERS_MM = 2.1
_USUAL_HEIGHT_MM = 130.0


def short_name(measurement: Measurement) -> str:
    """What a measurement is called in a drawing: its name as people write it, without the unit."""
    name = measurement.name
    for ending in ('_mm', '_deg', '_percent', '_ratio'):
        name = name.removesuffix(ending)
    return name.replace('_', '-')


@dataclass(frozen=True)
class _Angle:
    """Where an angle stands: its vertex and the directions of its sides, in degrees clockwise from the right."""

    vertex: np.ndarray
    begin: float
    extent: float


class Tracing:
    """An X-ray on a sheet of paper, and what is drawn on it.

    Args:
        paper: The sheet.
        x, y: The upper left corner of the X-ray on the sheet.
        width, height: The room that it may take; it keeps its proportions and is put in the middle.
        image: uint8, shape (H, W), or (H, W, 3) in RGB order.
        sharp: Keep every pixel of the image.
    """

    def __init__(
        self, paper: Paper, x: float, y: float, width: float, height: float, image: np.ndarray, sharp: bool = False
    ) -> None:
        rows, columns = image.shape[:2]
        self._scale = min(width / columns, height / rows)
        self.width, self.height = columns * self._scale, rows * self._scale
        self._corner = np.array([x + (width - self.width) / 2, y + (height - self.height) / 2])
        self._paper = paper
        self._size = self.height / _USUAL_HEIGHT_MM
        self._taken: list[Box] = []
        paper.picture(image, *self._corner, self.width, self.height, sharp)

    def draw(self, landmark_set: LandmarkSet, xray: PredictedXray, assessed: AssessedAnalysis) -> None:
        """Draw an analysis: lines first, then landmarks, then names and values where there is room.

        Args:
            landmark_set: Names the K landmarks.
            xray: Its landmarks, shape (K, 2) as x, y in pixels, and their flags.
            assessed: The values.
        """
        positions = finite_positions(landmark_set, xray.points_px)
        known = [value for value in assessed.values if np.isfinite(value.value)]
        with self._paper.keep_inside(*self._corner, self.width, self.height):
            for segment in segments_of((value.measurement for value in known), positions):
                self._draw_segment(segment)
            used = list(dict.fromkeys(name for value in known for name in value.measurement.landmarks))
            flagged = flagged_names(landmark_set, xray)
            self._draw_landmarks(used, positions, flagged)
            self._draw_values(known, positions)

    def _at(self, point: np.ndarray) -> np.ndarray:
        """A pixel of the X-ray on the sheet; pixel centres are at integers."""
        return self._corner + (np.asarray(point, float) + 0.5) * self._scale

    def _sized(self, style: Style, more: float = 0.0, colour: Colour | None = None) -> Style:
        return Style(colour or style.colour, (style.width + more) * self._size, style.dash)

    def _draw_segment(self, segment: Segment) -> None:
        style = _ROLES[segment.role]
        overhang = _OVERHANG * (segment.end - segment.start) if segment.role == 'line' else 0
        start, end = self._at(segment.start - overhang), self._at(segment.end + overhang)
        strokes = [(start, end)]
        if segment.role == 'length':
            across = _turned_left(_direction(start, end)) * 0.9 * self._size
            strokes += [(place - across, place + across) for place in (start, end)]
        # A dark rim: on bone and in black and white a light line would not be seen.
        for one, other in strokes if style.dash == 'solid' else ():
            self._paper.line(one, other, self._sized(style, _RIM_MM, DARK))
        for one, other in strokes:
            self._paper.line(one, other, self._sized(style))

    def _draw_landmarks(self, names: Sequence[str], positions: Mapping[str, np.ndarray], flagged: set[str]) -> None:
        radius = 0.65 * self._size
        for name in names:
            place, colour = self._at(positions[name]), FLAGGED if name in flagged else FOUND
            if name in flagged:
                self._paper.dot(place, 2.2 * radius, None, Style(colour, 0.3 * self._size))
            self._paper.dot(place, radius, colour, Style(DARK, 0.15 * self._size))
            self._taken.append(box_around(place, (2.4 if name in flagged else 1.2) * radius))
        for name in names:
            words = f'{name} ?' if name in flagged else name
            self._label(words, self._around_places(self._at(positions[name]), 1.6 * self._size))

    def _draw_values(self, values: Sequence[AssessedValue], positions: Mapping[str, np.ndarray]) -> None:
        """The values at their angles and lengths; where there is no room they stand in the table alone."""
        at_vertex: dict[tuple[int, int], int] = {}
        for value in values:
            mark = ' ?' if value.flagged else ''
            words = f'{short_name(value.measurement)} {with_unit(value.value, value.measurement.unit)}{mark}'
            lines = list(value.measurement.formula.lines(positions))
            if angle := self._angle(lines):
                key = tuple(np.round(angle.vertex).astype(int))
                # Angles with one vertex stand one outside the other.
                radius = (7.0 + 3.2 * at_vertex.get(key, 0)) * self._size
                at_vertex[key] = at_vertex.get(key, 0) + 1
                self._draw_angle(angle, radius, words)
                continue
            lengths = [line for line in lines if line.role == 'length']
            where = lengths[0] if len(lengths) == 1 else lines[-1] if len(lines) == 2 else None
            if where is not None:
                middle = self._at((where.start + where.end) / 2)
                self._label(words, self._around_places(middle, 1.0 * self._size))

    def _draw_angle(self, angle: _Angle, radius: float, words: str) -> None:
        style = Style(LIGHT, 0.22 * self._size)
        rim = Style(DARK, (0.22 + _RIM_MM) * self._size)
        for stroke in (rim, style):
            self._paper.arc(angle.vertex, radius, angle.begin, angle.extent, stroke)
        middle = np.radians(angle.begin + angle.extent / 2)
        place = angle.vertex + (radius + 0.8 * self._size) * np.array([np.cos(middle), np.sin(middle)])
        self._label(words, self._around_places(place, 0.6 * self._size))

    def _angle(self, lines: Sequence[Segment]) -> _Angle | None:
        """The angle between two lines, where it can be seen: at their crossing, if that lies on the X-ray."""
        if len(lines) != 2 or any(line.role != 'line' for line in lines):
            return None
        (a, b), (c, d) = ((self._at(line.start), self._at(line.end)) for line in lines)
        first, second = _direction(a, b), _direction(c, d)
        slope = cross(first, second)
        if not np.isfinite(slope) or abs(slope) < 0.05:
            return None
        vertex = a + first * cross(c - a, second) / slope
        inside = ((vertex > self._corner) & (vertex < self._corner + (self.width, self.height))).all()
        if not inside:
            return None
        begin = np.degrees(np.arctan2(first[1], first[0]))
        extent = np.degrees(np.arctan2(slope, first @ second))
        return _Angle(vertex, begin, extent)

    def _around_places(self, point: np.ndarray, gap: float) -> Iterator[tuple[np.ndarray, str]]:
        """Where a label may stand: right or left of a point, then higher and lower, by its end and its foot."""
        letters = _LETTERS_MM * self._size
        for rise in (0.4, -0.8, 1.6, -2.0, 2.8, -3.2, 4.0, -4.4):
            for side, align in ((1, 'left'), (-1, 'right')):
                yield point + (side * gap, rise * letters), align

    def _label(self, words: str, places: Iterable[tuple[np.ndarray, str]]) -> bool:
        """Write words at the first place that is free; False where there is none."""
        letters = _LETTERS_MM * self._size
        length = words_width(words, letters)
        for place, align in places:
            left = place[0] - (0 if align == 'left' else length)
            box = (left, place[1] - 0.85 * letters, left + length, place[1] + 0.2 * letters)
            if self._is_free(box):
                self._taken.append(box)
                self._paper.words(words, place, letters, LIGHT, align=align, rim=DARK)
                return True
        return False

    def _is_free(self, box: Box) -> bool:
        left, top = self._corner
        inside = box[0] >= left and box[1] >= top and box[2] <= left + self.width and box[3] <= top + self.height
        return inside and not any(overlap(box, other) for other in self._taken)


def finite_positions(landmark_set: LandmarkSet, points_px: np.ndarray) -> dict[str, np.ndarray]:
    """The landmarks that are known, by abbreviation."""
    places = dict(zip(landmark_set.abbreviations, np.asarray(points_px, float), strict=True))
    return {name: point for name, point in places.items() if np.isfinite(point).all()}


def flagged_names(landmark_set: LandmarkSet, xray: PredictedXray) -> set[str]:
    """The abbreviations of flagged landmarks."""
    flags = [] if xray.flagged is None else xray.flagged
    return {name for name, flag in zip(landmark_set.abbreviations, flags, strict=False) if flag}


def segments_of(measurements: Iterable[Measurement], positions: Mapping[str, np.ndarray]) -> list[Segment]:
    """What to draw of measurements, each line once, however many of them are taken from it."""
    segments: dict[tuple, Segment] = {}
    for measurement in measurements:
        for segment in measurement.formula.segments(positions):
            ends = sorted([tuple(segment.start), tuple(segment.end)])
            segments.setdefault((segment.role, *ends), segment)
    finite = [segment for segment in segments.values() if np.isfinite([segment.start, segment.end]).all()]
    return sorted(finite, key=lambda segment: list(_ROLES).index(segment.role))


def _direction(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    way = end - start
    return way / max(float(np.hypot(*way)), 1e-9)


def _turned_left(direction: np.ndarray) -> np.ndarray:
    return np.array([direction[1], -direction[0]])
