"""An analysis on its X-ray as a picture: the tracing, and beside it, where it covers nothing, the values."""

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, AssessedValue
from cephalometric.reporting.drawing import doubt_words
from cephalometric.reporting.number_words import with_unit
from cephalometric.reporting.paper import Colour, Paper, fitting, to_pixels, wrapped
from cephalometric.reporting.tracing import FLAGGED, Tracing, finite_positions
from cephalometric.reporting.tracing_page import WARNING
from cephalometric.reporting.value_table import UNTRACED_WORDS, norm_words
from cephalometric.results.predictions import NOTICE, PredictedXray

_PANEL = 0.5  # Its width in parts of the X-ray's height.
_LINES = 46  # Lines of words that fit into the height.
_LEAST_HEIGHT = 1200  # Pixels; smaller X-rays are drawn larger, so that letters can be read.
_PIXEL_MM = 25.4 / 72
_BACK: Colour = (0.08, 0.08, 0.1)
_WORDS: Colour = (1.0, 1.0, 1.0)
_QUIET: Colour = (0.72, 0.72, 0.75)
_BANNER = 0.06  # The height of the bar of a doubtful X-ray, in parts of the X-ray's.


def draw_analysis(
    image: np.ndarray, landmark_set: LandmarkSet, xray: PredictedXray, assessed: AssessedAnalysis
) -> np.ndarray:
    """Draw an analysis: its lines and landmarks on the X-ray, and a list of the values with their norms beside it.

    A value that is beyond one standard deviation of its norm has an asterisk, beyond two it has two; one that uses a
    flagged landmark has a question mark. What cannot be measured on this X-ray is listed with the reason. Above a
    doubtful X-ray a bar says why it is.

    Args:
        image: The X-ray, uint8, shape (H, W), or (H, W, 3) in RGB order.
        landmark_set: Names the K landmarks.
        xray: Its landmarks, spacing, flags and doubts.
        assessed: Its values by the analysis.

    Returns:
        A new uint8 picture in BGR order: the X-ray at its own size, or larger if it is small, and the list.
    """
    rows, columns = image.shape[:2]
    scale = max(1.0, _LEAST_HEIGHT / rows)
    width, height = columns * scale, rows * scale
    panel = _PANEL * height
    top = _BANNER * height if xray.doubtful else 0.0
    paper = Paper(width + panel, height + top, _PIXEL_MM)
    paper.box(0, 0, width + panel, height + top, _BACK, None)
    if xray.doubtful:
        _banner(paper, xray, width + panel, top)
    Tracing(paper, 0, top, width, height, image, sharp=True).draw(landmark_set, xray, assessed)
    lines = _list(landmark_set, xray, assessed)
    step = height / max(_LINES, 1.5 * len(lines))
    left, room, foot = width + step, panel - 2 * step, top
    for words, part, colour, bold in lines:
        size = part * 0.55 * step
        for line in wrapped(words, size, room, bold):
            foot += 1.35 * part * step * 0.75
            paper.words(fitting(line, size, room, bold), (left, foot), size, colour, bold=bold)
    return to_pixels(paper.pdf(), pixels_per_point=1.0)


def _banner(paper: Paper, xray: PredictedXray, width: float, height: float) -> None:
    """A bar above the X-ray that says why it is doubtful."""
    paper.box(0, 0, width, height, WARNING, None)
    size = 0.3 * height
    for number_of_line, words in enumerate(wrapped(doubt_words(xray), size, width - 2 * size, bold=True)[:2], start=1):
        paper.words(words, (size, 1.35 * size * number_of_line), size, _WORDS, bold=True)


_Line = tuple[str, float, Colour, bool]


def _list(landmark_set: LandmarkSet, xray: PredictedXray, assessed: AssessedAnalysis) -> list[_Line]:
    """Words, the size of their letters, their colour, and whether they are heavy."""
    spacing = 'spacing not known' if xray.spacing_mm is None else f'{xray.spacing_mm:g} mm per pixel'
    lines: list[_Line] = [
        (assessed.analysis.title, 1.7, _WORDS, True),
        (f'{xray.name}   {spacing}', 1.1, _WORDS, False),
    ]
    positions = finite_positions(landmark_set, xray.points_px)
    for group in assessed.groups:
        if len(assessed.groups) > 1:
            lines.append((group.title, 1.1, _QUIET, True))
        lines += [_value_line(value, set(positions), xray.spacing_mm) for value in group.values]
    if any(value.flagged for value in assessed.values):
        lines.append(('?: uses a flagged landmark', 1.0, FLAGGED, False))
    if xray.flagged is None and xray.predicted:
        lines.append(('no calibration: not assessed', 1.0, FLAGGED, False))
    lines.append(('in brackets: norm; * beyond 1 SD, ** beyond 2 SD', 1.0, _QUIET, False))
    if any(value.norm is not None and not value.norm.is_traced for value in assessed.values):
        lines.append((UNTRACED_WORDS, 1.0, _QUIET, False))
    return [*lines, (NOTICE, 1.0, _QUIET, False)]


def _value_line(value: AssessedValue, known: set[str], spacing_mm: float | None) -> _Line:
    measurement = value.measurement
    if np.isnan(value.value):
        return f'{measurement.title}: {_why_not(value, known, spacing_mm)}', 1.2, _QUIET, False
    norm = '' if value.norm is None else f' ({norm_words(value)})'
    stars = '*' * min(int(abs(value.deviation_sd or 0)), 2)
    mark = ' ?' if value.flagged else ''
    return (
        f'{measurement.title} {with_unit(value.value, measurement.unit)}{mark}{stars}{norm}',
        1.2,
        _WORDS,
        bool(stars),
    )


def _why_not(value: AssessedValue, known: set[str], spacing_mm: float | None) -> str:
    missing = [name for name in value.measurement.landmarks if name not in known]
    if missing:
        return f'no {", ".join(missing)}'
    return 'no spacing' if value.measurement.unit == 'mm' and spacing_mm is None else 'not defined'
