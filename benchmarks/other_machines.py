#!/usr/bin/env python3
"""How does a model do on X-rays as another machine would have made them?

python benchmarks/other_machines.py COCO_FILE [--model MODEL ...] [--spacing 0.127] [--size 1340 1671]

Each image of the COCO file is scored as it is; at another spacing, with less around the head; the same with other
exposures and as a smaller head in the middle of a larger film. Errors are in millimetres of the true head.
The model should not have been trained on these images.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator

import cv2
import numpy as np
from tqdm import tqdm

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.api import load_model
from cephalometric.errors import run_step
from cephalometric.geometry import radial_error_mm
from cephalometric.prediction.model_folder import DEFAULT


def main() -> None:
    args = parse_args()
    model = load_model(*args.model, calibration=False)
    labelled = load_coco(args.coco_file)
    errors_mm = defaultdict(list)
    for image in tqdm(labelled.images, unit='image'):
        pixels = read_image(labelled, image)
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        for name, film, to_film in films(grey, image.points_px, image.spacing_mm, args.spacing, args.size):
            scale, offset = to_film
            (answer,) = model.answers([film], [None], upright=True)
            found_px = (answer.points_px - offset) / scale
            errors_mm[name].append(radial_error_mm(found_px, image.points_px, image.spacing_mm))
    for name, errors in errors_mm.items():
        errors = np.concatenate(errors)
        errors = errors[np.isfinite(errors)]
        rates = '  '.join(f'{mm:g} mm {100 * np.mean(errors <= mm):.2f} %' for mm in (2, 2.5, 3, 4))
        print(f'{name:36} MRE {errors.mean():.3f} mm   SDR {rates}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('coco_file', help='of the landmarks that the model finds')
    parser.add_argument('--model', nargs='+', default=[DEFAULT], help='several are an ensemble (default: %(default)s)')
    parser.add_argument('--spacing', type=float, default=0.127, help='mm per pixel (default: %(default)s)')
    parser.add_argument('--size', type=int, nargs=2, default=(1340, 1671), metavar=('W', 'H'), help='in pixels')
    return parser.parse_args()


def films(
    grey: np.ndarray, points_px: np.ndarray, spacing_mm: float, other_spacing_mm: float, size: tuple[int, int]
) -> Iterator[tuple[str, np.ndarray, tuple[float, np.ndarray]]]:
    """A name, the film, and scale and offset from pixels of the X-ray to those of the film."""
    yield 'as it is', grey, (1.0, np.zeros(2))
    scale = spacing_mm / other_spacing_mm
    film, offset = on_film(grey, points_px, scale, size)
    name = f'{other_spacing_mm:g} mm, {size[0]} x {size[1]}'
    yield name, film, (scale, offset)
    for gamma in (0.5, 1.8):
        yield f'{name}, gamma {gamma:g}', (255 * (film / 255) ** gamma).astype(np.uint8), (scale, offset)
    larger = round(size[0] * 1.3), round(size[1] * 1.3)
    film, offset = on_film(grey, points_px, scale, larger)
    yield f'{other_spacing_mm:g} mm, {larger[0]} x {larger[1]}', film, (scale, offset)


def on_film(
    grey: np.ndarray, points_px: np.ndarray, scale: float, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The X-ray on a film of another size, its landmarks in the middle; black where the X-ray does not reach."""
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # Pixel centres are at integers: where the first pixel comes to lie.
    first = (scale - 1) / 2
    middle = (np.nanmin(points_px, axis=0) + np.nanmax(points_px, axis=0)) / 2 * scale + first
    shift = np.round(np.array(size) / 2 - middle)
    placed = cv2.warpAffine(small, np.array([[1.0, 0, shift[0]], [0, 1.0, shift[1]]]), size)
    return placed, first + shift


if __name__ == '__main__':
    run_step(main)
