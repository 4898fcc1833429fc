"""Where X-rays with annotations come from: a stack of the challenge, or image files with annotations beside them.

Preparation sees one thing, whatever the files are: X-rays in an order, and what is annotated in each. A source checks
its files when it is opened, and gives the pixels one X-ray at a time.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from cephalometric.annotations.aariz import DOCTORS, LANDMARKS, read_aariz
from cephalometric.annotations.annotation import Annotation, Place, mean_annotation, without_origin
from cephalometric.annotations.challenge_json import read_annotations
from cephalometric.annotations.coco_keypoints import read_coco_keypoints
from cephalometric.annotations.csv_labels import read_any_csv, read_labels_csv
from cephalometric.annotations.isbi2015 import SPACING_MM, read_isbi2015
from cephalometric.annotations.labelme import read_labelme
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import LandmarkSet
from cephalometric.preparation.file_names import FileNames
from cephalometric.xrays.frames import check_spacing, chosen_spacing
from cephalometric.xrays.mha import open_stack
from cephalometric.xrays.reading import find_xrays, read_xrays


@dataclass(frozen=True)
class Entry:
    """One X-ray of a source.

    Attributes:
        place: How reports call it: its slice's number from 1, or its file's name.
        annotation: What is annotated in it; None if nothing is.
        original_file: The name of its file; None for a slice of a stack.
    """

    place: Place
    annotation: Annotation | None
    original_file: str | None = None


@dataclass(frozen=True)
class Reading:
    """The pixels of one X-ray.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order; None if it cannot be read.
        spacing_mm: Millimetres per pixel; NaN if unknown.
        problems: What is wrong with it, and what else is worth a remark.
    """

    image: np.ndarray | None
    spacing_mm: float
    problems: Problems


@dataclass(frozen=True)
class LabelledXrays:
    """An opened source.

    Attributes:
        entries: Its X-rays, in order.
        read: Gives the pixels of each entry, one in memory at a time. An ``InputError`` ends it where the file of all
            X-rays is damaged.
        noun: What one X-ray is called in reports.
        padded: Whether zeros at the right and at the bottom are padding.
        find: The positions of the entries that a file, lying in a folder, may mean by a name: none, one, or several.
    """

    entries: Sequence[Entry]
    read: Callable[[], Iterator[Reading]]
    noun: str
    padded: bool
    find: Callable[[str, Path], list[int]]


class Source(Protocol):
    """Files with X-rays and their annotations. As a text: what a report calls them."""

    def open(self, landmark_set: LandmarkSet, problems: Problems) -> LabelledXrays | None:
        """Check the files and list their X-rays; None if they cannot be used at all, which is among the problems."""


@dataclass(frozen=True)
class ChallengeSource:
    """A stack and its annotation file in the form of CL-Detection 2023."""

    stack_path: str | Path
    annotation_path: str | Path

    def __str__(self) -> str:
        return f'{self.annotation_path} and {self.stack_path}'

    def open(self, landmark_set: LandmarkSet, problems: Problems) -> LabelledXrays | None:
        """See :class:`Source`."""
        stack = problems.attempt(open_stack, self.stack_path)
        annotations = problems.attempt(read_annotations, self.annotation_path, landmark_set, problems)
        if stack is None or annotations is None:
            return None
        numbers = range(1, len(stack) + 1)
        for number in sorted(set(annotations) - set(numbers)):
            problems.add(f'annotations for slices that do not exist (the stack has {len(stack)})', number)
        annotations = {number: without_origin(annotation) for number, annotation in annotations.items()}
        entries = [Entry(number, annotations.get(number)) for number in numbers]

        def read() -> Iterator[Reading]:
            # The stack comes first: its iterator is then taken to its end, where it checks that its data end well.
            for image, entry in zip(stack, entries, strict=True):
                yield Reading(image, entry.annotation.spacing_mm if entry.annotation else math.nan, Problems())

        def find(name: str, folder: Path) -> list[int]:
            return [int(name) - 1] if name.isdecimal() and int(name) in numbers else []

        return LabelledXrays(entries, read, noun='slice', padded=True, find=find)


@dataclass(frozen=True)
class AnnotationFormat:
    """How the annotations of a folder of images are written.

    Attributes:
        read: Reads a file or folder of annotations: landmarks by the name of their image.
        landmarks: The landmark set that is usual with it.
        spacing_mm: Millimetres per pixel, where the format settles it.
        covers_more: Whether annotations of images that are not in the folder are usual, and no problem.
        annotators: The people whose annotations one folder holds, where it holds those of several; ``read`` then takes
            some of them as ``annotators``, and the mean of all by default.
    """

    read: Callable[[str | Path, LandmarkSet, Problems], dict[str, Annotation]]
    landmarks: str
    spacing_mm: float | None = None
    covers_more: bool = False
    annotators: tuple[str, ...] = ()

    def of_annotator(self, name: str) -> 'AnnotationFormat':
        """The form with the annotations of one person alone.

        Raises:
            InputError: It does not tell people apart, or does not know this one.
        """
        chosen = next((known for known in self.annotators if known.casefold() == name.casefold()), None)
        if chosen is None:
            known = ', '.join(self.annotators) or 'none: give the files of the person after --annotations'
            raise InputError(f'--annotator {name}: this --source knows {known}')
        return replace(self, read=partial(self.read, annotators=(chosen,)))


FORMATS = {
    # The challenge's images come in three folders, and a doctor's annotations of all 400 in one.
    'isbi2015': AnnotationFormat(read_isbi2015, 'isbi2015', SPACING_MM, covers_more=True),
    'cldetection2024': AnnotationFormat(read_labels_csv, 'cldetection2024'),
    'labelme': AnnotationFormat(read_labelme, 'cldetection2023'),
    'csv': AnnotationFormat(read_any_csv, 'cldetection2023'),
    'coco': AnnotationFormat(read_coco_keypoints, 'cldetection2023'),
    'aariz': AnnotationFormat(read_aariz, LANDMARKS, covers_more=True, annotators=DOCTORS),
}


@dataclass(frozen=True)
class ImageFiles:
    """Image files, one X-ray each, and annotations that name them.

    The X-rays come in the natural order of their paths: ``2.png`` before ``10.png``.

    Attributes:
        images: Files, folders and globs.
        annotations: Files or folders of annotations. Of several, the mean of each X-ray's annotations is taken; if no
            X-ray is in two of them, they are parts of one data set, such as those that train, validate and test.
        format: How the annotations are written.
        spacing_mm: Millimetres per pixel, used before what the files say; by default the format's.
        ignore_folders: Whether annotations find their images by the names of the files alone.
    """

    images: Sequence[str]
    annotations: Sequence[str | Path]
    format: AnnotationFormat
    spacing_mm: float | None = None
    ignore_folders: bool = False

    def __str__(self) -> str:
        more = f' and {len(self.images) - 1} more' if len(self.images) > 1 else ''
        return f'{", ".join(map(str, self.annotations))} and {self.images[0]}{more}'

    def open(self, landmark_set: LandmarkSet, problems: Problems) -> LabelledXrays | None:
        """See :class:`~cephalometric.preparation.sources.Source`."""
        check_spacing(self.spacing_mm)
        paths = problems.attempt(find_xrays, self.images)
        readings = [problems.attempt(self.format.read, path, landmark_set, problems) for path in self.annotations]
        if paths is None or None in readings:
            return None
        files = FileNames(paths)
        by_file = [
            self._by_file(reading, path, files, problems)
            for reading, path in zip(readings, self.annotations, strict=True)
        ]
        if _are_parts(by_file):
            by_file = [{name: annotation for found in by_file for name, annotation in found.items()}]
        entries = [Entry(name, _mean(by_file, name, problems), name) for name in files.names]

        def read() -> Iterator[Reading]:
            for entry, path in zip(entries, paths, strict=True):
                problems = Problems()
                yield problems.attempt(self._read, path, entry, problems) or Reading(None, math.nan, problems)

        positions = {name: position for position, name in enumerate(files.names)}

        def find(name: str, folder: Path) -> list[int]:
            return [positions[found] for found in files.find(name, folder, self.ignore_folders)]

        return LabelledXrays(entries, read, noun='image', padded=False, find=find)

    def _by_file(
        self, reading: dict[str, Annotation], path: str | Path, files: FileNames, problems: Problems
    ) -> dict[str, Annotation]:
        found: dict[str, Annotation] = {}
        base = Path(path) if Path(path).is_dir() else Path(path).parent
        for name, annotation in reading.items():
            candidates = files.find(name, base, self.ignore_folders)
            if len(candidates) > 1:
                problems.add(
                    'annotations that fit several of the images (write their whole paths below the folder of the '
                    'images, or give the images names of their own)',
                    name,
                )
            elif not candidates and self.format.covers_more:
                problems.remark('annotations of other images were not used', name)
            elif not candidates and files.find(name, base, ignore_folders=True):
                problems.add(
                    'annotations of images in another folder than those of these names (rename the folder, or, if the '
                    'names of the files alone tell the images apart, say --ignore-folders)',
                    name,
                )
            elif not candidates:
                problems.add('annotations of images that are not there', name)
            elif candidates[0] in found:
                problems.add('images annotated more than once', candidates[0])
            else:
                found[candidates[0]] = without_origin(annotation)
        return found

    def _read(self, path: Path, entry: Entry, problems: Problems) -> Reading:
        asked_mm = self.spacing_mm or self.format.spacing_mm
        xray = next(read_xrays(path, asked_mm))
        if xray.slice is not None:
            raise InputError(f'{path} holds several X-rays: give each a file of its own')
        _check_size(xray.image, entry, problems)
        spacing_mm, disagreement = xray.spacing_mm, ()
        if entry.annotation and math.isfinite(entry.annotation.spacing_mm):
            spacing_mm, disagreement = chosen_spacing(entry.annotation.spacing_mm, asked_mm)
        for warning in (*xray.warnings, *disagreement):
            problems.remark(warning, entry.place)
        if spacing_mm is None:
            problems.add('images without a spacing (give it with --spacing, in mm per pixel)', entry.place)
            spacing_mm = math.nan
        return Reading(xray.image, spacing_mm, problems)


def _check_size(image: np.ndarray, entry: Entry, problems: Problems) -> None:
    """Whether the annotation was made on an image of the same size, as far as it says so."""
    size = image.shape[1::-1]
    for made_on in entry.annotation.sizes if entry.annotation else ():
        if any(side not in (None, own) for side, own in zip(made_on, size, strict=True)):
            width, height = ('?' if side is None else side for side in made_on)
            problems.add(
                'annotations that were made on an image of another size (give that image, or scale the points)',
                entry.place,
                f'on {width} x {height}, but the image has {size[0]} x {size[1]} pixels',
            )


def _are_parts(readings: Sequence[dict[str, Annotation]]) -> bool:
    names = [name for reading in readings for name in reading]
    return len(names) == len(set(names))


def _mean(readings: Sequence[dict[str, Annotation]], name: str, problems: Problems) -> Annotation | None:
    found = [reading[name] for reading in readings if name in reading]
    if 0 < len(found) < len(readings):
        problems.add('images that not all of the annotations cover', name)
    return mean_annotation(found, name, problems) if found else None
