"""X-rays and their annotations, from whatever source, become images and COCO files for training."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.annotations.annotation import is_normalised, label
from cephalometric.annotations.coco import CONTRIBUTOR, coco_content
from cephalometric.errors import InputError, Problems
from cephalometric.files import read_json, write_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.locks import locked
from cephalometric.preparation.grouping import GROUP, SPLIT_BY, check_grouping, read_groups
from cephalometric.preparation.image_writing import write_images
from cephalometric.preparation.sources import LabelledXrays, Source
from cephalometric.preparation.splits import SEED, make_splits
from cephalometric.preparation.staging import staging

COCO_FILE = re.compile(r'(train|valid|test|fold[0-9]+_train|fold[0-9]+_valid)\.json')


@dataclass(frozen=True)
class Summary:
    """What was prepared.

    Attributes:
        image_folder: The folder of the images.
        parts: The number of images in each COCO file: train, valid, test, then folds.
        remarks: Lines about what was not wrong, but is good to know.
        groups: The number of groups of images that belong together; None if nobody said which do.
    """

    image_folder: Path
    parts: dict[Path, int]
    remarks: tuple[str, ...] = ()
    groups: int | None = None


def prepare(
    source: Source,
    image_folder: str | Path,
    landmark_set: LandmarkSet,
    *,
    sizes: tuple[int, int, int] | None = None,
    seed: int = SEED,
    folds: int = 0,
    group: Sequence[str] | None = None,
    split_by: Sequence[str] | None = None,
    allow_missing: bool = False,
    unusual_spacing: bool = False,
    overwrite: bool = False,
) -> Summary:
    """Write each X-ray as ``N.png``, N from 1, and the COCO files beside the folder of the images.

    An X-ray whose three channels are equal becomes an 8-bit grey image; a slice loses its padding. The files appear
    together when all is well; ``train.json`` comes last. The same input gives the same bytes, whatever the machine.
    Besides the X-ray that is being read, at most ``AT_A_TIME`` of ``image_writing`` are in memory, and one that waits.

    Args:
        source: The X-rays and their annotations.
        image_folder: Where the images go; ``train.json``, ``valid.json`` and ``test.json`` go into its parent.
        landmark_set: The landmarks that are annotated.
        sizes, seed, folds: How the images are split: see ``make_splits``.
        group: Which images stay together in splits and folds, such as those of a patient: see ``read_groups``.
        split_by: Which part each image is in, in the same words, where the data set says so: instead of ``sizes``.
        allow_missing: Give landmarks that are not annotated, or that lie at exactly (0, 0), visibility 0; otherwise
            they are a problem.
        unusual_spacing: Take spacings also outside ``USUAL_SPACING_MM``; otherwise they are a problem.
        overwrite: Replace what an earlier call has written there. Other files are left alone in any case.

    Raises:
        InputError: Something is wrong with the input, and the message lists every problem found; or there are files
            in the way. Nothing is written then.
    """
    image_folder = Path(os.path.abspath(image_folder))
    for words, flag in ((group, GROUP), (split_by, SPLIT_BY)):
        if words is not None:
            check_grouping(words, flag)
    headline = f'{source} cannot be prepared, and nothing was written'
    problems = Problems()
    xrays = source.open(landmark_set, problems)
    if xrays is None:
        problems.raise_if_any(headline)
    _check_annotations(xrays, landmark_set, allow_missing, problems)
    groups = None if group is None else _groups(group, xrays, problems, GROUP)
    names = None if split_by is None else _groups(split_by, xrays, problems, SPLIT_BY)
    if groups is not None and 1 < len(set(groups)) == len(groups):
        problems.remark('--group changes nothing, because each has a group of its own', f'{len(groups)} {xrays.noun}s')
    parts = make_splits(len(xrays.entries), sizes, seed, folds, groups, names)
    if groups is not None and sizes is not None:
        _compare_sizes(parts, sizes, problems)
    coco_files = {f'{name}.json': indices for name, indices in parts.items()}

    made = re.compile(rf'{_image_name(image_folder).pattern}|{COCO_FILE.pattern}')
    with locked(image_folder.parent), staging(image_folder.parent, image_folder.name, made) as stage:
        names = [f'{image_folder.name}/{number}.png' for number in range(1, len(xrays.entries) + 1)]
        names += reversed(coco_files)
        replaced = _make_way(image_folder, names, overwrite)
        folder = stage.folder / image_folder.name
        folder.mkdir()
        images = problems.attempt(write_images, xrays, landmark_set, folder, unusual_spacing, problems)
        problems.raise_if_any(headline)
        for name, indices in coco_files.items():
            write_json(stage.folder / name, coco_content([images[index] for index in indices], landmark_set))
        stage.publish(names, replaced)
    counts = {image_folder.parent / name: len(indices) for name, indices in coco_files.items()}
    return Summary(image_folder, counts, problems.remarks, None if groups is None else len(set(groups)))


def _groups(words: Sequence[str], xrays: LabelledXrays, problems: Problems, flag: str) -> list[str] | None:
    """The group of each X-ray; None if any is without one, which is among the problems."""
    found = Problems()
    groups = read_groups(words, xrays, found, flag)
    problems.merge(found)
    return None if found.count else groups


def _compare_sizes(parts: dict[str, list[int]], sizes: tuple[int, int, int], problems: Problems) -> None:
    counts = tuple(len(parts.get(name, ())) for name in ('train', 'valid', 'test'))
    if counts != tuple(sizes):
        got, asked = (' + '.join(map(str, numbers)) for numbers in (counts, sizes))
        problems.remark(f'groups stay whole, so that the parts are not the {asked} images of --split but', got)


def _check_annotations(
    xrays: LabelledXrays, landmark_set: LandmarkSet, allow_missing: bool, problems: Problems
) -> None:
    for entry in xrays.entries:
        if entry.annotation is None:
            problems.add(f'{xrays.noun}s without annotations', entry.place)
            continue
        if is_normalised(entry.annotation.points_px):
            problems.add(
                'coordinates from 0 to 1, which are no pixels (multiply them by width and height)', entry.place
            )
        at_origin = entry.annotation.at_origin
        if at_origin and allow_missing:
            problems.remark('points at (0, 0) are taken as not annotated', entry.place)
        for index in np.flatnonzero(~entry.annotation.visible) if not allow_missing else ():
            kind = 'landmarks missing (annotate them, choose a set with --landmarks, or use --allow-missing)'
            if index in at_origin:
                kind = 'points at (0, 0), where many tools put what is not annotated (if so, use --allow-missing)'
            problems.add(kind, entry.place, label(landmark_set, index))


def _make_way(image_folder: Path, names: list[str], overwrite: bool) -> list[str]:
    """The files of an earlier run that are to be replaced, COCO files first; an error if others are in the way."""
    root = image_folder.parent
    if image_folder.exists() and not image_folder.is_dir():
        raise InputError(f'{image_folder} is a file: name a folder for the images')
    in_folder = image_folder.iterdir() if image_folder.exists() else ()
    existing = [name for name in names if (root / name).exists()]
    existing += [f'{image_folder.name}/{path.name}' for path in in_folder if path.name not in existing]
    if existing and not overwrite:
        raise InputError(
            f'{root / existing[0]} is there already: name a new or empty folder for the images with no train.json, '
            'valid.json or test.json beside it, or replace what this step wrote there with --overwrite'
        )
    earlier = _files_of_earlier_run(image_folder)
    foreign = sorted({name for name in names if (root / name).exists()} - set(earlier))
    if foreign:
        raise InputError(
            f'{root / foreign[0]} is in the way and was not made by this step for {image_folder} '
            f'({len(foreign)} such files): move it elsewhere or name another folder'
        )
    return earlier


def _image_name(image_folder: Path) -> re.Pattern[str]:
    """Fits the names of the images that this step makes, as seen from the parent of their folder."""
    return re.compile(rf'{re.escape(image_folder.name)}/[0-9]+\.png')


def _files_of_earlier_run(image_folder: Path) -> list[str]:
    """COCO files that an earlier run has written for this folder of images, then the images that they name."""
    image_name = _image_name(image_folder)
    coco_files, images = [], set()
    for path in sorted(image_folder.parent.glob('*.json')):
        if COCO_FILE.fullmatch(path.name):
            try:
                content = read_json(path)
                made_here = content['info']['contributor'] == CONTRIBUTOR
                names = {image['file_name'] for image in content['images']}
            except (InputError, AttributeError, KeyError, TypeError):
                continue
            if made_here and all(isinstance(name, str) and image_name.fullmatch(name) for name in names):
                coco_files.append(path.name)
                images |= names
    return [*coco_files, *sorted(images)]
