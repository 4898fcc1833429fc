"""Annotations of the ISBI 2015 cephalometric X-ray challenge (C.-W. Wang et al., Medical Image Analysis 31, 2016).

A doctor's annotations are a folder of text files, ``001.txt`` for the image ``001.bmp`` and so on: a line ``x,y`` in
pixels for each landmark, in the challenge's order, then lines with the classes of the patient, which are not read.
Tables made of them, ``image,x1,y1,x2,...``, are common too.
"""

import math
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import Annotation, finite_number
from cephalometric.annotations.csv_labels import read_labels_csv
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_text
from cephalometric.landmarks import LandmarkSet

SPACING_MM = 0.1


def read_isbi2015(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read the annotations of one doctor.

    Args:
        path: A folder of text files, or a CSV file.
        landmark_set: The landmarks in the order of the lines or columns.
        problems: Takes every problem of a file or point.

    Returns:
        The annotations by the name of the image: without its ending if they come from text files.

    Raises:
        InputError: There is no such folder or file, it holds no text file, or is not such a table.
    """
    path = Path(path)
    if not path.is_dir():
        return read_labels_csv(path, landmark_set, problems)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == '.txt' and not file.name.startswith('.'))
    if not files:
        raise InputError(f"{path} holds no .txt file: name the folder of a doctor's text files, or a CSV file")
    annotations = {}
    for file in files:
        text = problems.attempt(read_text, file)
        if text is None:
            continue
        points = _points(text, len(landmark_set))
        if points is None:
            problems.add(
                f'files in {path} without exactly {len(landmark_set)} lines "x,y" before the others (copy them again, '
                'or choose another landmark set with --landmarks)',
                file.name,
            )
        else:
            annotations[file.stem] = Annotation(np.array(points), math.nan)
    return annotations


def _points(text: str, count: int) -> list[list[float]] | None:
    """The points of a text file; None if they are not there, or more than ``count``."""
    lines = [line for line in text.splitlines() if line.strip()]
    points = [[finite_number(cell) for cell in line.split(',')] for line in lines[:count]]
    usable = len(points) == count and all(len(point) == 2 and None not in point for point in points)
    return points if usable and not any(',' in line for line in lines[count:]) else None
