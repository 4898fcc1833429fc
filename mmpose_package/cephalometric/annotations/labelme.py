"""A folder with one JSON file an image, in the form of the annotation tool labelme.

Each landmark is a shape of the type ``point`` whose ``label`` is an abbreviation of the landmark set, and ``imagePath``
names the image. ``imageWidth`` and ``imageHeight`` say which size it had. A number ``spacing`` (mm per pixel) beside
them, which labelme does not know but keeps, is read too. Version 3 wrote no ``shape_type``: there, a shape of one point
is one. Coordinates are taken as they stand.
"""

from pathlib import Path

from cephalometric.annotations.annotation import Annotation, AnnotationBuilder, short
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet


def read_labelme(folder: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read all JSON files of a folder.

    Args:
        folder: The folder.
        landmark_set: The landmarks that the files name by their abbreviations.
        problems: Takes every problem of a file, name, point or spacing. A landmark that is not there is none: that is
            for the caller to judge.

    Returns:
        The annotations by the path of the image, as the files have it.

    Raises:
        InputError: It is not a folder, or holds no JSON file.
    """
    if not Path(folder).is_dir():
        raise InputError(f'{folder} is not a folder: name the one that holds the JSON files')
    # A name that begins with a dot is none of a person's: macOS writes ._film.json beside film.json.
    files = [path for path in Path(folder).iterdir() if not path.name.startswith('.')]
    paths = sorted(path for path in files if path.suffix.lower() == '.json')
    if not paths:
        raise InputError(f'{folder} holds no .json file: name the folder that does')
    annotations: dict[str, Annotation] = {}
    for path in paths:
        content = problems.attempt(_read_file, path)
        if content is None:
            continue
        name = content['imagePath']
        if name in annotations:
            problems.add('images that several JSON files name', name)
        annotations[name] = _annotation(content, path.name, landmark_set, problems)
    return annotations


def _read_file(path: Path) -> dict:
    content = read_json(path)
    shapes = content.get('shapes') if isinstance(content, dict) else None
    if not isinstance(shapes, list) or not isinstance(content.get('imagePath'), str):
        raise InputError(f'{path}: not a file of labelme: a JSON object with "shapes" and "imagePath" is needed')
    return content


def _annotation(content: dict, place: str, landmark_set: LandmarkSet, problems: Problems) -> Annotation:
    builder = AnnotationBuilder(landmark_set, place, problems)
    for shape in content['shapes']:
        match shape:
            case {'label': str(name), 'points': [[x, y]]} if shape.get('shape_type', 'point') == 'point':
                builder.add_point(name, x, y)
            case _:
                problems.add('shapes that are not a point with a label (delete or correct them)', place, short(shape))
    builder.add_size(content.get('imageWidth'), content.get('imageHeight'))
    builder.add_spacing(content.get('spacing'))
    return builder.build()
