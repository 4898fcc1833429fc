"""COCO files of labelled X-rays: what step 2 writes, and what training, testing and reporting read.

The keypoint part of the COCO format (https://cocodataset.org/#format-data), with ``spacing`` (mm per pixel) in each
image, ``original_file`` in those that were a file of their own, and the landmark set in the one category. The box of
every annotation is the whole image.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cephalometric.annotations.annotation import short
from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet

CONTRIBUTOR = 'cephalometric'
CATEGORY_ID = 1
REMEDY = 'run step2_prepare_coco_dataset.py again'


@dataclass(frozen=True)
class LabelledImage:
    """An X-ray on disk and its landmarks.

    Attributes:
        id: Its number from 1: that of its slice in the stack, or its place among the files.
        file_name: Its path, relative to the folder of the COCO file, with forward slashes.
        width, height: Its size in pixels.
        spacing_mm: Millimetres per pixel.
        points_px: Shape (K, 2) as x, y, in the order of the landmark set; NaN where a landmark is not labelled.
        original_file: The name of the file that it was made from; None for a slice of a stack.
        sha256: The checksum of the image file; None where the COCO file has none.
    """

    id: int
    file_name: str
    width: int
    height: int
    spacing_mm: float
    points_px: np.ndarray
    original_file: str | None = None
    sha256: str | None = None

    @property
    def visible(self) -> np.ndarray:
        """Shape (K,): whether each landmark is labelled."""
        return np.isfinite(self.points_px).all(axis=1)


@dataclass(frozen=True)
class LabelledImages:
    """The content of a COCO file.

    Attributes:
        path: The file.
        landmark_set: The name of the landmark set.
        abbreviations: The landmarks' short names, in order.
        images: The images, in the order of the file.
        landmark_names: The landmarks' full names, in order.
        lines: Pairs of positions to join in drawings.
    """

    path: Path
    landmark_set: str
    abbreviations: tuple[str, ...]
    images: tuple[LabelledImage, ...]
    landmark_names: tuple[str, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def image_path(self, image: LabelledImage) -> Path:
        """Where an image of this file lies on disk."""
        return self.path.parent / image.file_name


def read_image(labelled: LabelledImages, image: LabelledImage) -> np.ndarray:
    """The X-ray, uint8, shape (H, W) when it is grey and (H, W, 3) in RGB order when it is not.

    Raises:
        InputError: The file is missing, unreadable, or of another size or checksum than its entry says.
    """
    path = labelled.image_path(image)
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f'{path}: cannot be read as an image ({error}): {REMEDY}') from None
    if image.sha256 is not None and hashlib.sha256(content).hexdigest() != image.sha256:
        raise InputError(f'{path}: is not the image that was labelled, by its checksum in {labelled.path}: {REMEDY}')
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if pixels is None:
        raise InputError(f'{path}: cannot be read as an image: {REMEDY}')
    if pixels.shape[:2] != (image.height, image.width):
        raise InputError(
            f'{path}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, but {labelled.path} says '
            f'{image.width} x {image.height}: {REMEDY}'
        )
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])


def coco_content(images: Iterable[LabelledImage], landmark_set: LandmarkSet) -> dict:
    """The content of a COCO file, ready to be written as JSON; a landmark that is not labelled gets visibility 0."""
    images = list(images)
    category = {
        'id': CATEGORY_ID,
        'name': 'cephalometric',
        'supercategory': 'cephalometric',
        'keypoints': list(landmark_set.abbreviations),
        'skeleton': [[a + 1, b + 1] for a, b in landmark_set.lines],
        'landmark_set': landmark_set.name,
        'landmark_names': list(landmark_set.names),
    }
    return {
        'info': {'description': landmark_set.title, 'contributor': CONTRIBUTOR},
        'images': [_image_entry(image) for image in images],
        'annotations': [_annotation_entry(image) for image in images],
        'categories': [category],
    }


def _image_entry(image: LabelledImage) -> dict:
    entry = {
        'id': image.id,
        'file_name': image.file_name,
        'width': image.width,
        'height': image.height,
        'spacing': image.spacing_mm,
    }
    more = {'original_file': image.original_file, 'sha256': image.sha256}
    return entry | {name: value for name, value in more.items() if value is not None}


def _annotation_entry(image: LabelledImage) -> dict:
    points = np.nan_to_num(image.points_px) * image.visible[:, None]
    visibility = np.where(image.visible, 2, 0)
    keypoints = [[float(x), float(y), int(v)] for (x, y), v in zip(points, visibility, strict=True)]
    return {
        'id': image.id,
        'image_id': image.id,
        'category_id': CATEGORY_ID,
        'keypoints': [value for keypoint in keypoints for value in keypoint],
        'num_keypoints': int(image.visible.sum()),
        'iscrowd': 0,
        'bbox': [0, 0, image.width, image.height],
        'area': image.width * image.height,
    }


def load_coco(path: str | Path) -> LabelledImages:
    """Read a COCO file that step 2 has written.

    Raises:
        InputError: The file is missing, is not JSON, or is not such a file.
    """
    content = read_json(path)
    try:
        (category,) = content['categories']
        abbreviations = texts(category['keypoints'])
        if not abbreviations or len(set(abbreviations)) < len(abbreviations):
            raise ValueError('its "keypoints" are none, or one of them is there twice')
        annotations = {entry['image_id']: entry for entry in content['annotations']}
        if len(annotations) < len(content['annotations']):
            raise ValueError('an image has several annotations')
        images = tuple(
            _labelled_image(entry, annotations[entry['id']], len(abbreviations)) for entry in content['images']
        )
        if len({image.id for image in images}) < len(images):
            raise ValueError('several images have one id')
        landmark_set, names = texts([category['landmark_set']])[0], texts(category.get('landmark_names', abbreviations))
        if len(names) != len(abbreviations):
            raise ValueError('"landmark_names" does not go with "keypoints"')
        lines = skeleton_lines(category.get('skeleton', []), len(abbreviations))
    except NOT_SUCH_A_FILE as error:
        raise InputError(
            f'{path}: not a COCO file of this project ({type(error).__name__}: {error}); make it with '
            'step2_prepare_coco_dataset.py'
        ) from None
    return LabelledImages(Path(path), landmark_set, abbreviations, images, names, lines)


NOT_SUCH_A_FILE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a file of another structure may raise."""


