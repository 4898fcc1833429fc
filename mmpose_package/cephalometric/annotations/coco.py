"""COCO files of labelled X-rays: what step 2 writes, and what training, testing and reporting read.

The keypoint part of the COCO format (https://cocodataset.org/#format-data), with ``spacing`` (mm per pixel) in each
image, ``original_file`` in those that were a file of their own, and the landmark set in the one category. The box of
every annotation is the whole image.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet

CONTRIBUTOR = 'cephalometric'
CATEGORY_ID = 1


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
    """

    id: int
    file_name: str
    width: int
    height: int
    spacing_mm: float
    points_px: np.ndarray
    original_file: str | None = None

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
    """

    path: Path
    landmark_set: str
    abbreviations: tuple[str, ...]
    images: tuple[LabelledImage, ...]

    def __len__(self) -> int:
        return len(self.images)

    def image_path(self, image: LabelledImage) -> Path:
        """Where an image of this file lies on disk."""
        return self.path.parent / image.file_name


def read_image(labelled: LabelledImages, image: LabelledImage) -> np.ndarray:
    """The X-ray, uint8, shape (H, W) when it is grey and (H, W, 3) in RGB order when it is not.

    Raises:
        InputError: The file is missing, unreadable, or of another size than its entry says.
    """
    path = labelled.image_path(image)
    try:
        # Not cv2.imread, which crashes the process by a path that is not UTF-8.
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error):
        pixels = None
    if pixels is None:
        raise InputError(f'{path}: cannot be read as an image: run step2_prepare_coco_dataset.py again')
    if pixels.shape[:2] != (image.height, image.width):
        raise InputError(
            f'{path}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, but {labelled.path} says '
            f'{image.width} x {image.height}: run step2_prepare_coco_dataset.py again'
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
    return entry if image.original_file is None else entry | {'original_file': image.original_file}


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
        abbreviations = tuple(category['keypoints'])
        annotations = {entry['image_id']: entry for entry in content['annotations']}
        images = tuple(
            _labelled_image(entry, annotations[entry['id']], len(abbreviations)) for entry in content['images']
        )
        return LabelledImages(Path(path), category['landmark_set'], abbreviations, images)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f'{path}: not a COCO file of this project ({type(error).__name__}: {error}); make it with '
            'step2_prepare_coco_dataset.py'
        ) from None


def _labelled_image(entry: dict, annotation: dict, landmarks: int) -> LabelledImage:
    spacing_mm = float(entry['spacing'])
    if not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise ValueError(f'the spacing of image {entry["id"]} is {spacing_mm}')
    keypoints = np.array(annotation['keypoints'], float).reshape(landmarks, 3)
    points_px = np.where(keypoints[:, 2:] > 0, keypoints[:, :2], np.nan)
    return LabelledImage(
        id=int(entry['id']),
        file_name=str(entry['file_name']),
        width=int(entry['width']),
        height=int(entry['height']),
        spacing_mm=spacing_mm,
        points_px=points_px,
        original_file=entry.get('original_file'),
    )
