"""The rows of ``landmarks.csv``, and the spacing that they say, also after somebody has corrected some of them.

Pixels are what counts. Millimetres are there for reading, so a row whose millimetres do not follow from its pixels has
been corrected in one of the two, and nobody can tell in which: its pixels are taken, and it is named.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import finite_number
from cephalometric.csv_files import CsvTable
from cephalometric.errors import InputError
from cephalometric.landmarks import find_abbreviation

_NUMBERS = ('x_px', 'y_px', 'x_mm', 'y_mm', 'spacing_mm', 'score', 'expected_error_mm')
_NAMED_ROWS = 5


@dataclass(frozen=True)
class PointRow:
    """One row: a landmark of an X-ray.

    Attributes:
        line: The line of the file, from 1.
        image, landmark: The name of the X-ray, and the abbreviation.
        texts: The cells of x_px, y_px, x_mm and y_mm, as they are written.
        px, mm: Shape (2,) as x, y, in pixels and in mm; NaN where a cell is empty.
        rounding: Shape (4,): half a unit of the last digit of each of ``texts``.
        spacing_mm, score, expected_error_mm: NaN where the cell is empty.
        flagged: None where the cell is empty.
        doubtful: What the row says of its X-ray.
        warnings: Likewise.
    """

    line: int
    image: str
    landmark: str
    texts: tuple[str, ...]
    px: np.ndarray
    mm: np.ndarray
    rounding: np.ndarray
    spacing_mm: float
    score: float
    expected_error_mm: float
    flagged: bool | None
    doubtful: bool
    warnings: str


def point_rows(table: CsvTable, known: Collection[str]) -> list[PointRow]:
    """All rows of a table with the columns image, landmark, x_px and y_px.

    Args:
        table: The table.
        known: Abbreviations that may be typed in another way.

    Raises:
        InputError: A column is missing, a cell cannot be used, or a landmark of an image has two rows.
    """
    for name in ('image', 'landmark', 'x_px', 'y_px'):
        table.column(name)
    table = table.with_decimal_points(map(table.find_column, _NUMBERS))
    spelled: dict[str, str] = {}
    rows: dict[tuple[str, str], PointRow] = {}
    for cells, line in zip(table.rows, table.lines, strict=True):
        row = _row(table, cells, line, known, spelled)
        earlier = rows.setdefault((row.image, row.landmark), row)
        if earlier is not row:
            raise InputError(
                f'{table.path}, lines {earlier.line} and {line}: {row.image} has two rows for {row.landmark}: keep one'
            )
    return list(rows.values())


def _row(table: CsvTable, cells: Sequence[str], line: int, known: Collection[str], spelled: dict[str, str]) -> PointRow:
    def cell(name: str) -> str:
        column = table.find_column(name)
        return '' if column is None else cells[column]

    image, landmark = cell('image'), cell('landmark')
    if not image or not landmark:
        raise InputError(f'{table.path}, line {line}: an image and a landmark must be named; complete the row')
    if landmark not in spelled:
        spelled[landmark] = find_abbreviation(landmark, known) or landmark
    texts = [cell(name) for name in _NUMBERS]
    numbers = [finite_number(text) if text else np.nan for text in texts]
    if None in numbers:
        wrong = numbers.index(None)
        raise InputError(
            f'{table.path}, line {line}: {_NUMBERS[wrong]} is {texts[wrong]!r}; write a finite number or nothing'
        )
    if np.isnan(numbers[0]) != np.isnan(numbers[1]):
        raise InputError(f'{table.path}, line {line}: of x_px and y_px one is empty; give both or none')
    if numbers[4] <= 0:
        raise InputError(f'{table.path}, line {line}: spacing_mm is {texts[4]}; give the millimetres per pixel')
    if numbers[6] < 0:
        raise InputError(f'{table.path}, line {line}: expected_error_mm is {texts[6]}; an error is not below 0')
    if _yes_or_no(table, line, 'visible', cell('visible')) is False:  # As review writes what cannot be seen.
        numbers[:4] = [np.nan] * 4
    return PointRow(
        line,
        image,
        spelled[landmark],
        tuple(texts[:4]),
        np.array(numbers[:2], float),
        np.array(numbers[2:4], float),
        np.array([_rounding(text) for text in texts[:4]]),
        numbers[4],
        numbers[5],
        numbers[6],
        _yes_or_no(table, line, 'flagged', cell('flagged')),
        bool(_yes_or_no(table, line, 'doubtful', cell('doubtful'))),
        cell('warnings'),
    )


def _rounding(text: str) -> float:
    """Half a unit of the last digit of a number as it is written, at most 0.5."""
    return min(0.5, 0.5 * 10.0 ** Decimal(text).as_tuple().exponent) if text else 0.0


def _yes_or_no(table: CsvTable, line: int, name: str, text: str) -> bool | None:
    if text.lower() not in ('yes', 'no', ''):
        raise InputError(f'{table.path}, line {line}: {name} is {text!r}; write yes, no or nothing')
    return text.lower() == 'yes' if text else None


def spacing_of_rows(
    path: Path, rows: Sequence[PointRow], asked_mm: float | None
) -> tuple[float | None, tuple[str, ...]]:
    """The spacing that the rows of one X-ray say, and what is to be known about it.

    It is what the column spacing_mm says; without one, the spacing on which most rows agree by their millimetres.

    Args:
        path: For messages.
        rows: The rows.
        asked_mm: What the user says it is, which makes up for rows that do not agree.

    Raises:
        InputError: The rows contradict each other, and the user does not say what it is.
    """
    stated = sorted({row.spacing_mm for row in rows if row.spacing_mm == row.spacing_mm})
    if len(stated) > 1 and asked_mm is None:
        values = ', '.join(f'{value:g}' for value in stated)
        raise InputError(f'{path}: {rows[0].image} has several values of spacing_mm: {values}; give it one')
    px, mm = np.stack([row.px for row in rows]), np.stack([row.mm for row in rows])
    rounding = np.stack([row.rounding for row in rows])
    used = np.isfinite(px) & np.isfinite(mm)
    telling = (used & ((np.abs(px) > rounding[:, :2]) | (np.abs(mm) > rounding[:, 2:]))).any(axis=1)
    if not telling.any():
        return (stated[0] if stated else None), ()
    found_mm, agrees = _agreed_spacing(px, mm, rounding, used)
    most = 2 * (agrees & telling).sum() > telling.sum()
    if stated and (stated_agrees := _agree(stated[0], px, mm, rounding, used))[telling].any():
        found_mm, agrees, most = stated[0], stated_agrees, True
    if not most:
        if stated or asked_mm is not None:
            return (stated[0] if stated else None), ('its x_mm and y_mm agree on no spacing: they are not used',)
        raise InputError(
            f'{path}: the rows of {rows[0].image} agree on no spacing by their x_px and x_mm: give --spacing, or a '
            'column spacing_mm'
        )
    texts = [_disagreement([row for row, one in zip(rows, agrees, strict=True) if not one], found_mm)]
    if stated and stated[0] != found_mm:
        texts.append(f'its x_mm and y_mm stand for a spacing of {found_mm:.4g} mm, but spacing_mm is {stated[0]:g}')
    return (stated[0] if stated else found_mm), tuple(text for text in texts if text)


def _disagreement(rows: Sequence[PointRow], spacing_mm: float) -> str:
    if not rows:
        return ''
    named = [
        f'{row.landmark} ({row.texts[0]}, {row.texts[1]} px; {row.texts[2]}, {row.texts[3]} mm)'
        for row in rows[:_NAMED_ROWS]
    ]
    more = f' and {len(rows) - _NAMED_ROWS} more' if len(rows) > _NAMED_ROWS else ''
    return (
        f'x_mm and y_mm are not x_px and y_px times {spacing_mm:.4g} mm: {", ".join(named)}{more}: the pixels are '
        'used (to correct a landmark in mm, empty its x_px and y_px)'
    )


def _agree(spacing_mm: float, px: np.ndarray, mm: np.ndarray, rounding: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Whether each row's millimetres, as they were rounded, follow from its pixels with a spacing; shape (N,)."""
    slack = rounding[:, 2:] + spacing_mm * rounding[:, :2] + 1e-9 * np.abs(np.where(used, mm, 0))
    with np.errstate(over='ignore', invalid='ignore'):
        return ((np.abs(mm - spacing_mm * px) <= slack) | ~used).all(axis=1)


