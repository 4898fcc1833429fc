"""One page for an X-ray: the tracing of an analysis, and a table of its values against the norms.

A page is for people who are used to cephalometric programs: groups, value with its standard error, whose norm, the
deviation as a bar in standard deviations, the class in words. It can be read in black and white.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import AssessedAnalysis, Person
from cephalometric.reporting.drawing import doubt_words, save_picture
from cephalometric.reporting.paper import (
    GREY,
    INK,
    Colour,
    Paper,
    Style,
    check_size_name,
    fitting,
    to_pixels,
    wrapped,
    write_pdf,
)
from cephalometric.reporting.tracing import Tracing
from cephalometric.reporting.value_table import UNTRACED_WORDS, draw_value_table
from cephalometric.results.predictions import NOTICE, PredictedXray

MARGIN_MM = 14.0
_ROW_MM, _LEAST_ROW_MM = 5.0, 3.4
_KEY_SIZES_MM = (2.3, 2.1, 1.9)
_MOST_TRACING_MM, _LEAST_TRACING_MM = 132.0, 70.0
WARNING: Colour = (0.75, 0.0, 0.1)
PAGE_PIXELS_PER_POINT = 150 / 72  # A page as a picture has 150 pixels an inch.


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


class TracingPages:
    """A PDF with a page for each X-ray.

    Args:
        landmark_set: Names the landmarks.
        facts: What the pages say besides the values.

    Raises:
        InputError: There is no such size of paper.
    """

    def __init__(self, landmark_set: LandmarkSet, facts: PageFacts) -> None:
        self._landmark_set, self._facts = landmark_set, facts
        self._paper = Paper(*check_size_name(facts.paper), title='Cephalometric analysis')
        self._count = 0

    def add(self, xray: PredictedXray, image: np.ndarray, assessed: AssessedAnalysis) -> None:
        """Draw a page.

        Args:
            xray: The landmarks, spacing, flags and doubts.
            image: uint8, shape (H, W), or (H, W, 3) in RGB order.
            assessed: The values by an analysis.
        """
        if self._count:
            self._paper.new_sheet()
        self._count += 1
        _Page(self._paper, self._facts).draw(xray, image, assessed, self._landmark_set)

    def pdf(self) -> bytes:
        """All pages; no more can be added."""
        return self._paper.pdf()


def write_tracing_page(
    path: str | Path,
    film: tuple[PredictedXray, np.ndarray, AssessedAnalysis],
    landmark_set: LandmarkSet,
    facts: PageFacts,
) -> None:
    """Write the page of one X-ray as PDF or PNG, by the end of the name, whole or not at all.

    Raises:
        InputError: The name ends otherwise, the file cannot be written, or there is no such size of paper.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in ('.pdf', '.png'):
        raise InputError(f'{path}: pages are written as .pdf or .png: let the name end so')
    pages = TracingPages(landmark_set, facts)
    pages.add(*film)
    pdf = pages.pdf()
    if kind == '.pdf':
        write_pdf(path, pdf)
    else:
        save_picture(to_pixels(pdf, PAGE_PIXELS_PER_POINT), path)


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
        below = self._facts(xray, assessed, self.left + wide + 5, top)
        table_end = top + tall + 4 + row * rows
        rooms = ((self.left + wide + 5, below, top + tall, 1), (self.left, table_end, self.bottom - 9, 3))
        self._landmarks(assessed, landmark_set, rooms)
        draw_value_table(self.paper, self.left, self.right, top + tall + 4, row, assessed)
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

    def _facts(self, xray: PredictedXray, assessed: AssessedAnalysis, left: float, top: float) -> float:
        """What must be known to read the values, at the side of the tracing. Returns where it ends."""
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
        return top

    def _landmarks(
        self,
        assessed: AssessedAnalysis,
        landmark_set: LandmarkSet,
        rooms: Sequence[tuple[float, float, float, int]],
    ) -> None:
        """Where the landmarks of the analysis lie, in the first room that holds all of them, if any does.

        A room begins at a left and a top, ends at a bottom and at the margin, and has some columns.
        """
        used = {name for value in assessed.values for name in value.measurement.landmarks}
        named = [(name, landmark_set.definition(k)) for k, name in enumerate(landmark_set.abbreviations)]
        found = [(name, definition) for name, definition in named if name in used and definition]
        for (left, top, bottom, columns), size in itertools.product(rooms if found else (), _KEY_SIZES_MM):
            line, indent, width = 1.3 * size, 3.2 * size, (self.right - left + 4) / columns
            most = int((bottom - top - 3.5) / line)
            texts = [(name, wrapped(definition, size, width - indent - 4)) for name, definition in found]
            column, used_lines, placed = 0, 0, []
            for name, lines in texts:
                if used_lines + len(lines) > most:
                    column, used_lines = column + 1, 0
                placed.append((column, used_lines, name, lines))
                used_lines += len(lines)
            if column >= columns or most < max(len(lines) for _, lines in texts):
                continue
            self.paper.words('Where the landmarks lie', (left, top + 2.4), 2.3, GREY)
            for column, first, name, lines in placed:
                x, foot = left + column * width, top + 3 + line * (first + 1)
                self.paper.words(name, (x, foot), size, bold=True)
                for number, words in enumerate(lines):
                    self.paper.words(words, (x + indent, foot + line * number), size)
            return

    def _footer(self, assessed: AssessedAnalysis) -> None:
        norms = [value.norm for value in assessed.values if value.norm is not None]
        notes = [f'Norms: {"; ".join(dict.fromkeys(norm.name for norm in norms)) or "none"}.']
        if not all(norm.is_traced for norm in norms):
            notes.append(f'{UNTRACED_WORDS}.')
        notes.append('SE: standard error from the expected errors of the landmarks;')
        notes.append('undecided: the border of the class is nearer than that; ?: uses a flagged landmark.')
        lines = wrapped(' '.join(notes), 2.0, self.right - self.left)[:3]
        top = self.bottom - 2.8 * len(lines) - 1
        for line_number, words in enumerate(lines):
            self.paper.words(words, (self.left, top + 2.8 * line_number), 2.0, GREY)
        self.paper.words(NOTICE, (self.left, self.bottom + 2), 2.4, bold=True)


def _whom(person: Person) -> str:
    sex = {'female': 'women', 'male': 'men', None: 'both sexes'}[person.sex]
    return f'adults, {sex}' if person.age is None else f'age {person.age:g}, {sex}'
