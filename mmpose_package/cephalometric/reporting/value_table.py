"""The table of an analysis on paper: values against norms, as cephalometric programs show them."""

import itertools

import numpy as np

from cephalometric.measurements import AssessedAnalysis, AssessedValue
from cephalometric.reporting.number_words import UNKNOWN, digits_of, format_number, with_unit
from cephalometric.reporting.paper import GREY, INK, Colour, Paper, Style, fitting, words_width

UNTRACED = '†'
UNTRACED_WORDS = f'{UNTRACED}: commonly quoted, but in no source that was seen'
_BAR_SD = 3.0  # Bars end here; what lies beyond has an arrow.
_BAR: Colour = (0.72, 0.72, 0.76)


def draw_value_table(
    paper: Paper, left: float, right: float, top: float, row: float, assessed: AssessedAnalysis
) -> None:
    """Draw the table of an analysis.

    Args:
        paper: The sheet, in mm.
        left, right, top: Its place.
        row: The height of a row; there are two for the heading, one for each value, and one for each group's title.
        assessed: The values.
    """
    size = min(2.8, 0.62 * row)
    columns = _Columns(left, right)
    for words, place, align in (
        ('measurement', columns.name, 'left'),
        ('value', columns.value, 'right'),
        ('± SE', columns.error, 'right'),
        ('norm', columns.norm, 'left'),
        ('deviation in SD', columns.bar_middle, 'middle'),
        ('class', columns.label, 'left'),
    ):
        paper.words(words, (place, top + 0.7 * row), 0.85 * size, GREY, align=align)
    top += row
    for sd in (-3, -2, -1, 0, 1, 2, 3):
        paper.words(
            format_number(sd, 0, sign=True), (columns.bar_at(sd), top + 0.4 * row), 0.7 * size, GREY, align='middle'
        )
    top += 0.6 * row
    paper.line((left, top), (right, top), Style(INK, 0.25))
    begin, points = top, []  # Of each row the place of its deviation, or None.
    for group in assessed.groups:
        if len(assessed.groups) > 1:
            paper.words(group.title, (columns.name, top + 0.74 * row), size, bold=True)
            top += row
            points.append(None)
        for value in group.values:
            points.append(_draw_row(paper, value, top, row, size, columns))
            top += row
    for sd in (-3, -2, -1, 0, 1, 2, 3):
        style = Style(GREY, 0.3 if sd == 0 else 0.12, 'solid' if sd == 0 else 'dotted')
        paper.line((columns.bar_at(sd), begin), (columns.bar_at(sd), top), style)
    # The polygon of cephalometric programs: one line down all deviations.
    for one, other in itertools.pairwise(points):
        if one is not None and other is not None:
            paper.line(one, other, Style(GREY, 0.2))
    for place in points:
        if place is not None:
            paper.dot(place, 0.7, INK, None)
    paper.line((left, top), (right, top), Style(INK, 0.25))


def _draw_row(
    paper: Paper, value: AssessedValue, top: float, row: float, size: float, columns: '_Columns'
) -> tuple[float, float] | None:
    """One measurement; returns the place of its deviation on the bar."""
    foot, measurement = top + 0.74 * row, value.measurement
    paper.words(fitting(measurement.title, size, columns.value - columns.name - 14), (columns.name, foot), size)
    if np.isnan(value.value):
        paper.words(UNKNOWN, (columns.value, foot), size, align='right')
        return None
    mark = ' ?' if value.flagged else ''
    paper.words(
        f'{with_unit(value.value, measurement.unit)}{mark}', (columns.value, foot), size, bold=True, align='right'
    )
    if value.standard_error is not None:
        error = format_number(value.standard_error, digits_of(measurement.unit))
        paper.words(f'± {error}', (columns.error, foot), size, align='right')
    norm = norm_words(value)
    paper.words(fitting(norm, size, columns.bar_left - columns.norm - 2), (columns.norm, foot), size)
    if value.class_name:
        words = f'{value.class_name}, undecided' if value.undecided else value.class_name
        bold = value.is_normal is False and not value.undecided
        room = columns.right - columns.label
        size = max(0.7, min(1.0, room / words_width(words, size, bold))) * size
        paper.words(fitting(words, size, room, bold), (columns.label, foot), size, bold=bold)
    if value.deviation_sd is None:
        return None
    middle = top + row / 2
    end = columns.bar_at(float(np.clip(value.deviation_sd, -_BAR_SD, _BAR_SD)))
    begin, stop = sorted((columns.bar_at(0), end))
    paper.box(begin, middle - 0.28 * row, max(stop - begin, 0.2), 0.56 * row, _BAR, None)
    if abs(value.deviation_sd) > _BAR_SD:
        arrow, align = ('◂', 'right') if value.deviation_sd < 0 else ('▸', 'left')
        paper.words(arrow, (end, foot), size, align=align)
    return end, middle


class _Columns:
    """Where the columns of the table stand, in mm."""

    def __init__(self, left: float, right: float) -> None:
        room = right - left
        self.name, self.right = left, right
        self.value = left + 0.34 * room
        self.error = left + 0.41 * room
        self.norm = left + 0.43 * room
        self.bar_left, self.bar_right = left + 0.56 * room, left + 0.75 * room
        self.label = left + 0.765 * room

    @property
    def bar_middle(self) -> float:
        return (self.bar_left + self.bar_right) / 2

    def bar_at(self, deviation_sd: float) -> float:
        return self.bar_middle + deviation_sd / (2 * _BAR_SD) * (self.bar_right - self.bar_left - 4)


def norm_words(value: AssessedValue) -> str:
    """A norm in short: mean ± SD, or its range; with a mark where no source was seen that gives it."""
    digits = digits_of(value.measurement.unit)
    if value.norm is None:
        return UNKNOWN
    if value.sd is None and value.range is not None:
        words = ' to '.join(_plain(end, digits) for end in value.range)
    else:
        words = UNKNOWN if value.mean is None else _plain(value.mean, digits)
        words = words if value.sd is None else f'{words} ± {_plain(value.sd, digits)}'
    return words if value.norm.is_traced else f'{words} {UNTRACED}'


def _plain(value: float, digits: int) -> str:
    words = format_number(value, digits)
    return words.rstrip('0').rstrip('.') if '.' in words else words
