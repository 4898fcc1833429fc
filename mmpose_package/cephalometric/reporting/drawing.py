"""Landmarks drawn on X-rays. Colours are BGR, as OpenCV writes them.

Test images with ground truth and prediction drawn on them, as files or in a window, the worst first.

Predicted landmarks drawn on their X-ray, those with a large expected error so that nobody overlooks them.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from cephalometric.annotations.coco import LabelledImages, read_image
from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.landmarks import LandmarkSet
from cephalometric.names import file_stem
from cephalometric.reporting.marks import (
    FLAGGED_COLOUR,
    PREDICTED_COLOUR,
    RING,
    TEXT_COLOUR,
    Box,
    Colour,
    banner,
    box_around,
    canvas_of,
    dot,
    free_place,
    is_in,
    line,
    ring,
    text,
    word_list,
)
from cephalometric.results.predictions import NOTICE, PredictedXray
from cephalometric.scores import score

TRUE_COLOUR = (80, 220, 80)
JOIN_COLOUR = (0, 215, 255)
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
ENCODING = {'.png': [cv2.IMWRITE_PNG_COMPRESSION, 3], '.jpg': _JPEG, '.jpeg': _JPEG}
# With colours as sharp as grey levels, because marks differ from what is below them by their colour.
_SMALL_JPEG = [*(cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)]
SMALL_SIDE = 1200
"""About the longest side of a picture that is looked at, in pixels."""


def draw_comparison(
    image: np.ndarray,
    landmarks: LandmarkSet,
    predicted_px: np.ndarray,
    true_px: np.ndarray,
    visible: np.ndarray,
    errors_mm: np.ndarray,
    title: str,
) -> np.ndarray:
    """Draw ground truth and prediction, each pair joined by a line, with the landmark's abbreviation and its error.

    The ground truth is a ring and the prediction a dot, so that they can be told apart without colours.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmarks: Names the K landmarks.
        predicted_px, true_px: Shape (K, 2) as x, y, in pixels.
        visible: Shape (K,); where False there is no ground truth, and the prediction stands alone.
        errors_mm: Shape (K,).
        title: A line for the heading, which stands in the emptiest corner.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    for k in range(len(landmarks)):
        if visible[k]:
            line(canvas, true_px[k], predicted_px[k], JOIN_COLOUR, size)
            ring(canvas, true_px[k], TRUE_COLOUR, size, max(9 * size, 5))
        dot(canvas, predicted_px[k], PREDICTED_COLOUR, size)
    legend = [
        (title, 1.3, TEXT_COLOUR),
        ('ring: ground truth', 1.1, TRUE_COLOUR),
        ('dot: prediction (error in mm)', 1.1, PREDICTED_COLOUR),
    ]
    taken: list[Box] = [word_list(canvas, legend, 0, size, predicted_px)]
    for k, name in enumerate(landmarks.abbreviations):
        if is_in(predicted_px[k], taken[:1]):
            continue
        label = f'{name} {errors_mm[k]:.1f}' if visible[k] else name
        place = free_place(canvas, label, predicted_px[k], 0.75 * size, 10 * size, taken)
        text(canvas, label, place, 0.75 * size, TEXT_COLOUR)
    return canvas


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
        yield f'{rank:0{digits}d}_MRE-{mre}mm_{file_stem(Path(image.file_name).stem)}.png', picture


