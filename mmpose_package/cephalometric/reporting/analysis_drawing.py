"""The lines of a cephalometric analysis on an X-ray, with the values. Colours are BGR, as OpenCV writes them."""

from collections.abc import Sequence

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import ANYBODY, Analysis, AssessedValue, Measurement, Person, assess
from cephalometric.measurements.points import Segment
from cephalometric.reporting.drawing import doubt_banner
from cephalometric.reporting.marks import (
    FLAGGED_COLOUR,
    RING,
    TEXT_COLOUR,
    Colour,
    box_around,
    canvas_of,
    dot,
    free_place,
    is_in,
    line,
    ring,
    text,
    word_list,
)
from cephalometric.results.predictions import NOTICE, PredictedXray

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
    xray: PredictedXray,
    analysis: Analysis,
    title: str,
    person: Person = ANYBODY,
    norms: str | None = None,
) -> np.ndarray:
    """Draw an analysis: its lines, their landmarks, and a list of the values with their norms.

    A value is white within one standard deviation of its norm or without one, orange within two, red beyond. One that
    uses a flagged landmark has the colour of flags instead, and a question mark. What cannot be measured on this X-ray
    is listed with the reason. A doubtful X-ray has a banner that says why.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmark_set: Names the K landmarks.
        xray: Its landmarks, spacing, flags and doubts.
        analysis: What to draw, such as ``load_analyses()['steiner']``.
        title: A line for the top of the picture.
        person: Whom the norms are chosen for.
        norms: The name of a population whose norms come before others.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    positions = dict(zip(landmark_set.abbreviations, np.asarray(xray.points_px, float), strict=True))
    positions = {name: point for name, point in positions.items() if np.isfinite(point).all()}
    drawable = [m for m in analysis.measurements if positions.keys() >= set(m.landmarks)]
    for segment in _segments(drawable, positions):
        _draw_segment(canvas, segment, size)
    used = list(dict.fromkeys(name for measurement in drawable for name in measurement.landmarks))
    flags = [] if xray.flagged is None else xray.flagged
    flagged = {name for name, flag in zip(landmark_set.abbreviations, flags, strict=False) if flag}
    for name in used:
        if name in flagged:
            ring(canvas, positions[name], FLAGGED_COLOUR, size, RING * size)
        dot(canvas, positions[name], FLAGGED_COLOUR if name in flagged else LANDMARK_COLOUR, size)
    taken = [doubt_banner(canvas, xray, size)] if xray.doubtful else []
    lines = [(title, 1.2, TEXT_COLOUR), *_list(landmark_set, xray, analysis, positions, person, norms)]
    taken.append(word_list(canvas, lines, taken[0][3] if taken else 0, size))
    radii = {name: (RING + 4 if name in flagged else 6) * size for name in used}
    # Those beneath the banner or the list have no label, which would stand for nothing there.
    labelled = [name for name in used if not is_in(positions[name], taken)]
    taken += [box_around(positions[name], radii[name]) for name in labelled]
    for name in labelled:
        label, colour = (f'{name} ?', FLAGGED_COLOUR) if name in flagged else (name, TEXT_COLOUR)
        place = free_place(canvas, label, positions[name], 0.9 * size, radii[name] + 4 * size, taken)
        text(canvas, label, place, 0.9 * size, colour)
    return canvas


def _list(
    landmark_set: LandmarkSet,
    xray: PredictedXray,
    analysis: Analysis,
    positions: dict[str, np.ndarray],
    person: Person,
    norms: str | None,
) -> list[tuple[str, float, Colour]]:
    """The values, and below them what their colours and marks say."""
    values = assess(
        xray.points_px,
        landmark_set,
        xray.spacing_mm,
        analysis,
        person=person,
        norms=norms,
        expected_error_mm=xray.expected_error_mm,
        flagged=xray.flagged,
    ).values
    lines = []
    for value in values:
        if np.isnan(value.value):
            words = f'{value.measurement.name}: {_why_not(value.measurement, positions, xray.spacing_mm)}'
        else:
            words = _words(value)
        lines.append((words, 1.0, FLAGGED_COLOUR if value.flagged else _colour(value)))
    if any(value.flagged for value in values):
        lines.append(('?: uses a flagged landmark', 0.75, FLAGGED_COLOUR))
    if xray.flagged is None and xray.predicted:
        lines.append(('no calibration: not assessed', 0.75, FLAGGED_COLOUR))
    lines.append(('in brackets: norm; orange: beyond 1 SD, red: beyond 2 SD', 0.75, TEXT_COLOUR))
    return [*lines, (NOTICE, 0.75, TEXT_COLOUR)]


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


def _why_not(measurement: Measurement, positions: dict[str, np.ndarray], spacing_mm: float | None) -> str:
    missing = [name for name in measurement.landmarks if name not in positions]
    if missing:
        return f'no {", ".join(missing)}'
    return 'no spacing' if measurement.unit == 'mm' and spacing_mm is None else 'not defined'


def _words(value: AssessedValue) -> str:
    unit, mean = value.measurement.unit, value.mean
    digits = 2 if unit == 'ratio' else 1
    if mean is None:
        usual = ''
    elif value.sd is None and value.range is not None:
        usual = f' ({value.range[0]:g} to {value.range[1]:g})'
    else:
        usual = f' ({round(mean, digits):g}{"" if value.sd is None else f" +/- {value.sd:g}"})'
    said = f'{round(value.value, digits) + 0.0:.{digits}f}{_UNITS[unit]}'
    return f'{value.measurement.name} {said}{" ?" if value.flagged else ""}{usual}'


def _colour(value: AssessedValue) -> Colour:
    deviation = value.deviation_sd
    if deviation is None or not abs(deviation) > 1:
        return TEXT_COLOUR
    return NEAR_COLOUR if abs(deviation) <= 2 else FAR_COLOUR
