"""One page for an X-ray: the tracing of an analysis, and a table of its values against the norms.

A page is for people who are used to cephalometric programs: groups, value with its standard error, whose norm, the
deviation as a bar in standard deviations, the class in words. It can be read in black and white.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, AssessedValue, Person
from cephalometric.reporting.paper import GREY, INK, Colour, Paper, Style, check_size_name, words_width
from cephalometric.reporting.tracing import Tracing, digits_of, number, said
from cephalometric.results.predictions import NOTICE, PredictedXray

MARGIN_MM = 14.0
_ROW_MM, _LEAST_ROW_MM = 5.0, 3.4
_MOST_TRACING_MM, _LEAST_TRACING_MM = 132.0, 70.0
_BAR_SD = 3.0  # Bars end here; what lies beyond has an arrow.
WARNING: Colour = (0.75, 0.0, 0.1)
UNKNOWN = '–'


@dataclass(frozen=True)
class PageFacts:
    """What a page says besides the values.

    Attributes:
        model: What found the landmarks, or who placed them.
        made: The day.
        person: Whom the norms were chosen for.
        paper: 'A4' or 'Letter'.
    """

    model: str
    made: date
    person: Person
    paper: str = 'A4'


def film_pages(
    films: Iterable[tuple[PredictedXray, np.ndarray, AssessedAnalysis]], landmark_set: LandmarkSet, facts: PageFacts
) -> bytes:
    """A PDF with a page for each X-ray.

    Args:
        films: For each its landmarks; the image, uint8, (H, W), or (H, W, 3) in RGB order; and the values.
        landmark_set: Names the landmarks.
        facts: What the pages say besides.

    Raises:
        InputError: There is no such size of paper.
    """
    width, height = check_size_name(facts.paper)
    paper = Paper(width, height, title='Cephalometric analysis')
    for number_of_film, (xray, image, assessed) in enumerate(films):
        if number_of_film:
            paper.new_sheet()
        _Page(paper, facts).draw(xray, image, assessed, landmark_set)
    return paper.pdf()


class _Page:
    def __init__(self, paper: Paper, facts: PageFacts) -> None:
        self.paper, self.facts = paper, facts
        self.left, self.right = MARGIN_MM, paper.width - MARGIN_MM
        self.bottom = paper.height - MARGIN_MM

    def draw(
        self, xray: PredictedXray, image: np.ndarray, assessed: AssessedAnalysis, landmark_set: LandmarkSet
    ) -> None:
        top = self._heading(xray, assessed)
        rows = len(assessed.values) + len(assessed.groups) + 2
        room = self.bottom - 8 - top
        row = float(np.clip((room - _LEAST_TRACING_MM) / rows, _LEAST_ROW_MM, _ROW_MM))
        tall = float(np.clip(room - row * rows - 4, 30.0, _MOST_TRACING_MM))
        wide = 0.64 * (self.right - self.left)
        tracing = Tracing(self.paper, self.left, top, wide, tall, image)
        tracing.draw(landmark_set, xray, assessed)
        self._facts(xray, assessed, self.left + wide + 5, top)
        self._table(assessed, top + tall + 4, row)
        self._footer(assessed)

    def _heading(self, xray: PredictedXray, assessed: AssessedAnalysis) -> float:
        paper, top = self.paper, MARGIN_MM
        paper.words(f'{assessed.analysis.title}', (self.left, top + 4), 5, bold=True)
        paper.words(fitting(xray.name, 3.6, 0.55 * (self.right - self.left)), (self.right, top + 4), 3.6, align='right')
        paper.line((self.left, top + 7), (self.right, top + 7), Style(INK, 0.3))
        top += 10
        if xray.doubtful:
            lines = wrapped(doubt_words(xray), 3.2, self.right - self.left - 4, bold=True)
            paper.box(self.left, top, self.right - self.left, 4.6 * len(lines) + 2, WARNING, None)
            for line_number, words in enumerate(lines, start=1):
                paper.words(words, (self.left + 2, top + 4.6 * line_number - 0.6), 3.2, (1, 1, 1), bold=True)
            top += 4.6 * len(lines) + 5
        return top

    def _facts(self, xray: PredictedXray, assessed: AssessedAnalysis, left: float, top: float) -> None:
        """What must be known to read the values, at the side of the tracing."""
        paper, room = self.paper, self.right - left
        known = xray.spacing_mm is not None
        facts = [
            ('Name', ''),
            ('Film', xray.name),
            ('Date of this page', f'{self.facts.made:%Y-%m-%d}'),
            ('Landmarks', self.facts.model),
            ('Spacing', f'{xray.spacing_mm:g} mm per pixel' if known else 'not known: no lengths'),
            ('Magnification', 'as the spacing says; none is taken out' if known else 'not known'),
            ('Norms for', _whom(self.facts.person)),
        ]
        if xray.orientation.turned:
            facts.append(('Film lies', str(xray.orientation)))
        if xray.flagged is None and xray.predicted:
            facts.append(('Landmarks assessed', 'no: the model has no calibration'))
        elif xray.flagged is not None and not xray.doubtful:
            facts.append(('Flagged landmarks', str(int(xray.flagged.sum()))))
        for title, text in facts:
            paper.words(title, (left, top + 2.4), 2.3, GREY)
            if not text:
                paper.line((left, top + 9), (self.right, top + 9), Style(GREY, 0.2))
                top += 12
                continue
            lines = wrapped(text, 2.9, room)[:4]
            for line_number, words in enumerate(lines, start=1):
                paper.words(words, (left, top + 2.4 + 4 * line_number), 2.9)
            top += 4 + 4 * len(lines) + 1.6
        for warning in xray.warnings[1:] if xray.doubtful else xray.warnings:
            for words in wrapped(warning, 2.3, room)[:5]:
                paper.words(words, (left, top + 2.4), 2.3, WARNING)
                top += 3.2
            top += 1

    def _table(self, assessed: AssessedAnalysis, top: float, row: float) -> None:
        size = min(2.8, 0.62 * row)
        columns = _Columns(self.left, self.right)
        for words, place, align in (
            ('measurement', columns.name, 'left'),
            ('value', columns.value, 'right'),
            ('± SE', columns.error, 'right'),
            ('norm', columns.norm, 'left'),
            ('deviation in SD', columns.bar_middle, 'middle'),
            ('class', columns.label, 'left'),
        ):
            self.paper.words(words, (place, top + 0.7 * row), 0.85 * size, GREY, align=align)
        top += row
        for sd in (-3, -2, -1, 0, 1, 2, 3):
            self.paper.words(
                number(sd, 0, sign=True), (columns.bar_at(sd), top + 0.4 * row), 0.7 * size, GREY, align='middle'
            )
        top += 0.6 * row
        self.paper.line((self.left, top), (self.right, top), Style(INK, 0.25))
        begin, points = top, []  # Of each row the place of its deviation, or None.
        for group in assessed.groups:
            if len(assessed.groups) > 1:
                self.paper.words(group.title, (columns.name, top + 0.74 * row), size, bold=True)
                top += row
                points.append(None)
            for value in group.values:
                points.append(self._row(value, top, row, size, columns))
                top += row
        for sd in (-3, -2, -1, 0, 1, 2, 3):
            style = Style(GREY, 0.3 if sd == 0 else 0.12, 'solid' if sd == 0 else 'dotted')
            self.paper.line((columns.bar_at(sd), begin), (columns.bar_at(sd), top), style)
        # The polygon of cephalometric programs: one line down all deviations.
        for one, other in itertools.pairwise(points):
            if one is not None and other is not None:
                self.paper.line(one, other, Style(GREY, 0.2))
        for place in points:
            if place is not None:
                self.paper.dot(place, 0.7, INK, None)
        self.paper.line((self.left, top), (self.right, top), Style(INK, 0.25))

    def _row(
        self, value: AssessedValue, top: float, row: float, size: float, columns: '_Columns'
    ) -> tuple[float, float] | None:
        """One measurement; returns the place of its deviation on the bar."""
        paper, foot, measurement = self.paper, top + 0.74 * row, value.measurement
        paper.words(fitting(measurement.title, size, columns.value - columns.name - 14), (columns.name, foot), size)
        if np.isnan(value.value):
            paper.words(UNKNOWN, (columns.value, foot), size, align='right')
            return None
        mark = ' ?' if value.flagged else ''
        paper.words(f'{said(measurement, value.value)}{mark}', (columns.value, foot), size, bold=True, align='right')
        if value.standard_error is not None:
            error = number(value.standard_error, digits_of(measurement))
            paper.words(f'± {error}', (columns.error, foot), size, align='right')
        norm = norm_words(value)
        paper.words(fitting(norm, size, columns.bar_left - columns.norm - 2), (columns.norm, foot), size)
        if value.class_name:
            words = f'{value.class_name}, undecided' if value.undecided else value.class_name
            bold = value.is_normal is False and not value.undecided
            paper.words(fitting(words, size, self.right - columns.label, bold), (columns.label, foot), size, bold=bold)
        if value.deviation_sd is None:
            return None
        middle = top + row / 2
        end = columns.bar_at(float(np.clip(value.deviation_sd, -_BAR_SD, _BAR_SD)))
        begin, stop = sorted((columns.bar_at(0), end))
        paper.box(begin, middle - 0.28 * row, max(stop - begin, 0.2), 0.56 * row, (0.72, 0.72, 0.76), None)
        if abs(value.deviation_sd) > _BAR_SD:
            arrow, align = ('◂', 'right') if value.deviation_sd < 0 else ('▸', 'left')
            paper.words(arrow, (end, foot), size, align=align)
        return end, middle

    def _footer(self, assessed: AssessedAnalysis) -> None:
        names = {value.norm.name: value.norm.source for value in assessed.values if value.norm is not None}
        sources = '; '.join(f'{name}' for name in dict.fromkeys(names))
        lines = wrapped(f'Norms: {sources or "none"}. SE: standard error from the expected errors of the landmarks; '
                         'undecided: the border of the class is nearer than that; ?: uses a flagged landmark.',
                         2.0, self.right - self.left)[:3]  # fmt: skip
        top = self.bottom - 2.8 * len(lines) - 1
        for line_number, words in enumerate(lines):
            self.paper.words(words, (self.left, top + 2.8 * line_number), 2.0, GREY)
        self.paper.words(NOTICE, (self.left, self.bottom + 2), 2.4, bold=True)


class _Columns:
    """Where the columns of the table stand, in mm."""

    def __init__(self, left: float, right: float) -> None:
        room = right - left
        self.name = left
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


def doubt_words(xray: PredictedXray) -> str:
    """Why an X-ray is doubtful."""
    return f'DOUBTFUL: {xray.warnings[0] if xray.warnings else "trust none of this"}'


def norm_words(value: AssessedValue) -> str:
    """A norm in short: mean ± SD, or its range."""
    digits = digits_of(value.measurement)
    if value.norm is None:
        return UNKNOWN
    if value.sd is None and value.range is not None:
        return ' to '.join(_plain(end, digits) for end in value.range)
    mean = UNKNOWN if value.mean is None else _plain(value.mean, digits)
    return mean if value.sd is None else f'{mean} ± {_plain(value.sd, digits)}'


def _plain(value: float, digits: int) -> str:
    words = number(value, digits)
    return words.rstrip('0').rstrip('.') if '.' in words else words


def _whom(person: Person) -> str:
    sex = {'female': 'women', 'male': 'men', None: 'both sexes'}[person.sex]
    return f'adults, {sex}' if person.age is None else f'age {person.age:g}, {sex}'


def fitting(words: str, size: float, room: float, bold: bool = False) -> str:
    """Words cut to a room, with three dots where something is left out."""
    if words_width(words, size, bold) <= room:
        return words
    while words and words_width(f'{words}…', size, bold) > room:
        words = words[:-1]
    return f'{words.rstrip()}…'


def wrapped(words: str, size: float, room: float, bold: bool = False) -> list[str]:
    """Words in lines that fit into a room; what is too long by itself is cut."""
    lines = ['']
    for word in words.split():
        longer = f'{lines[-1]} {word}'.strip()
        if lines[-1] and words_width(longer, size, bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitting(line, size, room, bold) for line in lines]
