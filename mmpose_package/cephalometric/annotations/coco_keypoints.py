"""COCO keypoint files of any program, such as CVAT, COCO Annotator or Label Studio, as annotations by image.

The keypoint part of the COCO format (https://cocodataset.org/#format-data). The category's ``keypoints`` are the
abbreviations of landmarks, or their numbers in the landmark set from 1. Visibility 0 says that a landmark is not
annotated; 1 (hidden) and 2 both say that it is. ``spacing`` (mm per pixel) in an image's entry, which COCO does not
know, is read too. Coordinates are taken as they stand.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import Annotation, AnnotationBuilder, short
from cephalometric.annotations.coco import NOT_SUCH_A_FILE, keypoints_px, skeleton_lines, texts
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet


@dataclass(frozen=True)
class KeypointFile:
    """The content of a COCO keypoint file.

    Attributes:
        names: The names of the keypoints, in order.
        lines: Pairs of positions to join in drawings.
        images: Their entries, as the file has them.
        points_px: For each image with an annotation its points by the image's id, shape (K, 2); NaN where the
            visibility is 0.
        several: The ids of images that have several annotations; the first counts.
    """

    names: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    images: tuple[dict, ...]
    points_px: dict[int | str, np.ndarray]
    several: frozenset[int | str]


def read_coco_keypoints(path: str | Path, landmark_set: LandmarkSet, problems: Problems) -> dict[str, Annotation]:
    """Read a COCO keypoint file.

    Args:
        path: The file.
        landmark_set: The landmarks that its keypoints name, or number from 1.
        problems: Takes every problem of a name, point, size or spacing. A landmark that is not there is none: that is
            for the caller to judge.

    Returns:
        The annotations by the ``file_name`` of the image. Images without an annotation are left out.

    Raises:
        InputError: The file is missing, or is not such a file.
    """
    content = read_keypoint_file(path)
    positions = _positions(path, content.names, landmark_set, problems)
    annotations: dict[str, Annotation] = {}
    for image in content.images:
        name = image['file_name']
        if image['id'] not in content.points_px:
            continue
        if name in annotations or image['id'] in content.several:
            problems.add('images annotated more than once', name)
            continue
        builder = AnnotationBuilder(landmark_set, name, problems)
        for position, (x, y) in zip(positions, content.points_px[image['id']].tolist(), strict=True):
            if position is not None and not math.isnan(x):
                builder.add_point_of(position, x, y)
        builder.add_size(image.get('width'), image.get('height'))
        builder.add_spacing(image.get('spacing'))
        annotations[name] = builder.build()
    return annotations


def _positions(
    path: str | Path, names: tuple[str, ...], landmark_set: LandmarkSet, problems: Problems
) -> list[int | None]:
    """The position in the landmark set of each keypoint."""
    positions = [landmark_set.find(name) for name in names]
    if not any(position is not None for position in positions) and names == tuple(map(str, range(1, len(names) + 1))):
        positions = [position if position < len(landmark_set) else None for position in range(len(names))]
    for name, position in zip(names, positions, strict=True):
        if position is None:
            problems.add(
                f'keypoints of {path} outside the landmark set {landmark_set.name} (use its abbreviations, or choose '
                'another set with --landmarks)',
                None,
                short(name),
            )
    for position in sorted({p for p in positions if p is not None and positions.count(p) > 1}):
        problems.add(f'landmarks that several keypoints of {path} name', None, landmark_set.abbreviations[position])
    return positions


def read_keypoint_file(path: str | Path) -> KeypointFile:
    """Read the structure of a COCO keypoint file, without a landmark set.

    Raises:
        InputError: The file is missing, or is not such a file.
    """
    content = read_json(path)
    try:
        categories = {entry['id']: entry for entry in content['categories'] if entry.get('keypoints')}
        if len(categories) != 1:
            raise ValueError(f'{len(categories)} of its categories have "keypoints", and one is needed')
        ((number, category),) = categories.items()
        names = texts(category['keypoints'])
        images = tuple(content['images'])
        for image in images:
            texts([image['file_name']])
        if len({image['id'] for image in images}) < len(images):
            raise ValueError('several images have one id')
        points_px: dict[int | str, np.ndarray] = {}
        several = set()
        for entry in content['annotations']:
            # Boxes and polygons of the same or of another category are no landmarks.
            if entry['category_id'] == number and entry.get('keypoints'):
                if entry['image_id'] in points_px:
                    several.add(entry['image_id'])
                points_px.setdefault(entry['image_id'], keypoints_px(entry['keypoints'], len(names)))
        if len(set(names)) < len(names) or not points_px.keys() <= {image['id'] for image in images}:
            raise ValueError('a keypoint is there twice, or an annotation is of an image that is not there')
        lines = skeleton_lines(category.get('skeleton') or [], len(names))
        return KeypointFile(names, lines, images, points_px, frozenset(several))
    except NOT_SUCH_A_FILE as error:
        raise InputError(
            f'{path}: not a COCO file with keypoints ({type(error).__name__}: {error}): a JSON object with "images", '
            '"annotations" and "categories", one of these with "keypoints", is needed'
        ) from None
