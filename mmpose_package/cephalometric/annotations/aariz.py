"""Annotations of the Aariz data set (M. A. Khalid et al., Scientific Data 12, 1336, 2025), also known as CEPHA29.

Each of its parts, ``train``, ``valid`` and ``test``, holds the X-rays in ``Cephalograms`` and, in ``Annotations``, a
folder of JSON files for the junior and one for the senior orthodontists: ``{"landmarks": [{"symbol": "A", "value":
{"x": 1412, "y": 1280}}, ...]}``. ``cephalogram_machine_mappings.csv`` beside the parts has the pixel sizes in mm. What
else lies there, such as the stages of the cervical vertebrae, is not read.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cephalometric.annotations.annotation import (
    Annotation,
    AnnotationBuilder,
    mean_annotation,
    one_spacing,
    positive_spacing,
    short,
)
from cephalometric.csv_files import CsvTable, read_csv
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet, load_landmark_set

DOCTORS = ('junior', 'senior')
LANDMARKS = 'aariz'
TABLE = 'cephalogram_machine_mappings.csv'
SYMBOLS = {'Pn': 'Prn', 'LIT': 'L1', 'UIT': 'U1', 'LIA': 'L1A', 'UIA': 'U1A', 'Li': 'LL', 'Ls': 'UL'}
"""What the files call landmarks that have another abbreviation here. Primes are typed as a backtick there."""
_HEIGHT = 4  # So many folders above those of a doctor lies the table.


def read_aariz(
    path: str | Path, landmark_set: LandmarkSet, problems: Problems, annotators: Sequence[str] = DOCTORS
) -> dict[str, Annotation]:
    """Read the annotations of the data set, or of a part of it.

    Args:
        path: The folder that holds them, at any depth.
        landmark_set: The landmarks that are wanted; others of the data set are passed over with a remark.
        problems: Takes every problem of a file, name, point or spacing.
        annotators: Whose annotations: of several, the mean is taken.

    Returns:
        The annotations by the name of the image without its ending.

    Raises:
        InputError: There is no such folder, it holds no annotations of an annotator, or the table is not usable.
    """
    path = Path(path)
    files = _files_by_doctor(path)
    remedy = 'name the folder of Aariz that holds train, valid and test'
    if not files:
        raise InputError(f'{path} has no folder of {" or ".join(DOCTORS)} orthodontists with JSON files: {remedy}')
    for doctor in annotators:
        if doctor not in files:
            others = [f'say --annotator {other}' for other in files]
            raise InputError(
                f'{path} has no folder of {doctor} orthodontists with JSON files: {" or ".join([remedy, *others])}'
            )
    table = _find_table(path)
    spacings_mm = {} if table is None else _read_spacings(table, problems)
    by_doctor = [_read_doctor(files[doctor], landmark_set, problems) for doctor in annotators]
    annotations = {}
    for name in sorted(set().union(*by_doctor)):
        found = [own[name] for own in by_doctor if name in own]
        if len(found) < len(by_doctor):
            problems.add('images that only one of the doctors has annotated (or say --annotator)', name)
            continue
        mean = mean_annotation(found, name, problems)
        annotations[name] = replace(mean, spacing_mm=spacings_mm.get(name, math.nan))
    return annotations


def _files_by_doctor(path: Path) -> dict[str, list[Path]]:
    """The JSON files below a folder by the doctor whose name the nearest folder about them has."""
    if not path.is_dir():
        raise InputError(f'{path} is not a folder: name the folder of Aariz that holds train, valid and test')
    files: dict[str, list[Path]] = {}
    for file in sorted(path.rglob('*')):
        if file.suffix.lower() == '.json' and not file.name.startswith('.') and file.is_file():
            folders = [*reversed(file.relative_to(path).parent.parts), path.absolute().name]
            doctor = next((one for folder in folders for one in DOCTORS if one in folder.casefold()), None)
            if doctor is not None:
                files.setdefault(doctor, []).append(file)
    return files


def _read_doctor(files: Sequence[Path], landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    stems = {file.stem for file in files}
    annotations: dict[str, Annotation] = {}
    for file in files:
        content = problems.attempt(_read_file, file)
        if content is None:
            continue
        said = content.get('ceph_id')
        if file.stem in annotations:
            problems.add('images with several JSON files of one doctor', file.stem)
        elif said != file.stem and isinstance(said, str) and said in stems:
            problems.add('JSON files whose "ceph_id" is another image', file.name, said)
        else:
            annotations[file.stem] = _annotation(content, file.name, landmark_set, problems)
    return annotations


def _read_file(path: Path) -> dict:
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get('landmarks'), list):
        raise InputError(f'{path}: not an annotation of Aariz: a JSON object with the list "landmarks" is needed')
    return content


def _annotation(content: dict, place: str, landmark_set: LandmarkSet, problems: Problems) -> Annotation:
    builder = AnnotationBuilder(landmark_set, place, problems)
    for entry in content['landmarks']:
        match entry:
            case {'symbol': str(symbol), 'value': {'x': x, 'y': y}}:
                ours = SYMBOLS.get(symbol.strip(), symbol)
                wanted = next((name for name in (symbol, ours) if landmark_set.find(name) is not None), None)
                if wanted is not None:
                    builder.add_point(wanted, x, y)
                elif _all_landmarks().find(ours) is not None:
                    problems.remark(f'landmarks outside the landmark set {landmark_set.name} were not used', ours)
                else:
                    builder.add_point(symbol, x, y)
            case _:
                problems.add('landmarks that are not a symbol with a value of x and y', place, short(entry))
    return builder.build()


@functools.cache
def _all_landmarks() -> LandmarkSet:
    return load_landmark_set(LANDMARKS)


def _find_table(path: Path) -> Path | None:
    """The table of the pixel sizes: in the folder or in one above it."""
    folders = [path.absolute(), *path.absolute().parents][: _HEIGHT + 1]
    return next((folder / TABLE for folder in folders if (folder / TABLE).is_file()), None)


def _read_spacings(path: Path, problems: Problems) -> dict[str, float]:
    """Millimetres per pixel by the name of the image without its ending; NaN where a cell is empty."""
    table: CsvTable = read_csv(path)
    image, size = table.column('cephalogram_id'), table.column('pixel_size')
    table = table.with_decimal_points([size])
    spacings: dict[str, set[float]] = {}
    for row in table.rows:
        value = positive_spacing(row[size], row[image], problems)
        spacings.setdefault(row[image], set()).update([] if math.isnan(value) else [value])
    return {name: one_spacing(values, name, problems) for name, values in spacings.items()}