def _agreed_spacing(px: np.ndarray, mm: np.ndarray, rounding: np.ndarray, used: np.ndarray) -> tuple[float, np.ndarray]:
    """The spacing with which most rows agree, and which do.

    Each number allows an interval of spacings, as far as it was rounded. The most intervals overlap where one of them
    begins, so only these places are tried.
    """
    large = used & (np.abs(px) > rounding[:, :2]) & (np.sign(px) * np.sign(mm) > 0)
    pixels, millimetres = np.abs(px[large]), np.abs(mm[large])
    with np.errstate(over='ignore'):
        lowest = (millimetres - rounding[:, 2:][large]) / (pixels + rounding[:, :2][large])
        candidates = np.concatenate([millimetres / pixels, lowest])
    candidates = np.unique(candidates[np.isfinite(candidates) & (candidates > 0)])
    if not len(candidates):
        return np.nan, np.zeros(len(px), bool)
    agreeing = [_agree(candidate, px, mm, rounding, used) for candidate in candidates.tolist()]
    best = max(range(len(candidates)), key=lambda k: agreeing[k].sum())
    known = agreeing[best][:, None] & large
    if not known.any():
        return np.nan, np.zeros(len(px), bool)
    return float(np.abs(mm[known]).sum() / np.abs(px[known]).sum()), agreeing[best]
