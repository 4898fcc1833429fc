"""What one reader has done on one X-ray: where it began, every edit, and what follows from them.

The edits are the truth, and the landmarks are what they lead to. So undo and redo have no end, also after a reload: an
undone edit stays in the record until another edit takes its place.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cephalometric.errors import MALFORMED, InputError

PREDICTED, LABELLED, NOTHING = 'predicted', 'labelled', 'not placed'
CONFIRMED, CORRECTED, PLACED = 'confirmed', 'corrected', 'placed'
BY_A_PERSON = {CONFIRMED, CORRECTED, PLACED}
MOST_EDITS = 1000
"""In one request."""
FARTHEST = 1.0
"""A landmark may lie that share of the X-ray's longer side beyond its edge."""
SPACINGS_MM = (0.001, 10.0)


@dataclass(frozen=True)
class ReviewMark:
    """A landmark of the record.

    Attributes:
        x_px, y_px: Its place; None where it has none.
        visible: Whether it can be seen on the X-ray, as far as anybody said.
        status: ``predicted`` or ``labelled`` as it was found, ``not placed``, and what a person did: ``confirmed``,
            ``corrected`` or ``placed``.
        date: When a person did so, in ISO 8601; empty before.
    """

    x_px: float | None = None
    y_px: float | None = None
    visible: bool = True
    status: str = NOTHING
    date: str = ''

    @property
    def is_placed(self) -> bool:
        """Whether it has a place."""
        return self.x_px is not None


