#!/usr/bin/env python3
"""How often is a film that lies the wrong way recognised, and a damaged one that lies the right way left alone?

python benchmarks/orientation.py COCO_FILE [--model MODEL ...] [--every N]

Every N-th image of the COCO file is turned each of the eight ways, and damaged in several ways without being turned.
The model should not have been trained on these images.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator

import cv2
import numpy as np

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.api import load_model
from cephalometric.errors import run_step
from cephalometric.geometry import Orientation, radial_error_mm
from cephalometric.prediction.model_folder import DEFAULT
from cephalometric.prediction.orientation_search import OTHERS, UPRIGHT


def main() -> None:
    args = parse_args()
    model = load_model(*args.model)
    labelled = load_coco(args.coco_file)
    right, errors_mm = defaultdict(list), defaultdict(list)
    for image in labelled.images[:: args.every]:
        pixels = read_image(labelled, image)
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        for orientation in (UPRIGHT, *OTHERS):
            (answer,) = model.answers([lying(grey, orientation)], [image.spacing_mm])
            true_px = orientation.turn(image.points_px, *grey.shape[::-1])
            right[str(orientation)].append(answer.orientation == orientation)
            errors_mm[str(orientation)].append(np.nanmean(radial_error_mm(answer.points_px, true_px, image.spacing_mm)))
        for name, damaged in damages(grey, np.random.default_rng(image.id)):
            (answer,) = model.answers([damaged], [image.spacing_mm])
            right[name].append(answer.orientation == UPRIGHT)
    for name, results in right.items():
        mre = f'   MRE {np.mean(errors_mm[name]):.2f} mm' if name in errors_mm else ''
        print(f'{name:50} {sum(results)} of {len(results)} rightly{mre}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('coco_file', help='of the landmarks that the model finds')
    parser.add_argument('--model', nargs='+', default=[DEFAULT], help='several are an ensemble (default: %(default)s)')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='every N-th image (default: all)')
    return parser.parse_args()


def lying(grey: np.ndarray, orientation: Orientation) -> np.ndarray:
    """A film that lies right, as one that lies otherwise."""
    pixels = 255 - grey if orientation.inverted else grey
    pixels = pixels[::-1] if orientation.upside_down else pixels
    return np.ascontiguousarray(pixels[:, ::-1] if orientation.mirrored else pixels)


def damages(grey: np.ndarray, random: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """A film that lies right, damaged, by what was done to it."""
    height, width = grey.shape
    covered = grey.copy()
    top, left = (random.uniform(0.3, 0.6, 2) * grey.shape).astype(int)
    covered[top : top + height * 3 // 10, left : left + width * 3 // 10] = 0
    yield 'a black square over a tenth of it', covered
    yield 'cut to 70 % of its height', np.ascontiguousarray(grey[height * 3 // 20 : height * 17 // 20])
    yield 'at 30 % of its brightness', (grey * 0.3).astype(np.uint8)
    yield 'with a gamma of 0.4', (255 * (grey / 255) ** 0.4).astype(np.uint8)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1)
    yield 'turned by 25 degrees', cv2.warpAffine(grey, matrix, (width, height))


if __name__ == '__main__':
    run_step(main)
