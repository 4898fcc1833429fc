#!/usr/bin/env python3
"""Has the demo's model learned? Its scores on the test images, beside those of predicting the mean training position.

The mean position is taken in parts of the width and the height, because the images differ in size. Exits with status 1
when the model is not below 3 mm, or not at least 5 times better.

    python benchmarks/demo_summary.py demo/data demo/scores.json
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.geometry import radial_error_mm
from cephalometric.scores import Scores, score

LIMIT_MM, LIMIT_FACTOR = 3.0, 5.0


def mean_position_scores(train: LabelledImages, test: LabelledImages) -> Scores:
    """The scores of answering every test image with the mean position of the training images."""
    mean = np.mean([image.points_px / (image.width, image.height) for image in train.images], axis=0)
    errors_mm = [
        radial_error_mm(mean * (image.width, image.height), image.points_px, image.spacing_mm) for image in test.images
    ]
    return score(np.array(errors_mm))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data_root', type=Path)
    parser.add_argument('scores', type=Path, help="step 4's --out")
    args = parser.parse_args()
    metrics = json.loads(args.scores.read_text())
    baseline = mean_position_scores(load_coco(args.data_root / 'train.json'), load_coco(args.data_root / 'test.json'))
    factor = baseline.mre_mm / metrics['MRE']
    print(f'{"":24}' + ''.join(f'{name:>12}' for name in metrics))
    for label, values in (('the model', metrics), ('mean training position', baseline.as_metrics())):
        print(f'{label:24}' + ''.join(f'{value:12.2f}' for value in values.values()))
    print(f'The model is {factor:.1f} times better than the mean training position.')
    if metrics['MRE'] >= LIMIT_MM or factor < LIMIT_FACTOR:
        sys.exit(f'It has not learned: below {LIMIT_MM} mm and {LIMIT_FACTOR} times better is expected.')


if __name__ == '__main__':
    main()
