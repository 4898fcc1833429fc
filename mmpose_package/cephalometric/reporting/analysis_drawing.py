"""The lines of a cephalometric analysis on an X-ray, with the values. Colours are BGR, as OpenCV writes them."""

from collections.abc import Sequence

import cv2
import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Measurement, measure
from cephalometric.measurements.primitives import Segment
from cephalometric.reporting.marks import TEXT_COLOUR, Box, Colour, canvas_of, dot, free_place, line, text
from cephalometric.results.predictions import NOTICE

LINE_COLOUR: Colour = (255, 200, 60)
LENGTH_COLOUR: Colour = (80, 220, 80)
LANDMARK_COLOUR: Colour = (60, 90, 255)
NEAR_COLOUR, FAR_COLOUR = (0, 200, 255), (90, 110, 255)
_ROLES = {
    'extension': (LINE_COLOUR, 1.5),
    'line': (LINE_COLOUR, 3.0),
    'foot': (LENGTH_COLOUR, 1.5),
    'length': (LENGTH_COLOUR, 5.0),
}  # In the order in which they are drawn.
_OVERHANG = 0.08  # Lines are drawn longer than between their landmarks, so that one sees where they meet.
_UNITS = {'deg': ' deg', 'mm': ' mm', '%': ' %', 'ratio': ''}


def draw_analysis(
    image: np.ndarray,
    landmark_set: LandmarkSet,
    points_px: np.ndarray,
    spacing_mm: float | None,
    measurements: Sequence[Measurement],
    title: str,
) -> np.ndarray:
    """Draw a group of measurements: their lines, their landmarks, and a list of the values with their norms.

    A value is white within one standard deviation of its norm or without one, orange within two, red beyond. What
    cannot be measured on this X-ray is listed with the reason.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmark_set: Names the K landmarks.
        points_px: Shape (K, 2) as x, y, in pixels; NaN where one is missing.
        spacing_mm: Millimetres per pixel; None where it is not known.
        measurements: What to draw, such as ``analyses_of(load_measurements())['steiner']``.
        title: A line for the top of the picture.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    positions = dict(zip(landmark_set.abbreviations, np.asarray(points_px, float), strict=True))
    positions = {name: point for name, point in positions.items() if np.isfinite(point).all()}
    drawable = [m for m in measurements if positions.keys() >= set(m.landmarks)]
    for segment in _segments(drawable, positions):
        _draw_segment(canvas, segment, size)
    used = list(dict.fromkeys(name for measurement in drawable for name in measurement.landmarks))
    for name in used:
        dot(canvas, positions[name], LANDMARK_COLOUR, size)
    values = measure(points_px, landmark_set, spacing_mm, measurements)
    rows = [(_words(m, values[m.name], positions), _colour(m, values[m.name])) for m in measurements]
    taken = [_draw_list(canvas, title, rows, size)]
    for name in used:
        text(canvas, name, free_place(name, positions[name], 0.9 * size, size, taken), 0.9 * size, TEXT_COLOUR)
    return canvas


def _segments(measurements: Sequence[Measurement], positions: dict[str, np.ndarray]) -> list[Segment]:
    """What to draw, each line once, however many measurements are taken from it."""
    segments: dict[tuple, Segment] = {}
    for measurement in measurements:
        for segment in measurement.formula.segments(positions):
            ends = sorted([tuple(segment.start), tuple(segment.end)])
            segments.setdefault((segment.role, *ends), segment)
    finite = [s for s in segments.values() if np.isfinite([s.start, s.end]).all()]
    return sorted(finite, key=lambda segment: list(_ROLES).index(segment.role))


def _draw_segment(canvas: np.ndarray, segment: Segment, size: float) -> None:
    colour, width = _ROLES[segment.role]
    overhang = _OVERHANG * (segment.end - segment.start) if segment.role == 'line' else 0
    line(canvas, segment.start - overhang, segment.end + overhang, colour, size, width)


def _words(measurement: Measurement, value: float, positions: dict[str, np.ndarray]) -> str:
    missing = [name for name in measurement.landmarks if name not in positions]
    if missing:
        return f'{measurement.name}: no {", ".join(missing)}'
    if np.isnan(value):
        return f'{measurement.name}: {"no spacing" if measurement.unit == "mm" else "not defined"}'
    digits = 2 if measurement.unit == 'ratio' else 1
    norm = measurement.norm
    usual = '' if norm is None else f' ({norm.mean:g}{"" if norm.sd is None else f" +/- {norm.sd:g}"})'
    return f'{measurement.name} {round(value, digits) + 0.0:.{digits}f}{_UNITS[measurement.unit]}{usual}'


def _colour(measurement: Measurement, value: float) -> Colour:
    deviation = None if measurement.norm is None else measurement.norm.deviation_sd(value)
    if deviation is None or not abs(deviation) > 1:
        return TEXT_COLOUR
    return NEAR_COLOUR if abs(deviation) <= 2 else FAR_COLOUR


def _draw_list(canvas: np.ndarray, title: str, rows: Sequence[tuple[str, Colour]], size: float) -> Box:
    """The values on a darkened field at the top left; returns the field, which labels keep clear of."""
    lines = [
        (title, 1.2, TEXT_COLOUR),
        *((words, 1.0, colour) for words, colour in rows),
        ('in brackets: norm; orange: beyond 1 SD, red: beyond 2 SD', 0.75, TEXT_COLOUR),
        (NOTICE, 0.75, TEXT_COLOUR),
    ]
    widths = [cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale * size, 2)[0][0] for words, scale, _ in lines]
    step, margin = 44 * size, 20 * size
    right, bottom = max(widths) + 2 * margin, step * len(lines) + 2 * margin
    field = canvas[: int(bottom), : int(right)]
    field[:] = field * 0.35
    for number, (words, scale, colour) in enumerate(lines, start=1):
        text(canvas, words, np.array([margin, margin / 2 + number * step]), scale * size, colour)
    return (0.0, 0.0, right, bottom)
