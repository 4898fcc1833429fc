#!/usr/bin/env python3
"""How often is a film that lies the wrong way recognised, and a damaged one that lies the right way left alone?

python benchmarks/orientation.py CONFIG CHECKPOINT COCO_FILE [--landmarks SET] [--every N]

Every N-th image of the COCO file is turned each of the eight ways, and damaged in several ways without being turned.
"""

import argparse
from collections import defaultdict

import cv2
import numpy as np

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.geometry import radial_error_mm
from cephalometric.prediction.calibration import load_calibration
from cephalometric.prediction.orientation_search import OTHERS, UPRIGHT, USUAL_SCORE, predict_any_way
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.config import load_config


def main() -> None:
    args = parse_args()
    predictor = CephalometricPredictor(load_config(args.config, landmark_set=args.landmarks), args.checkpoint)
    calibration = load_calibration([args.checkpoint], predictor.landmarks)
    usual_score = USUAL_SCORE if calibration is None else calibration.usual_score
    labelled = load_coco(args.coco_file)
    right, errors_mm = defaultdict(list), defaultdict(list)
    for image in labelled.images[:: args.every]:
        pixels = read_image(labelled, image)
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        for orientation in (UPRIGHT, *OTHERS):
            ((prediction, found),) = predict_any_way(predictor, [lying(grey, orientation)], usual_score)
            true_px = orientation.turn(image.points_px, *grey.shape[::-1])
            right[str(orientation)].append(found == orientation)
            errors_mm[str(orientation)].append(
                np.nanmean(radial_error_mm(prediction.points_px, true_px, image.spacing_mm))
            )
        for name, damaged in damages(grey, np.random.default_rng(image.id)):
            ((_, found),) = predict_any_way(predictor, [damaged], usual_score)
            right[name].append(found == UPRIGHT)
    for name, results in right.items():
        mre = f'   MRE {np.mean(errors_mm[name]):.2f} mm' if name in errors_mm else ''
        print(f'{name:50} {sum(results)} of {len(results)} rightly{mre}')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('coco_file')
    parser.add_argument('--landmarks', metavar='SET')
    parser.add_argument('--every', type=int, default=1, metavar='N')
    return parser.parse_args()


def lying(grey, orientation):
    pixels = 255 - grey if orientation.inverted else grey
    pixels = pixels[::-1] if orientation.upside_down else pixels
    return np.ascontiguousarray(pixels[:, ::-1] if orientation.mirrored else pixels)


def damages(grey, random):
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
    main()