def texts(values: object) -> tuple[str, ...]:
    """A list of texts of a JSON file.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise TypeError(f'{short(values)} should be a list of texts')
    return tuple(values)


def skeleton_lines(skeleton: object, landmarks: int) -> tuple[tuple[int, int], ...]:
    """COCO's "skeleton", pairs of numbers from 1, as pairs of positions.

    Raises:
        TypeError, ValueError: It is something else.
    """
    lines = tuple((int(first) - 1, int(second) - 1) for first, second in skeleton)
    if not all(0 <= end < landmarks for line in lines for end in line):
        raise ValueError('its "skeleton" joins keypoints that it does not have')
    return lines


def _labelled_image(entry: dict, annotation: dict, landmarks: int) -> LabelledImage:
    spacing_mm = float(entry['spacing'])
    if not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise ValueError(f'the spacing of image {short(entry["id"])} is {spacing_mm}')
    if not all(is_count(entry[name]) for name in ('id', 'width', 'height')):
        raise ValueError('"id", "width" and "height" of an image must be whole numbers from 1')
    texts([entry['file_name'], entry.get('original_file') or '', entry.get('sha256') or ''])
    points_px = keypoints_px(annotation['keypoints'], landmarks)
    return LabelledImage(
        id=entry['id'],
        file_name=entry['file_name'],
        width=entry['width'],
        height=entry['height'],
        spacing_mm=spacing_mm,
        points_px=points_px,
        original_file=entry.get('original_file'),
        sha256=entry.get('sha256'),
    )


def is_count(value: object) -> bool:
    """Whether a value of a JSON file is a whole number from 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def keypoints_px(keypoints: object, landmarks: int) -> np.ndarray:
    """COCO's flat list x, y, visibility, ... as points, shape (K, 2); NaN where the visibility is 0.

    Raises:
        ValueError, TypeError, OverflowError: It is no such list of finite numbers.
    """
    if not isinstance(keypoints, list) or len(keypoints) != 3 * landmarks:
        raise ValueError(f'"keypoints" should be {3 * landmarks} numbers: x, y and visibility of {landmarks} landmarks')
    if any(isinstance(value, str | bool) for value in keypoints):
        raise TypeError('"keypoints" should be numbers')
    table = np.array(keypoints, float).reshape(landmarks, 3)
    if not np.isfinite(table).all():
        raise ValueError('"keypoints" should be finite numbers')
    return np.where(table[:, 2:] > 0, table[:, :2], np.nan)
