"""Phantoms in the challenge's own file format: ``train_stack.mha`` and ``train-gt.json``."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.files import atomic_write
from cephalometric.phantom.rendering import Phantom, make_phantom
from cephalometric.xrays.mha import write_stack

CANVAS = (2880, 2400)
STACK_NAME, ANNOTATION_NAME = 'train_stack.mha', 'train-gt.json'


def write_challenge_dataset(
    folder: str | Path,
    count: int,
    seed: int = 2023,
    size_scale: float = 1.0,
    canvas: tuple[int, int] | None = None,
    compressed: bool = False,
    landmark_set: str = 'cldetection2023',
) -> None:
    """Write ``train_stack.mha`` and ``train-gt.json`` with synthetic cephalograms, one in memory at a time.

    Every slice is RGB with three equal channels, zero-padded at the right and at the bottom. The same arguments give
    byte-identical files, and image ``i`` does not depend on ``count``.

    Args:
        folder: Where to write; made if it does not exist.
        count: The number of images, 1 or more.
        seed: Of the whole data set.
        size_scale: Above 0, at most 1: for tests, fewer and larger pixels. The millimetres stay the same.
        canvas: Width and height of a slice with its padding; (2880, 2400) times ``size_scale`` by default.
        compressed: Pack the pixels with zlib.
        landmark_set: The landmarks to annotate, by the name of their set.

    Raises:
        InputError: A value cannot be used, one of the files is there already, or the folder cannot be written to.
    """
    folder = Path(folder)
    if count < 1:
        raise InputError(f'a data set of {count} images cannot be written: ask for 1 or more')
    if not 0 < size_scale <= 1:
        raise InputError(f'size_scale {size_scale} cannot be used: give a number above 0 and at most 1')
    if seed < 0:
        raise InputError(f'seed {seed} cannot be used: give 0 or more')
    _make_folder(folder)
    width, height = canvas or (round(CANVAS[0] * size_scale), round(CANVAS[1] * size_scale))
    points = []

    def slices() -> Iterator[np.ndarray]:
        for number in tqdm(range(1, count + 1), desc='phantoms', unit='image', disable=None):
            phantom = make_phantom(_seed_of_image(seed, number), size_scale, landmark_set)
            points.extend(_annotations(phantom, number))
            yield _padded(phantom.image, width, height)

    # The annotations come second and only when all pixels are written: a stack without them is seen to be unfinished.
    write_stack(folder / STACK_NAME, slices(), count=count, compressed=compressed)
    table = {
        'name': 'Orthodontic landmarks',
        'type': 'Multiple points',
        'points': points,
        'version': {'major': 1, 'minor': 0},
    }
    with atomic_write(folder / ANNOTATION_NAME) as partial:
        partial.write_text(json.dumps(table), encoding='utf-8')


def _seed_of_image(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _make_folder(folder: Path) -> None:
    for path in (folder / STACK_NAME, folder / ANNOTATION_NAME):
        if path.exists():
            raise InputError(f'{path} exists already and is not overwritten: remove it or name another folder')
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'{folder}: the folder cannot be made: {error.strerror}') from None


def _padded(image: np.ndarray, width: int, height: int) -> np.ndarray:
    if image.shape[0] > height or image.shape[1] > width:
        raise InputError(
            f'a canvas of {width} x {height} is too small for a phantom of {image.shape[1]} x {image.shape[0]} pixels: '
            'make it larger or size_scale smaller'
        )
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: image.shape[0], : image.shape[1]] = image[:, :, None]
    return padded


def _annotations(phantom: Phantom, number: int) -> list[dict]:
    scale = f'{phantom.spacing_mm:.6g}'
    return [
        {'name': name, 'point': [round(float(x)), round(float(y)), number], 'scale': scale}
        for name, (x, y) in enumerate(phantom.points_px, start=1)
    ]
