"""Small image files of phantoms, and their landmarks in every form that step 2 reads."""

import csv
import functools
import json
from pathlib import Path

import cv2
import numpy as np

from cephalometric.annotations.aariz import SYMBOLS, TABLE
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set
from cephalometric.phantom.rendering import make_phantom

LANDMARKS = load_landmark_set('isbi2015')
NAMES = ('film1', 'film2', 'film10')  # in natural order, which is not that of texts


@functools.cache
def phantoms() -> dict:
    return {name: make_phantom(seed, 0.1, LANDMARKS.name) for seed, name in enumerate(NAMES)}


def points() -> dict[str, np.ndarray]:
    """The landmarks of each film, in pixels with two decimals; change the arrays as you like."""
    return {name: phantom.points_px.round(2) for name, phantom in phantoms().items()}


def write_images(folder: Path, suffix: str = '.png') -> Path:
    folder.mkdir(parents=True)
    for name, phantom in phantoms().items():
        assert cv2.imwrite(str(folder / f'{name}{suffix}'), phantom.image)
    return folder


def write_table(path: Path, header: list[str], rows: list[list]) -> Path:
    with open(path, 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_isbi2015(folder: Path, points_px: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    for name, rows in points_px.items():
        lines = [f'{x},{y}' for x, y in rows.tolist()] + ['1', '2', '1', '1', '3', '1', '1', '2']
        (folder / f'{name}.txt').write_text('\r\n'.join(lines) + '\r\n')
    return folder


def write_labels(path: Path, points_px: dict[str, np.ndarray], spacing_mm: float) -> Path:
    header = [f'p{k}{axis}' for k in range(1, len(LANDMARKS) + 1) for axis in 'xy']
    rows = [[f'{name}.bmp', spacing_mm, *rows.ravel().tolist()] for name, rows in points_px.items()]
    return write_table(path, ['image file', 'spacing(mm)', *header], rows)


def write_point_rows(path: Path, points_px: dict[str, np.ndarray]) -> Path:
    rows = [
        [f'{name}.png', abbreviation, *point]
        for name, points in points_px.items()
        for abbreviation, point in zip(LANDMARKS.abbreviations, points.tolist(), strict=True)
    ]
    return write_table(path, ['image', 'landmark', 'x', 'y'], rows)


def labelme_content(name: str, points_px: np.ndarray) -> dict:
    shapes = [
        {'label': abbreviation, 'points': [point], 'group_id': None, 'shape_type': 'point', 'flags': {}}
        for abbreviation, point in zip(LANDMARKS.abbreviations, points_px.tolist(), strict=True)
    ]
    height, width = phantoms()[name].image.shape if name in phantoms() else (240, 200)
    image = {'imagePath': f'..\\films\\{name}.png', 'imageData': None, 'imageHeight': height, 'imageWidth': width}
    return {'version': '5.5.0', 'flags': {}, 'shapes': shapes, **image}


def write_labelme(folder: Path, points_px: dict[str, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in points_px.items():
        (folder / f'{name}.json').write_text(json.dumps(labelme_content(name, rows)))
    return folder


def keypoint_content(points_px: dict[str, np.ndarray]) -> dict:
    """A COCO file as CVAT writes it."""
    names = list(LANDMARKS.abbreviations)
    images = [
        {'id': number, 'file_name': f'{name}.png', 'license': 0, 'flickr_url': '', 'coco_url': '', 'date_captured': 0}
        for number, name in enumerate(points_px, start=1)
    ]
    annotations = [
        {
            'id': number,
            'image_id': number,
            'category_id': 1,
            'keypoints': [value for x, y in rows.tolist() for value in ([x, y, 2] if x == x else [0, 0, 0])],
            'num_keypoints': int(np.isfinite(rows[:, 0]).sum()),
            'iscrowd': 0,
        }
        for number, rows in enumerate(points_px.values(), start=1)
    ]
    category = {'id': 1, 'name': 'head', 'supercategory': '', 'keypoints': names, 'skeleton': [[1, 2]]}
    return {'licenses': [], 'info': {}, 'categories': [category], 'images': images, 'annotations': annotations}


def write_keypoints(path: Path, points_px: dict[str, np.ndarray]) -> Path:
    path.write_text(json.dumps(keypoint_content(points_px)))
    return path


def write_aariz(folder: Path, points_px: dict[str, np.ndarray], junior_px: dict[str, np.ndarray] | None = None) -> Path:
    """A data set in the form of Aariz, without its X-rays; the points are those of the senior, or of both doctors."""
    called = {ours: symbol for symbol, ours in SYMBOLS.items()}
    symbols = [called.get(name, name).replace("'", '`') for name in LANDMARKS.abbreviations]
    for doctor, points in (('Junior', junior_px or points_px), ('Senior', points_px)):
        for number, (name, rows) in enumerate(points.items()):
            part = folder / ('train', 'valid', 'test')[number % 3] / 'Annotations'
            place = part / 'Cephalometric Landmarks' / f'{doctor} Orthodontists' / f'{name}.json'
            place.parent.mkdir(parents=True, exist_ok=True)
            landmarks = [
                {'landmark_id': f'ck{symbol}', 'symbol': symbol, 'title': symbol, 'value': {'x': x, 'y': y}}
                for symbol, (x, y) in zip(symbols, rows.tolist(), strict=True)
            ]
            place.write_text(json.dumps({'ceph_id': name, 'landmarks': landmarks}))
            stage = part / 'CVM Stages' / f'{name}.json'
            stage.parent.mkdir(exist_ok=True)
            stage.write_text(json.dumps({'ceph_id': name, 'cvm_stage': {'value': 3}}))
    modes = ('Train', 'Valid', 'Test')
    rows = [[name, 'CX-9', 0.1, 'png', modes[number % 3]] for number, name in enumerate(points_px)]
    write_table(folder / TABLE, ['cephalogram_id', 'machine', 'pixel_size', 'image_format', 'mode'], rows)
    return folder


def read_annotations(reader, path):
    """What a reader of annotations finds, and its report, if there is one."""
    problems = Problems()
    annotations = reader(path, LANDMARKS, problems)
    try:
        problems.raise_if_any('bad')
    except InputError as error:
        return annotations, str(error)
    return annotations, ''
