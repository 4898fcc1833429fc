"""Test images with ground truth and prediction drawn on them, as files or in a window, the worst first."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.formats.atomic import atomic_write
from cephalometric.formats.coco import LabelledImages
from cephalometric.formats.images import read_image
from cephalometric.landmarks import LandmarkSet
from cephalometric.reporting.drawing import draw_comparison
from cephalometric.scores import score


def draw_images(
    labelled: LabelledImages,
    landmarks: LandmarkSet,
    points_px: np.ndarray,
    errors_mm: np.ndarray,
    order: Sequence[int],
) -> Iterator[tuple[str, np.ndarray]]:
    """Draw images one after another.

    Args:
        labelled: The N X-rays and their ground truth.
        landmarks: Names the K landmarks.
        points_px: The predictions, shape (N, K, 2) as x, y, in pixels.
        errors_mm: Shape (N, K); NaN where there is no ground truth.
        order: Positions of the images, the worst first.

    Yields:
        A file name that sorts in this order and says the image's MRE in mm, and the picture, uint8 (H, W, 3), BGR.
    """
    digits = len(str(len(order)))
    for rank, n in enumerate(order, start=1):
        image = labelled.images[n]
        mre = f'{score(errors_mm[n], image.visible).mre_mm:.2f}'
        pixels = read_image(labelled, image)
        picture = draw_comparison(
            pixels if pixels.ndim == 2 else pixels[..., ::-1],
            landmarks,
            points_px[n],
            image.points_px,
            image.visible,
            errors_mm[n],
            title=f'{image.file_name}   MRE {mre} mm   {image.spacing_mm:g} mm per pixel',
        )
        yield f'{rank:0{digits}d}_MRE-{mre}mm_{Path(image.file_name).stem}.png', picture


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write a picture, uint8 (H, W, 3) in BGR order, as PNG, whole or not at all."""
    _, encoded = cv2.imencode('.png', picture, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    with atomic_write(path) as partial:
        partial.write_bytes(encoded.tobytes())


def show_picture(name: str, picture: np.ndarray, wait_s: float) -> None:
    """Show a picture in a window until a key is pressed or ``wait_s`` seconds are over (0: no limit).

    Raises:
        InputError: There is no display.
    """
    # Qt, OpenCV's window system on Linux, aborts the process where there is no display.
    if sys.platform == 'linux' and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise InputError('--show: there is no display to open a window on; use --show-dir to write the pictures')
    cv2.namedWindow(name, cv2.WINDOW_NORMAL)
    cv2.imshow(name, picture)
    cv2.waitKey(round(wait_s * 1000))
    cv2.destroyWindow(name)
