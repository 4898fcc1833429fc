"""CSV files with one row a point: the columns ``image``, ``landmark``, ``x``, ``y``, and ``spacing`` where it is known.

``landmark`` is an abbreviation of the landmark set. A row without x and y says nothing, and other columns are not read.
"""

from pathlib import Path

from cephalometric.checks import Problems
from cephalometric.formats.annotations import Annotation, AnnotationBuilder
from cephalometric.formats.csv_files import read_csv
from cephalometric.formats.labels_csv import IMAGE_COLUMNS, SPACING_COLUMNS, read_labels_csv
from cephalometric.landmarks import LandmarkSet


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
    x, y, spacing = table.column('x'), table.column('y'), table.find_column(*SPACING_COLUMNS)
    builders: dict[str, AnnotationBuilder] = {}
    for row, line in zip(table.rows, table.lines, strict=True):
        name = row[image]
        if not name:
            problems.add('rows without the name of an image', None, f'{path}, line {line}')
            continue
        builder = builders.setdefault(name, AnnotationBuilder(landmark_set, name, problems))
        if row[x] or row[y]:
            builder.add_point(row[landmark], row[x], row[y])
        if spacing is not None:
            builder.add_spacing(row[spacing])
    return {name: builder.build() for name, builder in builders.items()}
