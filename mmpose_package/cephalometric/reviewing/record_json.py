"""The record of a reader on an X-ray as JSON."""

import math
from collections.abc import Mapping

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.reviewing.review_record import (
    BY_A_PERSON,
    LABELLED,
    NOTHING,
    PREDICTED,
    Beginning,
    ReviewMark,
    ReviewRecord,
    finite,
    mark_of,
    row_of,
)


def rows_of_marks(record: ReviewRecord) -> list[dict]:
    """The landmarks of a record of plain types, in the order of the set."""
    return [row_of(name, mark) for name, mark in record.marks.items()]


def record_content(record: ReviewRecord) -> dict:
    """The record of plain types, ready to be written as JSON."""
    begun, names = record.beginning, list(record.beginning.marks)
    found = [
        {
            'landmark': name,
            'x_px': _plain(begun.found_px[k, 0]),
            'y_px': _plain(begun.found_px[k, 1]),
            'expected_error_mm': _plain(begun.expected_mm[k]),
            'doubtful': bool(begun.doubtful[k]),
        }
        for k, name in enumerate(names)
    ]
    return {
        'revision': record.revision,
        'width': record.size[0],
        'height': record.size[1],
        'spacing_mm': record.spacing_mm,
        'spacing_from': record.spacing_from,
        'landmarks': rows_of_marks(record),
        'begun_with': {
            'landmarks': [row_of(name, mark) for name, mark in begun.marks.items()],
            'found': found,
            'spacing_mm': begun.spacing_mm,
            'model': dict(begun.model),
            'reasons': list(begun.reasons),
        },
        'edits': list(record.edits),
        'applied': record.applied,
        'last_request': record.last,
    }


def parse_record(content: Mapping, landmarks: LandmarkSet) -> ReviewRecord:
    """Understand what :func:`record_content` gave; its edits are tried, one by one.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: It is something else.
    """
    begun = content['begun_with']
    marks = {row['landmark']: _checked(row) for row in begun['landmarks']}
    if tuple(marks) != landmarks.abbreviations:
        raise ValueError('its landmarks are those of another landmark set')
    found, edits, applied = begun['found'], content['edits'], content['applied']
    if not isinstance(applied, int) or not 0 <= applied <= len(edits):
        raise ValueError('"applied" is no count of its edits')
    for edit in edits:
        for row in edit.get('landmarks', ()):
            _checked(row)
            marks[row['landmark']]  # Raises KeyError for a landmark that is none.
    beginning = Beginning(
        marks,
        np.array([[_or_nan(row['x_px']), _or_nan(row['y_px'])] for row in found], float).reshape(-1, 2),
        np.array([_or_nan(row['expected_error_mm']) for row in found], float),
        np.array([bool(row['doubtful']) for row in found], bool),
        None if begun['spacing_mm'] is None else finite(begun['spacing_mm']),
        dict(begun['model']),
        tuple(map(str, begun['reasons'])),
    )
    if len(beginning.found_px) != len(marks):
        raise ValueError('"found" has not a row for each landmark')
    size = int(content['width']), int(content['height'])
    return ReviewRecord(beginning, size, tuple(edits), applied, int(content['revision']), str(content['last_request']))


def _checked(row: Mapping) -> ReviewMark:
    mark = mark_of(row)
    if (mark.x_px is None) != (mark.y_px is None) or not isinstance(mark.visible, bool):
        raise ValueError(f'{row["landmark"]} has half a place')
    if mark.x_px is not None:
        finite(mark.x_px), finite(mark.y_px)
    if mark.status not in BY_A_PERSON | {PREDICTED, LABELLED, NOTHING}:
        raise ValueError(f'there is no status {mark.status!r}')
    return mark


def _plain(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else finite(value)
