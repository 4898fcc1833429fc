"""COCO files of labelled X-rays: what step 2 writes, and what training, testing and reporting read.

The keypoint part of the COCO format (https://cocodataset.org/#format-data), with ``spacing`` (mm per pixel) in each
image, ``original_file`` in those that were a file of their own, and the landmark set in the one category. The box of
every annotation is the whole image. Files of other programs, such as the challenge's baseline, are read as well if they
have a ``spacing``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from cephalometric.annotations.annotation import is_normalised, short
from cephalometric.annotations.coco_keypoints import (
    check_number,
    deduced_landmark_set,
    keypoint_file,
    keypoint_positions,
)
from cephalometric.annotations.coco_values import (
    NOT_SUCH_A_FILE,
    is_count,
    keypoints_px,
    positive_spacing,
    skeleton_lines,
    texts,
)
from cephalometric.annotations.image_folders import way_to_images
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


def load_coco(
    path: str | Path, landmarks: LandmarkSet | None = None, image_folders: Sequence[str | Path] = ()
) -> LabelledImages:
    """Read a COCO file of labelled X-rays: one that step 2 has written, or one of another program that has spacings.

    Args:
        path: The file.
        landmarks: The landmark set of a file of another program, which may name its keypoints in another order, or not
            at all; by default the one set of the package that fits. A file of step 2 says its own.
        image_folders: Where its images may lie: the first of these folders, of the file's own and of those directly in
            it that holds the first image.

    Returns:
        The images; their file names are relative to the folder of the COCO file, wherever that says they lie.

    Raises:
        InputError: The file is missing, is no such file or says no spacing, or it is not clear what its landmark set is
            or where its images lie.
    """
    content = read_json(path)
    labelled = _of_step_2(path, content) if names_landmark_set(content) else _of_others(path, content, landmarks)
    return _with_image_folder(labelled, [Path(folder) for folder in image_folders])


def names_landmark_set(content: object) -> bool:
    """Whether the content of a COCO file names its landmark set, as files of step 2 do."""
    categories = content.get('categories') if isinstance(content, dict) else None
    return isinstance(categories, list) and any(isinstance(one, dict) and 'landmark_set' in one for one in categories)


def _of_step_2(path: str | Path, content: dict) -> LabelledImages:
    try:
        (category,) = content['categories']
        abbreviations = texts(category['keypoints'])
        if not abbreviations or len(set(abbreviations)) < len(abbreviations):
            raise ValueError('its "keypoints" are none, or one of them is there twice')
        annotations = {entry['image_id']: entry for entry in content['annotations']}
        if len(annotations) < len(content['annotations']):
            raise ValueError('an image has several annotations')
        images = tuple(
            _labelled_image(entry, keypoints_px(annotations[entry['id']]['keypoints'], len(abbreviations)))
            for entry in content['images']
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


def _of_others(path: str | Path, content: object, landmarks: LandmarkSet | None) -> LabelledImages:
    """A COCO file of another program. Images without an annotation are left out."""
    found = keypoint_file(path, content)
    landmarks = landmarks or deduced_landmark_set(path, found)
    if not found.named:
        check_number(path, found, landmarks)
    positions = keypoint_positions(found.names, landmarks)
    wrong = [
        name for name, place in zip(found.names, positions, strict=True) if place is None or positions.count(place) > 1
    ]
    if wrong:
        raise InputError(
            f'{path}: its keypoint {short(wrong[0])} is none of the landmark set {landmarks.name!r}, or there twice: '
            'say another set with --landmarks'
        )
    numbered = all(is_count(entry['id']) for entry in found.images)
    images = []
    try:
        for number, entry in enumerate(found.images, start=1):
            if entry['id'] in found.several:
                raise ValueError(f'{entry["file_name"]} is annotated more than once')
            if entry['id'] in found.points_px:
                points_px = np.full((len(landmarks), 2), np.nan)
                points_px[positions] = found.points_px[entry['id']]
                _check_points(entry, points_px)
                file_name = entry['file_name'].replace('\\', '/')
                known = entry | {'id': entry['id'] if numbered else number, 'file_name': file_name}
                images.append(_labelled_image(known, points_px))
    except NOT_SUCH_A_FILE as error:
        reason = f'no {error}' if isinstance(error, KeyError) else str(error)
        raise InputError(
            f'{path}: cannot be used as it is ({reason}): bring it into the form of this project with '
            'step2_prepare_coco_dataset.py --source coco, and --spacing where it says none'
        ) from None
    return LabelledImages(
        Path(path), landmarks.name, landmarks.abbreviations, tuple(images), landmarks.names, landmarks.lines
    )


def _check_points(entry: dict, points_px: np.ndarray) -> None:
    if (points_px == 0).all(axis=1).any():
        raise ValueError(f'{entry["file_name"]} has a landmark at exactly (0, 0)')
    if is_normalised(points_px):
        raise ValueError(f'the landmarks of {entry["file_name"]} lie from 0 to 1, which are no pixels')


def _with_image_folder(labelled: LabelledImages, folders: Sequence[Path]) -> LabelledImages:
    """The same images by their paths from the folder of the COCO file."""
    if not labelled.images:
        return labelled
    way = way_to_images(labelled.path, labelled.images[0].file_name, folders)
    if way is None:
        return labelled
    images = tuple(replace(image, file_name=Path(way, image.file_name).as_posix()) for image in labelled.images)
    return replace(labelled, images=images)


def _labelled_image(entry: dict, points_px: np.ndarray) -> LabelledImage:
    if not all(is_count(entry[name]) for name in ('id', 'width', 'height')):
        raise ValueError('"id", "width" and "height" of an image must be whole numbers from 1')
    texts([entry['file_name'], entry.get('original_file') or '', entry.get('sha256') or ''])
    return LabelledImage(
        id=entry['id'],
        file_name=entry['file_name'],
        width=entry['width'],
        height=entry['height'],
        spacing_mm=positive_spacing(entry['spacing']),
        points_px=points_px,
        original_file=entry.get('original_file'),
        sha256=entry.get('sha256'),
    )
