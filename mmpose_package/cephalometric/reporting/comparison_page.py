"""The page of two films of one patient: both tracings superimposed, and a table of the differences."""

from collections.abc import Sequence

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, AssessedValue
from cephalometric.reporting.number_words import UNKNOWN, digits_of, format_number, with_unit
from cephalometric.reporting.paper import GREY, INK, Colour, Paper, Style, check_size_name
from cephalometric.reporting.superimposition import (
    BASES,
    Base,
    Compared,
    Difference,
    differences,
    points_in_mm,
    superimpose,
)
from cephalometric.reporting.tracing_page import MARGIN_MM, PageFacts
from cephalometric.results.predictions import NOTICE, PredictedXray

BEFORE = Style(INK, 0.3)
AFTER = Style((0.85, 0.25, 0.05), 0.3, 'dashed')
_ROW_MM = 4.6
_PANEL_GAP_MM = 4.0


def comparison_page(
    pairs: Sequence[Compared],
    landmark_set: LandmarkSet,
    facts: PageFacts,
) -> bytes:
    """A PDF with a page for each pair of films.

    Args:
        pairs: The film before, the film after, and their values by one analysis.
        landmark_set: Names the landmarks, and the lines that a tracing is drawn with.
        facts: What the pages say besides.

    Raises:
        InputError: There is no such size of paper, or a spacing is not known.
    """
    width, height = check_size_name(facts.paper)
    paper = Paper(width, height, title='Comparison of two films')
    for number_of_pair, pair in enumerate(pairs):
        if number_of_pair:
            paper.new_sheet()
        _draw_page(paper, *pair, landmark_set, facts)
    return paper.pdf()


def _draw_page(
    paper: Paper,
    before: PredictedXray,
    after: PredictedXray,
    before_values: AssessedAnalysis,
    after_values: AssessedAnalysis,
    landmark_set: LandmarkSet,
    facts: PageFacts,
) -> None:
    left, right, top = MARGIN_MM, paper.width - MARGIN_MM, MARGIN_MM
    paper.words(f'{before_values.analysis.title}: two films', (left, top + 4), 5, bold=True)
    paper.words(f'{facts.made:%Y-%m-%d}   {facts.model}', (right, top + 4), 2.6, GREY, align='right')
    paper.line((left, top + 7), (right, top + 7), Style(INK, 0.3))
    for number_of_film, (title, xray, style) in enumerate((('before', before, BEFORE), ('after', after, AFTER))):
        y = top + 12 + 5 * number_of_film
        paper.line((left, y - 1), (left + 12, y - 1), style)
        doubt = '   DOUBTFUL' if xray.doubtful else ''
        paper.words(f'{title}: {xray.name}   {xray.spacing_mm:g} mm per pixel{doubt}', (left + 15, y), 3)
    top += 22
    found = differences(before_values, after_values)
    room = paper.height - MARGIN_MM - 8 - top
    row = min(_ROW_MM, (room - 75) / (len(found) + 1))
    tall = min(room - row * (len(found) + 1) - 6, 125.0)
    first, second = points_in_mm(before, landmark_set), points_in_mm(after, landmark_set)
    wide = 0.6 * (right - left - _PANEL_GAP_MM)
    low = (tall - _PANEL_GAP_MM) / 2
    x = left + wide + _PANEL_GAP_MM
    frames = ((left, top, wide, tall), (x, top, right - x, low), (x, top + low + _PANEL_GAP_MM, right - x, low))
    for base, frame in zip(BASES, frames, strict=True):
        _draw_panel(paper, frame, base, first, superimpose(second, first, landmark_set, base), landmark_set)
    _draw_table(paper, found, left, right, top + tall + 6, row)
    words = (
        'Changes in bold are larger than two standard errors. ' if any(d.is_clear is not None for d in found) else ''
    )
    paper.words(words + NOTICE, (left, paper.height - MARGIN_MM + 2), 2.4)


def _draw_panel(
    paper: Paper,
    frame: tuple[float, float, float, float],
    base: Base,
    first: np.ndarray,
    second: np.ndarray | None,
    landmark_set: LandmarkSet,
) -> None:
    """Both tracings as large as fits."""
    x, y, wide, tall = frame
    paper.box(*frame, None, Style(GREY, 0.15))
    paper.words(base.title, (x + 2, y + 4), 2.6, bold=True)
    if second is None:
        paper.words(f'{base.point} and {base.towards} are not known in both', (x + 2, y + 9), 2.3, GREY)
        return
    low, high = _shown(base, first, second, landmark_set)
    y, tall = y + 6, tall - 6
    scale = min((wide - 4) / (high[0] - low[0]), (tall - 4) / (high[1] - low[1]))
    centre = np.array([x + wide / 2, y + tall / 2])

    def at(point: np.ndarray) -> np.ndarray:
        return centre + (point - (low + high) / 2) * scale

    with paper.keep_inside(x, y, wide, tall):
        for points, style in ((first, BEFORE), (second, AFTER)):
            for a, b in landmark_set.lines:
                if np.isfinite(points[[a, b]]).all():
                    paper.line(at(points[a]), at(points[b]), style)
            for point in points[np.isfinite(points).all(axis=1)]:
                paper.dot(at(point), 0.5, style.colour if style is BEFORE else _WHITE, Style(style.colour, 0.2))


def _shown(
    base: Base, first: np.ndarray, second: np.ndarray, landmark_set: LandmarkSet
) -> tuple[np.ndarray, np.ndarray]:
    """The corners of what a drawing shows, in mm."""
    points = np.concatenate([first, second])
    beyond = 0.0
    if base.around is not None:
        points = first[[landmark_set.abbreviations.index(name) for name in (base.point, base.towards)]]
        beyond = base.around * float(np.linalg.norm(points[1] - points[0]))
    return np.nanmin(points, axis=0) - beyond, np.nanmax(points, axis=0) + beyond


_WHITE: Colour = (1.0, 1.0, 1.0)


def _draw_table(paper: Paper, found: Sequence[Difference], left: float, right: float, top: float, row: float) -> None:
    size, room = min(2.8, 0.62 * row), right - left
    places = {'before': 0.52, 'after': 0.66, 'change': 0.82, '± SE': 0.93}
    paper.words('measurement', (left, top + 0.7 * row), 0.85 * size, GREY)
    for words, share in places.items():
        paper.words(words, (left + share * room, top + 0.7 * row), 0.85 * size, GREY, align='right')
    top += row
    paper.line((left, top), (right, top), Style(INK, 0.25))
    for difference in found:
        measurement, foot = difference.before.measurement, top + 0.74 * row
        known = not np.isnan(difference.change)
        error = difference.standard_error
        texts = {
            'before': said_or_unknown(difference.before),
            'after': said_or_unknown(difference.after),
            'change': with_unit(difference.change, measurement.unit, sign=True) if known else UNKNOWN,
            '± SE': f'± {format_number(error, digits_of(measurement.unit))}' if known and error is not None else '',
        }
        paper.words(measurement.title, (left, foot), size)
        for words, text in texts.items():
            bold = words == 'change' and bool(difference.is_clear)
            paper.words(text, (left + places[words] * room, foot), size, bold=bold, align='right')
        top += row
    paper.line((left, top), (right, top), Style(INK, 0.25))


def said_or_unknown(value: AssessedValue) -> str:
    """A value with its unit, and a question mark where it uses a flagged landmark."""
    if np.isnan(value.value):
        return UNKNOWN
    return f'{with_unit(value.value, value.measurement.unit)}{" ?" if value.flagged else ""}'
