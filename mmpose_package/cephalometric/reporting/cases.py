"""X-rays with their landmarks as layers of SVG, for the report: which ones, and what is drawn on them."""

import base64
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.reporting.runs import Run, image_name
from cephalometric.results.evaluation import Evaluation, picture_path

LARGEST_SIDE = 1400  # Pixels of the embedded picture: enough for a look at a landmark, and a page of a few megabytes.
JPEG_QUALITY = 80


@dataclass(frozen=True)
class Mark:
    """A landmark on an X-ray.

    Attributes:
        label: Its abbreviation.
        text: What it is, for people.
        x, y: Where it lies, in pixels of the original image.
        true_x, true_y: Where its ground truth lies; None without one.
        flagged: Whether its expected error is too large to trust it.
        reach_px: The expected error of a flagged one, in pixels of the original image; None where it is not shown.
    """

    label: str
    text: str
    x: float
    y: float
    true_x: float | None = None
    true_y: float | None = None
    flagged: bool = False
    reach_px: float | None = None


@dataclass(frozen=True)
class Layer:
    """The predictions of one run on one X-ray."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Case:
    """An X-ray of the report.

    Attributes:
        title: Why it is here.
        file_name: Which one it is.
        summary: Its scores in words.
        width, height: Of the original, in pixels.
        picture: A data URL of a smaller JPEG; empty when the image cannot be read any more.
        truth: The labelled landmarks.
        layers: One a run.
        lines: Pairs of points of the ground truth to join: x and y of the one, x and y of the other.
    """

    title: str
    file_name: str
    summary: str
    width: int
    height: int
    picture: str
    truth: tuple[Mark, ...]
    layers: tuple[Layer, ...]
    lines: tuple[tuple[float, float, float, float], ...]


def choose_cases(runs: Sequence[Run]) -> list[tuple[str, int]]:
    """Titles and positions of the images to show: with one run the worst, the median and the best.

    With several, the images where a later run differs most from the first, for the worse and for the better.
    """
    if len(runs) == 1:
        return _worst_median_best(runs[0].evaluation)
    means = np.array([[scores.mre_mm for scores in run.evaluation.per_image()] for run in runs])
    with np.errstate(invalid='ignore'):
        change = means[1:].mean(axis=0) - means[0]
    order = [int(n) for n in np.argsort(change) if np.isfinite(change[n])]
    better = [n for n in order if change[n] < 0][:3]
    worse = [n for n in reversed(order) if change[n] > 0][:3]
    first = runs[0].name
    return [(f'Much better than in {first}', n) for n in better] + [(f'Much worse than in {first}', n) for n in worse]


def _worst_median_best(evaluation: Evaluation) -> list[tuple[str, int]]:
    order = [n for n in evaluation.worst_first() if evaluation.visible[n].any()]
    middle = len(order) // 2
    titles = [(f'Worst case {rank}' if rank > 1 else 'Worst case', rank - 1) for rank in (1, 2, 3)]
    titles += [('Median case', middle), ('Median case 2', middle - 1), ('Best case', len(order) - 1)]
    chosen: dict[int, str] = {}
    for title, position in titles:
        if 0 <= position < len(order):
            chosen.setdefault(order[position], title)
    return [(title, n) for n, title in chosen.items()]


def make_case(title: str, runs: Sequence[Run], n: int) -> Case:
    """Draw the X-ray at position ``n`` with its ground truth and the predictions of all runs."""
    evaluation = runs[0].evaluation
    image = evaluation.images[n]
    seen = image.visible
    return Case(
        title=title,
        file_name=image_name(image),
        summary='; '.join(_summary(run, n, len(runs) > 1) for run in runs),
        width=image.width,
        height=image.height,
        picture=_picture(evaluation, n),
        truth=_labelled(evaluation, n),
        layers=tuple(Layer(run.name if len(runs) > 1 else 'Prediction', _predicted(run.evaluation, n)) for run in runs),
        lines=tuple(
            (*map(float, image.points_px[a]), *map(float, image.points_px[b]))
            for a, b in evaluation.landmarks.lines
            if seen[a] and seen[b]
        ),
    )


def _labelled(evaluation: Evaluation, n: int) -> tuple[Mark, ...]:
    landmarks = evaluation.landmarks
    marks = zip(landmarks.abbreviations, landmarks.names, evaluation.true_px[n].tolist(), strict=True)
    return tuple(Mark(short, f'{name}, ground truth', x, y) for short, name, (x, y) in marks if np.isfinite(x))


def _predicted(evaluation: Evaluation, n: int) -> tuple[Mark, ...]:
    marks = []
    for k, (short, name) in enumerate(zip(evaluation.landmarks.abbreviations, evaluation.landmarks.names, strict=True)):
        x, y = map(float, evaluation.points_px[n, k])
        if evaluation.visible[n, k]:
            true_x, true_y = map(float, evaluation.true_px[n, k])
            marks.append(Mark(short, f'{name}: {evaluation.errors_mm[n, k]:.1f} mm off', x, y, true_x, true_y))
        else:
            marks.append(Mark(short, f'{name}: no ground truth', x, y))
    return tuple(marks)


def _summary(run: Run, n: int, named: bool) -> str:
    evaluation = run.evaluation
    errors_mm = np.nan_to_num(evaluation.errors_mm[n], nan=-1)
    worst = [f'{evaluation.landmarks.abbreviations[k]} {errors_mm[k]:.1f} mm' for k in np.argsort(-errors_mm)[:3]]
    prefix = f'{run.name}: ' if named else ''
    return f'{prefix}mean error {evaluation.per_image()[n].mre_mm:.2f} mm; largest: {", ".join(worst)}'


def _picture(evaluation: Evaluation, n: int) -> str:
    image = evaluation.images[n]
    path = picture_path(evaluation, image)
    if path is None:
        warnings.warn(
            f'{printable(image.file_name)} is not shown: it lies neither below the folder of the results nor in a data '
            'set that lists it',
            stacklevel=2,
        )
        return ''
    try:
        # Not cv2.imread, which crashes the process by a path that is not UTF-8.
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        pixels = None
    if pixels is None:
        return ''
    if pixels.shape != (image.height, image.width):
        raise InputError(
            f'{path}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, but was '
            f'{image.width} x {image.height} when it was predicted: put the image back, or evaluate again'
        )
    return embedded(pixels)


def embedded(pixels: np.ndarray) -> str:
    """An X-ray, uint8, shape (H, W), or (H, W, 3) in BGR order, as the data URL of a smaller JPEG."""
    return data_url(small_jpeg(pixels))


def small_jpeg(pixels: np.ndarray) -> bytes:
    """An X-ray, uint8, shape (H, W), or (H, W, 3) in BGR order, as a smaller JPEG."""
    scale = LARGEST_SIDE / max(pixels.shape[:2])
    if scale < 1:
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def data_url(jpeg: bytes) -> str:
    """A JPEG as the address of itself."""
    return 'data:image/jpeg;base64,' + base64.b64encode(jpeg).decode('ascii')