@dataclass(frozen=True)
class Beginning:
    """What the reader was shown first.

    Attributes:
        marks: By abbreviation, in the order of the landmark set.
        found_px: Where a model finds the landmarks, shape (K, 2) as x, y; NaN where it does not.
        expected_mm: The errors to expect of that, shape (K,); NaN where they are not known.
        doubtful: Shape (K,): which landmarks to look at first.
        spacing_mm: Millimetres per pixel; None where it is not known.
        model: What found them, of plain types.
        reasons: Why the X-ray as a whole is in doubt, one sentence each.
    """

    marks: Mapping[str, ReviewMark]
    found_px: np.ndarray
    expected_mm: np.ndarray
    doubtful: np.ndarray
    spacing_mm: float | None = None
    model: Mapping[str, object] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReviewRecord:
    """The record of a reader on an X-ray; it is never changed, but followed by another.

    Attributes:
        beginning: What the reader was shown first.
        size: Width and height of the X-ray in pixels.
        edits: All edits, of plain types, the oldest first.
        applied: How many of them count; those after are undone.
        revision: How often it was saved.
        last: What the request was called that led to it.
    """

    beginning: Beginning
    size: tuple[int, int]
    edits: tuple[dict, ...] = ()
    applied: int = 0
    revision: int = 0
    last: str = ''

    @property
    def marks(self) -> dict[str, ReviewMark]:
        """The landmarks by abbreviation, after all edits that count."""
        marks = dict(self.beginning.marks)
        for edit in self.edits[: self.applied]:
            for row in edit.get('landmarks', ()):
                marks[row['landmark']] = mark_of(row)
        return marks

    @property
    def spacing_mm(self) -> float | None:
        """Millimetres per pixel, as the last edit says that says so, else as the X-ray's file does."""
        said = [edit['spacing_mm'] for edit in self.edits[: self.applied] if 'spacing_mm' in edit]
        return said[-1] if said else self.beginning.spacing_mm

    @property
    def spacing_from(self) -> str:
        """``file``, ``ruler`` or ``reader``; empty where there is no spacing."""
        said = [edit for edit in self.edits[: self.applied] if 'spacing_mm' in edit]
        if said:
            return 'ruler' if 'ruler' in said[-1] else 'reader'
        return '' if self.beginning.spacing_mm is None else 'file'

    @property
    def progress(self) -> tuple[int, int]:
        """How many landmarks a person has dealt with, and how many there are."""
        marks = self.marks.values()
        return sum(mark.status in BY_A_PERSON for mark in marks), len(marks)

    def followed(self, commands: Sequence[object], name: str, date: str) -> 'ReviewRecord':
        """The record after what a person asks for.

        Args:
            commands: Each a mapping with ``kind``: ``move`` (with ``landmark``, ``x_px``, ``y_px``), ``confirm``,
                ``hide`` or ``reset`` (with ``landmarks``), ``spacing`` (with ``spacing_mm`` and perhaps ``ruler``),
                ``undo`` or ``redo``.
            name: What the request is called.
            date: In ISO 8601.

        Raises:
            InputError: One of them cannot be done; nothing is.
        """
        record = self
        if not isinstance(commands, list) or not 0 < len(commands) <= MOST_EDITS:
            raise InputError(f'an edit is a list of 1 to {MOST_EDITS} commands')
        for command in commands:
            try:
                record = record._after(command, date)
            except MALFORMED as error:
                raise InputError(f'an edit that is none: {type(error).__name__}: {error}') from None
        return replace(record, revision=self.revision + 1, last=name)

    def _after(self, command: Mapping, date: str) -> 'ReviewRecord':
        kind = command['kind']
        if kind == 'undo':
            return replace(self, applied=max(0, self.applied - 1))
        if kind == 'redo':
            return replace(self, applied=min(len(self.edits), self.applied + 1))
        edit = {'kind': kind, 'date': date}
        if kind == 'spacing':
            edit |= _spacing(command)
        elif kind == 'move':
            edit['landmarks'] = [self._moved(command, date)]
        elif kind in ('confirm', 'hide', 'reset'):
            names = command['landmarks']
            if not isinstance(names, list) or not names:
                raise ValueError('"landmarks" must be a list of abbreviations')
            edit['landmarks'] = [self._changed(kind, name, date) for name in names]
        else:
            raise ValueError(f'there is no kind {str(kind)[:40]!r}')
        edits = (*self.edits[: self.applied], edit)
        return replace(self, edits=edits, applied=len(edits))

    def _moved(self, command: Mapping, date: str) -> dict:
        name = command['landmark']
        before = self.beginning.marks[name]
        x, y = (finite(command[axis]) for axis in ('x_px', 'y_px'))
        width, height = self.size
        slack = FARTHEST * max(self.size)
        if not (-slack <= x <= width + slack and -slack <= y <= height + slack):
            raise ValueError(f'{name} would lie far beyond the X-ray')
        status = CORRECTED if before.is_placed else PLACED
        return row_of(name, ReviewMark(round(x, 3), round(y, 3), True, status, date))

    def _changed(self, kind: str, name: str, date: str) -> dict:
        mark = self.marks[name]
        if kind == 'reset':
            return row_of(name, self.beginning.marks[name])
        if kind == 'hide':
            return row_of(name, ReviewMark(None, None, False, CORRECTED, date))
        if not mark.is_placed and mark.visible:
            raise ValueError(f'{name} has no place that could be confirmed')
        status = CONFIRMED if mark.status not in BY_A_PERSON else mark.status
        return row_of(name, replace(mark, status=status, date=date))


def _spacing(command: Mapping) -> dict:
    spacing_mm = command['spacing_mm']
    if spacing_mm is not None:
        spacing_mm = finite(spacing_mm)
        if not SPACINGS_MM[0] <= spacing_mm <= SPACINGS_MM[1]:
            raise ValueError(f'a spacing of {spacing_mm:g} mm per pixel is none')
    edit = {'spacing_mm': spacing_mm}
    if command.get('ruler') is not None:
        ruler = command['ruler']
        points = [[finite(value) for value in ruler[end]] for end in ('from_px', 'to_px')]
        if any(len(point) != 2 for point in points):
            raise ValueError('the ends of a ruler are x and y')
        edit['ruler'] = {'from_px': points[0], 'to_px': points[1], 'length_mm': finite(ruler['length_mm'])}
    return edit


def finite(value: object) -> float:
    """A finite number; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f'{str(value)[:40]!r} is no finite number')
    return float(value)


def row_of(name: str, mark: ReviewMark) -> dict:
    """A landmark of plain types."""
    return {
        'landmark': name,
        'x_px': mark.x_px,
        'y_px': mark.y_px,
        'visible': mark.visible,
        'status': mark.status,
        'date': mark.date,
    }


def mark_of(row: Mapping) -> ReviewMark:
    """The landmark that :func:`row_of` wrote."""
    return ReviewMark(row['x_px'], row['y_px'], row['visible'], row['status'], row['date'])
