"""Scores per landmark as text and as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path

from cephalometric.formats.atomic import atomic_write
from cephalometric.landmarks import LandmarkSet
from cephalometric.scores import THRESHOLDS_MM, Scores

COLUMNS = (
    'landmark',
    'name',
    'count',
    'MRE mm',
    'SD mm',
    'median mm',
    *(f'SDR {threshold:.1f}mm %' for threshold in THRESHOLDS_MM),
)


def _row(abbreviation: str, name: str, scores: Scores) -> list[str]:
    numbers = (scores.mre_mm, scores.sd_mm, scores.median_mm)
    rates = (scores.sdr_percent[threshold] for threshold in THRESHOLDS_MM)
    return [
        abbreviation,
        name,
        str(scores.count),
        *(f'{value:.3f}' for value in numbers),
        *(f'{value:.2f}' for value in rates),
    ]


def score_rows(landmarks: LandmarkSet, per_landmark: Sequence[Scores], overall: Scores) -> list[list[str]]:
    """The table's rows, one per landmark and a last one for all of them, under the headings of ``COLUMNS``."""
    labels = zip(landmarks.abbreviations, landmarks.names, per_landmark, strict=True)
    return [_row(*label) for label in labels] + [_row('all', 'all landmarks', overall)]


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """The rows under their headings, in columns of even width."""
    table = [list(COLUMNS), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    lines = []
    for row in table:
        labels = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append('  '.join(labels + numbers))
    return '\n'.join(lines)


def write_csv(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write the rows under their headings, whole or not at all."""
    with atomic_write(path) as partial, open(partial, 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([COLUMNS, *rows])
