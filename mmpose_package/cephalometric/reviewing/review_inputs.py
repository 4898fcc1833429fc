"""What is to be reviewed: results of ``predict``, X-rays, or a data root of step 2, as one list of films."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from warnings import catch_warnings, simplefilter

import numpy as np

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet, built_in_landmark_sets, load_landmark_set
from cephalometric.names import unique_stems
from cephalometric.results.predictions import PredictedXray, parse_predictions
from cephalometric.xrays.mha import open_stack
from cephalometric.xrays.reading import STACKS, SUFFIXES, Xray, find_xrays, name_xrays, read_xrays
from cephalometric.xrays.tiff_pages import tiff_pages

PREDICTIONS = 'predictions.json'
TIFF, DICOM = {'.tif', '.tiff'}, {'.dcm', '.dicom'}
PARTS = ('train.json', 'valid.json', 'test.json')


@dataclass(frozen=True)
class ReviewFilm:
    """One X-ray of the list.

    Attributes:
        stem: What it and its record are called; unique in the list.
        path: Its file.
        slice: Its number in a file of several, from 1; else None.
        spacing_mm: Millimetres per pixel, as results or labels say; None to take what the file says.
        found: What ``predict`` found; None where it has not been asked.
        labels_px: Shape (K, 2) as x, y, what people have labelled; NaN where a landmark is not labelled.
        model: What found ``found``, of plain types.
    """

    stem: str
    path: Path
    slice: int | None = None
    spacing_mm: float | None = None
    found: PredictedXray | None = None
    labels_px: np.ndarray | None = None
    model: dict | None = None

    def read(self) -> Xray:
        """The X-ray itself.

        Raises:
            InputError: It cannot be read, or is another image by now.
        """
        xrays = read_xrays(self.path, self.spacing_mm, self.stem)
        xray = next(islice(xrays, (self.slice or 1) - 1, None), None)
        if xray is None:
            raise InputError(f'{self.path} has no slice {self.slice} by now')
        if self.found is not None and xray.image.shape[:2] != (self.found.height, self.found.width):
            raise InputError(
                f'{self.path} is {xray.image.shape[1]} x {xray.image.shape[0]} pixels, but its landmarks are for '
                f'{self.found.width} x {self.found.height}: it is another image by now'
            )
        return replace(xray, name=self.stem)

    def version(self) -> str:
        """A short text that is another one when the file is: of its place, size and date."""
        try:
            status = self.path.stat()
            known = f'{self.path.resolve()}|{self.slice}|{status.st_size}|{status.st_mtime_ns}'
        except OSError:
            known = f'{self.path}|{self.slice}'
        return hashlib.sha256(known.encode('utf-8', 'surrogateescape')).hexdigest()[:32]


@dataclass(frozen=True)
class ReviewInput:
    """All that is to be reviewed.

    Attributes:
        films: In the order of the inputs.
        landmarks: The landmark set that the inputs name; None for X-rays alone.
        failed: Files that could not be read, and why.
    """

    films: tuple[ReviewFilm, ...]
    landmarks: LandmarkSet | None
    failed: tuple[str, ...] = ()


def open_review(inputs: Sequence[str | Path], recursive: bool = False) -> ReviewInput:
    """Find out what the inputs are.

    Args:
        inputs: Each ``predictions.json`` or the folder that holds it; a data root of step 2 or one of its COCO files;
            or files, folders and globs of X-rays.
        recursive: Look into the subfolders of folders of X-rays too.

    Raises:
        InputError: There is nothing of that name, nothing in it, or two inputs have other landmarks.
    """
    films: list[ReviewFilm] = []
    xrays: list[str | Path] = []
    sets: list[tuple[str, LandmarkSet]] = []
    failed: list[str] = []
    for text in inputs:
        path = Path(text)
        if path.is_dir() and (path / PREDICTIONS).is_file():
            path = path / PREDICTIONS
        parts = [path / name for name in PARTS if (path / name).is_file()] if path.is_dir() else []
        if parts or path.suffix.lower() == '.json':
            for part in parts or [path]:
                found, landmarks = _read_json_input(part)
                films += found
                sets.append((str(part), landmarks))
        elif path.suffix.lower() == '.csv':
            raise InputError(f'{path} names no files of X-rays: give {PREDICTIONS}, which lies beside it')
        else:
            xrays.append(text)
    for name, landmarks in sets[1:]:
        if landmarks.abbreviations != sets[0][1].abbreviations:
            raise InputError(f'{name} and {sets[0][0]} have other landmarks: review them one after the other')
    if xrays:
        found, failed = _films_of_files(find_xrays(xrays, recursive))
        films += found
    stems = unique_stems(film.stem for film in films)
    films = [replace(film, stem=stem) for film, stem in zip(films, stems, strict=True)]
    if not films:
        raise InputError(f'{", ".join(map(str, inputs))}: no X-ray in it; give the X-rays, or results with some')
    return ReviewInput(tuple(films), sets[0][1] if sets else None, tuple(failed))


def _read_json_input(path: Path) -> tuple[list[ReviewFilm], LandmarkSet]:
    content = read_json(path)
    if isinstance(content, dict) and 'annotations' in content:
        return _films_of_labels(load_coco(path))
    predictions = parse_predictions(path, content)
    films = [
        ReviewFilm(
            xray.name, _beside(path, xray.file), xray.slice, xray.spacing_mm, found=xray, model=dict(predictions.model)
        )
        for xray in predictions.xrays
    ]
    return films, predictions.landmarks


def _beside(path: Path, file: str) -> Path:
    """A file as the user named it, or, where it is not there, seen from the folder of the results."""
    named = Path(file)
    moved = path.parent / named
    return moved if not named.exists() and moved.exists() else named


def _films_of_labels(labelled: LabelledImages) -> tuple[list[ReviewFilm], LandmarkSet]:
    films = [
        ReviewFilm(
            Path(image.original_file or image.file_name).stem,
            labelled.image_path(image),
            spacing_mm=image.spacing_mm,
            labels_px=image.points_px,
        )
        for image in labelled.images
    ]
    return films, _set_of_labels(labelled)


def _set_of_labels(labelled: LabelledImages) -> LandmarkSet:
    """The built-in set that it is, which also has groups and definitions; else what the file says."""
    if labelled.landmark_set in built_in_landmark_sets():
        known = load_landmark_set(labelled.landmark_set)
        if known.abbreviations == labelled.abbreviations:
            return known
    return LandmarkSet(
        labelled.landmark_set,
        labelled.landmark_set,
        labelled.landmark_names,
        labelled.abbreviations,
        ('landmark',) * len(labelled.abbreviations),
        labelled.lines,
    )


def _films_of_files(paths: Sequence[Path]) -> tuple[list[ReviewFilm], list[str]]:
    films: list[ReviewFilm] = []
    failed: list[str] = []
    for path, name in zip(paths, name_xrays(paths), strict=True):
        try:
            films += _films_of_file(path, name)
        except InputError as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f'{path} cannot be read: {error.strerror}')
    return films, failed


def _films_of_file(path: Path, name: str) -> list[ReviewFilm]:
    """The films of a file, whose pixels are not read: thousands of files are listed without a wait."""
    count = _slices(path)
    if count == 1:
        return [ReviewFilm(name, path)]
    digits = max(3, len(str(count)))
    return [ReviewFilm(f'{name}_{number:0{digits}d}', path, number) for number in range(1, count + 1)]


def _slices(path: Path) -> int:
    """How many X-rays a file holds, as its header says; 1 where that cannot be found out before it is read."""
    suffix = path.suffix.lower()
    if suffix in STACKS:
        return open_stack(path, deep=True).count
    if suffix in TIFF:
        with open(path, 'rb') as file:
            return len(tiff_pages(path, file))
    if suffix in SUFFIXES - DICOM:
        return 1
    # Not above: most runs have no DICOM files.
    from pydicom import dcmread

    with suppress(Exception), catch_warnings():
        simplefilter('ignore')
        header = dcmread(path, stop_before_pixels=True, specific_tags=['NumberOfFrames'], force=True)
        return max(1, int(header.get('NumberOfFrames') or 1))
    return 1
