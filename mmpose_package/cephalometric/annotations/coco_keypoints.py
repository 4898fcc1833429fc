"""COCO keypoint files of any program, such as CVAT, COCO Annotator or Label Studio, as annotations by image.

The keypoint part of the COCO format (https://cocodataset.org/#format-data). The category's ``keypoints`` are the
abbreviations of landmarks, or their numbers in the landmark set from 1; where no category has any, as in the files of
the challenge's baseline, the keypoints are all landmarks of a set, in its order. Visibility 0 says that a landmark is
not annotated; 1 (hidden) and 2 both say that it is. ``spacing`` (mm per pixel) in an image's entry, which COCO does not
know, is read too. Coordinates are taken as they stand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import Annotation, AnnotationBuilder, short
from cephalometric.annotations.coco_values import NOT_SUCH_A_FILE, keypoints_px, skeleton_lines, texts
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet, built_in_landmark_sets, load_landmark_set


@dataclass(frozen=True)
class KeypointFile:
    """The content of a COCO keypoint file.

    Attributes:
        names: The names of the keypoints, in order; their numbers from 1 where the file names none.
        named: Whether the file names them.
        lines: Pairs of positions to join in drawings.
        images: Their entries, as the file has them.
        points_px: For each image with an annotation its points by the image's id, shape (K, 2); NaN where the
            visibility is 0.
        several: The ids of images that have several annotations; the first counts.
    """

    names: tuple[str, ...]
    named: bool
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
    if not content.named:
        check_number(path, content, landmark_set)
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
    positions = keypoint_positions(names, landmark_set)
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


def keypoint_positions(names: Sequence[str], landmark_set: LandmarkSet) -> list[int | None]:
    """The position in the landmark set of each keypoint, by its abbreviation or its number; None for one outside it."""
    positions = [landmark_set.find(name) for name in names]
    if not any(position is not None for position in positions) and is_numbered(names):
        positions = [position if position < len(landmark_set) else None for position in range(len(names))]
    return positions


def is_numbered(names: Sequence[str]) -> bool:
    """Whether keypoints are called by their numbers from 1."""
    return list(names) == [str(number) for number in range(1, len(names) + 1)]


def check_number(path: str | Path, content: KeypointFile, landmark_set: LandmarkSet) -> None:
    """Are keypoints without names as many as the landmarks of a set?

    Raises:
        InputError: They are more or fewer.
    """
    if len(content.names) != len(landmark_set):
        fitting = [found.name for found in fitting_landmark_sets(content)] or ['SET']
        raise InputError(
            f'{path}: its {len(content.names)} keypoints have no names, and the landmark set {landmark_set.name!r} has '
            f'{len(landmark_set)}: say --landmarks {" or ".join(fitting)}'
        )


def deduced_landmark_set(path: str | Path, content: KeypointFile) -> LandmarkSet:
    """The landmark set of the package that keypoints are of, by their names or, without names, by their number.

    Raises:
        InputError: None fits, or several do.
    """
    found = fitting_landmark_sets(content)
    if len(found) == 1:
        return found[0]
    which = f'fit the landmark sets {" and ".join(each.name for each in found)}' if found else 'fit no landmark set'
    names = ', '.join(map(short, content.names[:5]))
    what = f'keypoints {names}, ...' if content.named else 'keypoints without names'
    raise InputError(f'{path}: its {len(content.names)} {what} {which}: say which with --landmarks')


def fitting_landmark_sets(content: KeypointFile) -> list[LandmarkSet]:
    """The landmark sets of the package whose landmarks the keypoints are, all of them."""
    sets = [load_landmark_set(name) for name in built_in_landmark_sets()]
    return [
        each
        for each in sets
        if len(each) == len(content.names) and set(keypoint_positions(content.names, each)) == set(range(len(each)))
    ]


def read_keypoint_file(path: str | Path) -> KeypointFile:
    """Read the structure of a COCO keypoint file, without a landmark set.

    Raises:
        InputError: The file is missing, or is not such a file.
    """
    return keypoint_file(path, read_json(path))


def keypoint_file(path: str | Path, content: object) -> KeypointFile:
    """The structure of the content of a COCO keypoint file.

    Raises:
        InputError: It is not that of such a file.
    """
    try:
        categories = {entry['id']: entry for entry in content['categories'] if entry.get('keypoints')}
        annotations = [entry for entry in content['annotations'] if entry.get('keypoints')]
        if not categories and annotations:
            return _nameless(content, annotations)
        if len(categories) != 1:
            raise ValueError(f'{len(categories)} of its categories have "keypoints", and one is needed')
        ((number, category),) = categories.items()
        names = texts(category['keypoints'])
        if len(set(names)) < len(names):
            raise ValueError('a keypoint is there twice')
        # Boxes and polygons of the same or of another category are no landmarks.
        own = [entry for entry in annotations if entry['category_id'] == number]
        lines = skeleton_lines(category.get('skeleton') or [], len(names))
        return KeypointFile(names, True, lines, *_points_by_image(content, own, len(names)))
    except NOT_SUCH_A_FILE as error:
        raise InputError(
            f'{path}: not a COCO file with keypoints ({type(error).__name__}: {error}): a JSON object with "images", '
            '"annotations" and "categories", one of these with "keypoints", is needed'
        ) from None


def _nameless(content: dict, annotations: Sequence[dict]) -> KeypointFile:
    if len({entry['category_id'] for entry in annotations}) > 1:
        raise ValueError('annotations of several categories have keypoints, and no category names them')
    count = len(annotations[0]['keypoints']) // 3
    names = tuple(str(number) for number in range(1, count + 1))
    return KeypointFile(names, False, (), *_points_by_image(content, annotations, count))


def _points_by_image(
    content: dict, annotations: Sequence[dict], landmarks: int
) -> tuple[tuple[dict, ...], dict[int | str, np.ndarray], frozenset[int | str]]:
    images = tuple(content['images'])
    for image in images:
        texts([image['file_name']])
    ids = {image['id'] for image in images}
    if len(ids) < len(images):
        raise ValueError('several images have one id')
    points_px: dict[int | str, np.ndarray] = {}
    several = set()
    for entry in annotations:
        if entry['image_id'] in points_px:
            several.add(entry['image_id'])
        points_px.setdefault(entry['image_id'], keypoints_px(entry['keypoints'], landmarks))
    if not points_px.keys() <= ids:
        raise ValueError('an annotation is of an image that is not there')
    return images, points_px, frozenset(several)
