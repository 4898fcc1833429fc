"""The runs that one report shows: one, or several over the same images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np

from cephalometric.annotations.coco import LabelledImage
from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.results.evaluation import Evaluation, read_results
from cephalometric.statistics import PairedDifference, compare_landmarks, compare_paired, correct_p_values

MOST_SOURCES = 12


@dataclass(frozen=True)
class Run:
    """An evaluation and what to call it."""

    name: str
    evaluation: Evaluation


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Read results files and reduce them to the images that all of them hold, in the order of the first.

    Raises:
        InputError: A file is unusable, or the files are not about the same landmarks, images and ground truth.
    """
    evaluations = [read_results(path) for path in paths]
    first = evaluations[0]
    for path, other in zip(paths, evaluations, strict=True):
        if other.landmarks.abbreviations != first.landmarks.abbreviations:
            raise InputError(
                f'{path} has the landmarks of {other.landmarks.name!r}, {paths[0]} those of {first.landmarks.name!r}: '
                'compare runs over the same landmarks'
            )
    positions = [{_key(image): n for n, image in enumerate(evaluation.images)} for evaluation in evaluations]
    shared = [key for key in positions[0] if all(key in other for other in positions)]
    if not shared:
        raise InputError(f'{", ".join(map(str, paths))}: no image is in all of them: compare runs over the same images')
    chosen = [
        evaluation.select([position[key] for key in shared])
        for evaluation, position in zip(evaluations, positions, strict=True)
    ]
    for path, other in zip(paths, chosen, strict=True):
        same = np.allclose(other.true_px, chosen[0].true_px, atol=0.01, equal_nan=True)
        if not (same and np.allclose(other.spacings_mm, chosen[0].spacings_mm)):
            raise InputError(
                f'{path} and {paths[0]} differ in the ground truth of the same images: evaluate both runs on the same '
                'annotation file'
            )
    if len(chosen) == 1:
        return [single_run(chosen[0])]
    return [Run(name, evaluation) for name, evaluation in zip(short_names(paths), chosen, strict=True)]


def single_run(evaluation: Evaluation) -> Run:
    """A run to be reported alone, under the name of its config."""
    provenance = evaluation.provenance
    return Run(printable(Path(provenance.config_name).stem) if provenance else 'run', evaluation)


def _key(image: LabelledImage) -> tuple[int, str]:
    return image.id, image.file_name


def short_names(paths: Sequence[Path]) -> list[str]:
    """What tells the paths apart: without the folders and file names that they share."""
    parts = [Path(path).with_suffix('').parts for path in paths]
    start = _shared(parts)
    end = _shared([part[:start:-1] for part in parts])
    names = [printable('/'.join(part[start : len(part) - end])) for part in parts]
    if len(set(names)) == len(names) and all(names):
        return names
    return [f'{number}: {printable(part[-1])}' for number, part in enumerate(parts, start=1)]


def _shared(parts: Sequence[Sequence[str]]) -> int:
    """How many parts are the same in all, from the beginning."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*parts, strict=False)))


def later_runs(runs: Sequence[Run]) -> list[tuple[str, PairedDifference]]:
    """Each later run's name and its difference from the first; p-values corrected for the number of runs."""
    pairs = [compare_paired(runs[0].evaluation.errors_mm, run.evaluation.errors_mm) for run in runs[1:]]
    corrected = correct_p_values([pair.p_value for pair in pairs])
    return [
        (run.name, PairedDifference(pair.difference_mm, p))
        for run, pair, p in zip(runs[1:], pairs, corrected, strict=True)
    ]


def later_runs_per_landmark(runs: Sequence[Run]) -> list[tuple[str, list[PairedDifference]]]:
    """Each later run's name and the K differences of its landmarks from the first run's."""
    first_mm = runs[0].evaluation.errors_mm
    return [(run.name, compare_landmarks(first_mm, run.evaluation.errors_mm)) for run in runs[1:]]


def image_name(image: LabelledImage) -> str:
    """What people call an image: the file that it was made from or, for a slice of a stack, the image file."""
    return printable(image.original_file or image.file_name)


def image_sources(evaluation: Evaluation) -> list[str]:
    """For each image what tells where it comes from: spacing and size or, if these are too many, the spacing alone."""
    images = evaluation.images
    candidates: Iterator[list[str]] = iter(
        (
            [f'{image.spacing_mm:.4g} mm, {image.width} × {image.height}' for image in images],
            [f'{image.spacing_mm:.4g} mm' for image in images],
            [f'about {image.spacing_mm:.2f} mm' for image in images],
        )
    )
    return next((names for names in candidates if len(set(names)) <= MOST_SOURCES), ['all images'] * len(images))
