"""CSV files of labels, with one row an image or with one row a point.

With one row an image, as in ``labels.csv`` of CL-Detection 2024 and in tables of ISBI 2015: one column names the image
(``image`` or ``image file``), one may give its spacing in mm per pixel (``spacing`` or ``spacing(mm)``), and each
landmark has one for x and one for y. For the first landmark of a set, sella (S), these may be called ``p1x`` and
``p1y`` as in CL-Detection 2024, ``x1`` and ``y1``, or ``S_x`` and ``S_y``. Empty cells say that a landmark is not
annotated.

With one row a point: the columns ``image``, ``landmark``, ``x``, ``y``, and ``spacing`` where it is known; or, as
``predict`` writes them, ``x_px``, ``y_px`` and ``spacing_mm``.
``landmark`` is an abbreviation of the landmark set. A row without x and y says nothing, nor does one that says ``no``
under ``visible``, as ``review`` writes it; other columns are not read.

Decimal commas are understood where they cannot be anything else.
"""

import math
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import (
    NO_POINT,
    Annotation,
    AnnotationBuilder,
    finite_number,
    label,
    positive_spacing,
)
from cephalometric.csv_files import CsvTable, read_csv
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import LandmarkSet, find_abbreviation

IMAGE_COLUMNS = ('image', 'image file')
SPACING_COLUMNS = ('spacing', 'spacing(mm)', 'spacing_mm')


def read_labels_csv(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read a CSV file with one row an image.

    Args:
        path: The file.
        landmark_set: The landmarks that its columns name or number.
        problems: Takes every problem of a column, name, point or spacing. A landmark that is not there is none: that is
            for the caller to judge.

    Returns:
        The annotations by the name of the image, as the file has it.

    Raises:
        InputError: The file is missing, is not a CSV file, or has no column for the image or none for points.
    """
    table = read_csv(path)
    image, spacing = table.column(*IMAGE_COLUMNS), table.find_column(*SPACING_COLUMNS)
    columns = _point_columns(table, {image, spacing}, landmark_set, problems)
    table = table.with_decimal_points([spacing, *(column for pair in columns.values() for column in pair)])
    annotations: dict[str, Annotation] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        name = row[image]
        if name in annotations or not name:
            problems.add('rows whose image has another row, or no name', None, f'{path}, line {line}: {name!r}')
            continue
        points_px = np.full((len(landmark_set), 2), np.nan)
        for index, (x, y) in columns.items():
            points_px[index] = _point(row[x], row[y], name, label(landmark_set, index), problems)
        spacing_mm = math.nan if spacing is None else positive_spacing(row[spacing], name, problems)
        annotations[name] = Annotation(points_px, spacing_mm)
    return annotations


def _point_columns(
    table: CsvTable, others: set[int | None], landmark_set: LandmarkSet, problems: Problems
) -> dict[int, tuple[int, int]]:
    """The columns of x and y for each landmark that has them."""
    free = {name: position for position, name in enumerate(table.header) if position not in others and name}
    columns: dict[int, tuple[int, int]] = {}
    for index, abbreviation in enumerate(landmark_set.abbreviations):
        k = index + 1
        for pair in ((f'p{k}x', f'p{k}y'), (f'x{k}', f'y{k}'), (f'{abbreviation}_x', f'{abbreviation}_y')):
            found = [find_abbreviation(name, free) for name in pair]
            # A column of another landmark that is typed alike belongs to that one.
            if index not in columns and None not in found and _is_of(found[0], pair[0], landmark_set):
                columns[index] = free.pop(found[0]), free.pop(found[1])
    if not columns:
        raise InputError(
            f'{table.path}: no columns hold points: name them x1, y1, x2, ..., or p1x, p1y, p2x, ..., or by the '
            f'abbreviations of the landmark set {landmark_set.name}, such as {landmark_set.abbreviations[0]}_x'
        )
    for name in free:
        problems.add(
            f'columns of {table.path} that belong to no landmark of the set {landmark_set.name} (take them out, or '
            'choose another set with --landmarks)',
            None,
            repr(name),
        )
    return columns


def _is_of(column: str, wanted: str, landmark_set: LandmarkSet) -> bool:
    """Whether a column is the wanted one, and not that of another landmark whose name differs in case alone."""
    return column == wanted or column.rpartition('_')[0] not in landmark_set.abbreviations


def _point(x: str, y: str, place: str, landmark: str, problems: Problems) -> tuple[float, float]:
    """The point in two cells, in pixels; NaN where both are empty. Anything else that is no point is a problem too."""
    numbers = finite_number(x), finite_number(y)
    if None not in numbers:
        return numbers
    if x or y:
        problems.add(NO_POINT, place, f'{landmark} at ({x}, {y})')
    return math.nan, math.nan


def read_any_csv(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read a CSV file with one row a point, or with one row an image if it has no column ``landmark``."""
    one_row_a_point = read_csv(path).find_column('landmark') is not None
    return (read_point_csv if one_row_a_point else read_labels_csv)(path, landmark_set, problems)


def read_point_csv(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read a CSV file with one row a point.

    Args:
        path: The file.
        landmark_set: The landmarks that it names by their abbreviations.
        problems: Takes every problem of a name, point or spacing. A landmark that is not there is none: that is for
            the caller to judge.

    Returns:
        The annotations by the name of the image, as the file has it.

    Raises:
        InputError: The file is missing, is not a CSV file, or lacks a column.
    """
    table = read_csv(path)
    image, landmark = table.column(*IMAGE_COLUMNS), table.column('landmark')
    x, y, spacing = table.column('x', 'x_px'), table.column('y', 'y_px'), table.find_column(*SPACING_COLUMNS)
    visible = table.find_column('visible')
    table = table.with_decimal_points([x, y, spacing])
    builders: dict[str, AnnotationBuilder] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        name = row[image]
        if not name:
            problems.add('rows without the name of an image', None, f'{path}, line {line}')
            continue
        builder = builders.setdefault(name, AnnotationBuilder(landmark_set, name, problems))
        if (row[x] or row[y]) and (visible is None or row[visible].lower() != 'no'):
            builder.add_point(row[landmark], row[x], row[y])
        if spacing is not None:
            builder.add_spacing(row[spacing])
    return {name: builder.build() for name, builder in builders.items()}
