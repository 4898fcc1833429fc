"""Are the image files of a COCO file still those that were labelled? All that are not are found in one go."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from cephalometric.annotations.coco import LabelledImage, LabelledImages
from cephalometric.errors import InputError, Problems
from cephalometric.files import sha256

MISSING = 'missing images'
DAMAGED = 'images that cannot be read to their end: damaged, or copied in part'
RESIZED = 'images of another size than the annotations say: resized or exchanged after they were labelled'
CHANGED = 'images that were changed after they were labelled, by their checksum'


def check_image_files(parts: Iterable[LabelledImages]) -> None:
    """Look at the image files before much is computed from them.

    A file whose entry has a checksum is compared by it. A PNG file without one has checksums of its own, which are far
    quicker to verify than its pixels are to decode; any other file is decoded.

    Args:
        parts: The COCO files, such as those of the training and of the validation images.

    Raises:
        InputError: Files are missing, damaged, changed, or of another size than their entries say; it names them all.
    """
    parts = [part for part in parts if part.images]
    files = [(part.image_path(image), image) for part in parts for image in part.images]
    problems = Problems()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for (path, _), problem in zip(files, pool.map(lambda file: _problem_of(*file), files), strict=True):
            if problem is not None:
                kind, detail = problem
                problems.add(kind, str(path), detail)
    names = ', '.join(str(part.path) for part in parts)
    problems.raise_if_any(
        f'{names}: the images are not those that were labelled; run step2_prepare_coco_dataset.py again'
    )


def _problem_of(path: Path, entry: LabelledImage) -> tuple[str, str] | None:
    """The kind of what is wrong with a file, and the value that is; None for a file that is as it should be."""
    if not path.is_file():
        return MISSING, ''
    try:
        with Image.open(path) as image:
            width, height = image.size
            if (width, height) != (entry.width, entry.height):
                return RESIZED, f'{width} x {height} instead of {entry.width} x {entry.height}'
            if entry.sha256 is None:
                image.verify() if image.format == 'PNG' else image.load()
        if entry.sha256 is not None and sha256(path) != entry.sha256:
            return CHANGED, ''
    except InputError as error:
        return DAMAGED, str(error)
    except Exception:  # Pillow raises whatever its parsing of a damaged file trips over.
        return DAMAGED, ''
    return None
