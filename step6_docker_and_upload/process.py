#!/usr/bin/env python3
"""Step 6: what the image runs, the same read, predict and write as step 5.

With --api-method exec it runs once and exits; with "invoke" it loads the model and answers HTTP on port 4743.
"""

import argparse
import itertools
import os
import signal
import sys
import warnings
from functools import partial
from pathlib import Path

from cephalometric.annotations.challenge_json import write_result
from cephalometric.errors import InputError
from cephalometric.prediction.data_sets import predict_stack
from cephalometric.prediction.predictor import CephalometricPredictor, choose_device
from cephalometric.serving import serve
from cephalometric.training.config import load_config
from cephalometric.xrays.mha import open_stack
from cldetection_utils import run_step

UPLOADED_MODEL = Path('/opt/ml/model')
BUILT_IN_MODEL = Path(__file__).resolve().parent / 'model'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--input', type=Path, default='/input/images/lateral-dental-x-rays', metavar='FOLDER')
    parser.add_argument('--output', type=Path, default='/output/orthodontic-landmarks.json', metavar='FILE')
    parser.add_argument(
        '--model',
        type=Path,
        metavar='FOLDER',
        help=f'with config.py and weights.pth (default: {UPLOADED_MODEL}, or where that is empty the one in the image)',
    )
    parser.add_argument('--probability', action='store_true', help='write the score of each landmark as well')
    parser.add_argument(
        '--api-method',
        choices=['exec', 'invoke'],
        default=os.environ.get('API_METHOD', 'exec'),
        help='default: the environment variable API_METHOD, then exec',
    )
    return parser.parse_args()


def load_predictor(folder: Path | None) -> CephalometricPredictor:
    if folder is None:
        uploaded = UPLOADED_MODEL.is_dir() and any(UPLOADED_MODEL.iterdir())
        folder = UPLOADED_MODEL if uploaded else BUILT_IN_MODEL
    landmarks = folder / 'landmarks.json'
    config = load_config(folder / 'config.py', landmark_set=str(landmarks) if landmarks.is_file() else None)
    print(f'Model: {folder}', flush=True)
    return CephalometricPredictor(config, folder / 'weights.pth', choose_device())


def find_stack(folder: Path) -> Path:
    found = sorted(folder.glob('*.mha'))
    if len(found) != 1:
        names = ', '.join(path.name for path in found) or 'none'
        raise InputError(f'{folder}: exactly one .mha file is needed, and there are {len(found)} ({names})')
    return found[0]


def predict(predictor: CephalometricPredictor, folder: Path, output: Path, with_probability: bool) -> None:
    stack = open_stack(find_stack(folder))
    for_points, for_scores = itertools.tee(predict_stack(predictor, stack))
    scores = (prediction.scores for prediction in for_scores) if with_probability else None
    write_result(output, (prediction.points_px for prediction in for_points), scores)
    print(f'{len(stack)} slices with {len(predictor.landmarks)} landmarks each: {output}', flush=True)


def main() -> None:
    args = parse_args()
    # The platform shows what is on stderr to the user: a warning is one line, and comes with every job it is due in.
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'
    warnings.simplefilter('always', UserWarning, append=True)
    # As process 1 of a container Python would ignore it. This way temporary files are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    job = partial(predict, load_predictor(args.model), args.input, args.output, args.probability)
    if args.api_method == 'invoke':
        serve(job)
    else:
        job()


if __name__ == '__main__':
    run_step(main)
