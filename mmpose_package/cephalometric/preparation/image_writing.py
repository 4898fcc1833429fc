"""Checks X-rays of a source and writes them as images, several at a time."""

import hashlib
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from cephalometric.annotations.annotation import USUAL_SPACING_MM, label
from cephalometric.annotations.coco import LabelledImage
from cephalometric.errors import Problems
from cephalometric.geometry import Crop, content_crop
from cephalometric.landmarks import LandmarkSet
from cephalometric.preparation.sources import Entry, LabelledXrays, Reading

# How many X-rays are packed at the same time. More would wait: they are read one after another.
AT_A_TIME = min(os.cpu_count() or 1, 4)


def write_images(
    xrays: LabelledXrays, landmark_set: LandmarkSet, folder: Path, unusual_spacing: bool, problems: Problems
) -> list[LabelledImage]:
    """Check and write the X-rays, several at a time; what they are and what is said of them comes in their order."""
    images, coming = [], deque()

    def take() -> None:
        image, found = coming.popleft().result()
        problems.merge(found)
        if image is not None:
            images.append(image)

    # Threads: reading, packing and checksums run outside of Python, and hand over no copies.
    with ThreadPoolExecutor(AT_A_TIME) as workers:
        try:
            for number, (entry, reading) in enumerate(_read_ahead(xrays), start=1):
                path = folder / f'{number}.png' if problems.count == 0 else None
                about = (number, entry, reading, unusual_spacing, folder.name, path)
                coming.append(workers.submit(_write_image, xrays, landmark_set, *about))
                if len(coming) >= AT_A_TIME:
                    take()
        finally:  # Also what was wrong with those before the place where a stack is damaged.
            while coming:
                take()
    return images


def _write_image(
    xrays: LabelledXrays,
    landmark_set: LandmarkSet,
    number: int,
    entry: Entry,
    reading: Reading,
    unusual_spacing: bool,
    image_folder: str,
    path: Path | None,
) -> tuple[LabelledImage | None, Problems]:
    """Check an X-ray and, unless ``path`` is None or something is wrong with it, write it; also what is wrong."""
    problems = reading.problems
    if reading.image is None:
        return None, problems
    lowest, highest = USUAL_SPACING_MM
    if not unusual_spacing and (reading.spacing_mm < lowest or reading.spacing_mm > highest):
        problems.add(
            f'spacings outside {lowest:g} to {highest:g} mm per pixel (correct them, for image files also by '
            '--spacing; if they are right, say --unusual-spacing)',
            entry.place,
            f'{reading.spacing_mm:g} mm',
        )
    crop = _part_to_keep(reading.image, xrays.padded)
    if crop is None:
        problems.add(f'blank {xrays.noun}s', entry.place)
    if crop is None or entry.annotation is None:
        return None, problems
    _check_inside(entry, crop, landmark_set, xrays.padded, problems)
    checksum = None
    if path is not None and problems.count == 0:
        content = encode_png(crop.cut(reading.image))
        path.write_bytes(content)
        checksum = hashlib.sha256(content).hexdigest()
    image = LabelledImage(
        id=number,
        file_name=f'{image_folder}/{number}.png',
        width=crop.width,
        height=crop.height,
        spacing_mm=reading.spacing_mm,
        points_px=crop.to_crop(entry.annotation.points_px),
        original_file=entry.original_file,
        sha256=checksum,
    )
    return image, problems


def _read_ahead(xrays: LabelledXrays) -> Iterator[tuple[Entry, Reading]]:
    """The entries and their pixels with a progress bar, each read while the one before it is in use."""
    readings = xrays.read()
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(next, readings)
        for entry in tqdm(xrays.entries, desc='preparing', unit='image', disable=None):
            reading = coming.result()
            coming = reader.submit(next, readings, None)
            yield entry, reading
        coming.result()


def _part_to_keep(image: np.ndarray, padded: bool) -> Crop | None:
    """All of an image but its padding; None if it is blank."""
    content = content_crop(image)
    if padded or content is None:
        return content
    return Crop(left=0, top=0, width=image.shape[1], height=image.shape[0])


def _check_inside(entry: Entry, crop: Crop, landmark_set: LandmarkSet, padded: bool, problems: Problems) -> None:
    outside = 'points outside the image (correct them)'
    if padded:
        outside = 'points outside the image, which is the slice without its padding (correct them)'
    last = (crop.width - 0.5, crop.height - 0.5)
    for index in np.flatnonzero(entry.annotation.visible):
        point = entry.annotation.points_px[index]
        if (point < -0.5).any() or (point > last).any():
            problems.add(
                outside,
                entry.place,
                f'{label(landmark_set, index)} at ({point[0]:g}, {point[1]:g}) of {crop.width} x {crop.height}',
            )


def encode_png(image: np.ndarray) -> bytes:
    """A PNG file of an image, grey if its channels are equal.

    Args:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order.
    """
    if image.ndim == 3:
        red, green, blue = cv2.split(image)
        grey = np.array_equal(red, green) and np.array_equal(red, blue)
        image = red if grey else cv2.merge((blue, green, red))
    # OpenCV's own settings are its fastest: 45 ms for an X-ray of 1935 x 2400, against 84 ms with compression level 1
    # (a file 1 % smaller) and 130 ms with level 3 (6 % smaller).
    return cv2.imencode('.png', image)[1].tobytes()