def made_small(image: np.ndarray) -> tuple[np.ndarray, int]:
    """An X-ray, made smaller by a whole number so that its longest side is near ``SMALL_SIDE``, and that number.

    Each new pixel is the mean of whole pixels, which is sharp and takes little time.
    """
    factor = max(1, round(max(image.shape[:2]) / SMALL_SIDE))
    if factor == 1:
        return image, 1
    height, width = (max(length // factor, 1) for length in image.shape[:2])
    even = image[: height * factor, : width * factor]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), factor


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write a picture, uint8 (H, W, 3) in BGR order, as PNG or JPEG by the end of its name, whole or not at all.

    Raises:
        InputError: The name ends otherwise, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in ENCODING:
        raise InputError(f'{path}: pictures are written as {", ".join(ENCODING)}: let the name end so')
    _, encoded = cv2.imencode(suffix, picture, ENCODING[suffix])
    with atomic_write(path) as partial:
        partial.write_bytes(encoded.tobytes())


def encode_overlay(picture: np.ndarray, suffix: str) -> bytes:
    """A picture, uint8 (H, W, 3) in BGR order, as a PNG file, or as a JPEG with sharp colours and of few bytes."""
    return cv2.imencode(suffix, picture, ENCODING[suffix] if suffix == '.png' else _SMALL_JPEG)[1].tobytes()


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


LINE_COLOUR = (190, 190, 90)


def draw_prediction(image: np.ndarray, landmarks: LandmarkSet, xray: PredictedXray, factor: int = 1) -> np.ndarray:
    """Draw the landmarks and the lines of the landmark set that join them.

    A flagged landmark has another colour, its expected error beside its name, and a ring of that radius where the
    spacing is known. A doubtful X-ray has a banner that says why; an expected error means nothing there.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmarks: Names the K landmarks.
        xray: Its prediction.
        factor: By which the picture was made smaller, see :func:`made_small`.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    # Pixel centres are at integers.
    points_px = (xray.points_px + 0.5) / factor - 0.5
    seen = np.isfinite(points_px).all(axis=1)
    flagged = np.zeros(len(landmarks), bool) if xray.flagged is None else xray.flagged
    expected_mm = None if xray.doubtful else xray.expected_error_mm
    for a, b in landmarks.lines:
        if seen[a] and seen[b]:
            line(canvas, points_px[a], points_px[b], LINE_COLOUR, size, width=1.5)
    for k in np.flatnonzero(seen):
        if flagged[k]:
            known = expected_mm is not None and xray.spacing_mm is not None
            radius_px = expected_mm[k] / (xray.spacing_mm * factor) if known else 0
            ring(canvas, points_px[k], FLAGGED_COLOUR, size, max(radius_px, RING * size))
        dot(canvas, points_px[k], FLAGGED_COLOUR if flagged[k] else PREDICTED_COLOUR, size)
    taken: list[Box] = [banner(canvas, doubt_words(xray), size)] if xray.doubtful else []
    taken.append(word_list(canvas, _legend(xray), taken[0][3] if taken else 0, size, points_px))
    radii = np.where(flagged, RING + 4, 6) * size
    # Those beneath the banner or the list have no label, which would stand for nothing there.
    labelled = [k for k in np.flatnonzero(seen) if not is_in(points_px[k], taken)]
    taken += [box_around(points_px[k], radii[k]) for k in labelled]
    for k in labelled:
        label = landmarks.abbreviations[k]
        if flagged[k]:
            label += ' ?' if expected_mm is None else f' {expected_mm[k]:.1f} mm?'
        place = free_place(canvas, label, points_px[k], 0.75 * size, radii[k] + 4 * size, taken)
        text(canvas, label, place, 0.75 * size, FLAGGED_COLOUR if flagged[k] else TEXT_COLOUR)
    return canvas


def doubt_words(xray: PredictedXray) -> str:
    """Why an X-ray is doubtful."""
    return f'DOUBTFUL: {xray.warnings[0] if xray.warnings else "trust none of this"}'


def _legend(xray: PredictedXray) -> list[tuple[str, float, Colour]]:
    spacing = 'spacing not known' if xray.spacing_mm is None else f'{xray.spacing_mm:g} mm per pixel'
    lines = [(f'{xray.name}   {spacing}', 1.2, TEXT_COLOUR), ('prediction', 1.0, PREDICTED_COLOUR)]
    if xray.flagged is None:
        lines.append(('no calibration: not assessed', 1.0, FLAGGED_COLOUR))
    elif xray.doubtful:
        lines.append(('all landmarks flagged', 1.0, FLAGGED_COLOUR))
    elif xray.flagged.any():
        lines.append((f'{xray.flagged.sum()} flagged (expected error in mm)', 1.0, FLAGGED_COLOUR))
    if xray.orientation.turned:
        lines.append((f'taken as {xray.orientation}', 1.0, TEXT_COLOUR))
    return [*lines, (NOTICE, 0.75, TEXT_COLOUR)]
