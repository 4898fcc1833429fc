#!/usr/bin/env python3
"""Step 6: what the image runs, the same read, predict and write as step 5.

With --api-method exec it runs once and exits; with "invoke" it loads the model and answers HTTP on port 4743.
"""

import argparse
import os
import signal
import sys
import warnings
from functools import partial
from pathlib import Path

from cephalometric.api import Model, load_model
from cephalometric.errors import InputError
from cephalometric.prediction.data_sets import write_stack_prediction
from cephalometric.prediction.model_folder import CALIBRATION, DESCRIPTION
from cephalometric.prediction.trained_model import best_device
from cephalometric.serving import serve
from cldetection_utils import run_step

UPLOADED_MODEL = Path('/opt/ml/model')
BUILT_IN_MODEL = Path(__file__).resolve().parent / 'model'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--input', type=Path, default='/input/images/lateral-dental-x-rays', metavar='FOLDER')
    parser.add_argument('--output', type=Path, default='/output/orthodontic-landmarks.json', metavar='FILE')
    parser.add_argument(
        '--model',
        nargs='+',
        metavar='FOLDER',
        help='a model folder; several are an ensemble (default: the model folder, or the several, in '
        f'{UPLOADED_MODEL}, or where that is empty in the image)',
    )
    parser.add_argument('--probability', action='store_true', help='write the score of each landmark as well')
    parser.add_argument(
        '--api-method',
        choices=['exec', 'invoke'],
        default=os.environ.get('API_METHOD', 'exec'),
        help='default: the environment variable API_METHOD, then exec',
    )
    return parser.parse_args()


def open_model(named: list[str] | None) -> Model:
    uploaded = UPLOADED_MODEL.is_dir() and any(UPLOADED_MODEL.iterdir())
    place = UPLOADED_MODEL if uploaded else BUILT_IN_MODEL
    folders = named or members_of(place)
    # That of a single model is in its folder, where it is found; that of an ensemble lies beside the members.
    calibration = place / CALIBRATION
    calibrated = not named and place not in folders and calibration.is_file()
    model = load_model(*folders, calibration=calibration if calibrated else None, device=best_device(), threads=1)
    print(f'Model: {", ".join(map(str, folders))}', flush=True)
    return model


def members_of(folder: Path) -> list[Path]:
    """The folder itself if it is a model folder; otherwise all its subfolders, so that no member is left out unsaid."""
    if (folder / DESCRIPTION).is_file():
        return [folder]
    if (folder / 'config.py').is_file():
        raise InputError(
            f'{folder} holds config.py, as models did before they were model folders: make one with "cephalometric '
            'export weights.pth --config config.py --out FOLDER", and upload that'
        )
    members = [path for path in folder.glob('[!.]*') if path.is_dir()]
    return sorted(members) or [folder]


def find_stack(folder: Path) -> Path:
    found = sorted(folder.glob('*.mha'))
    if len(found) != 1:
        names = ', '.join(path.name for path in found) or 'none'
        raise InputError(f'{folder}: exactly one .mha file is needed, and there are {len(found)} ({names})')
    return found[0]


def predict(model: Model, folder: Path, output: Path, with_probability: bool) -> None:
    slices = write_stack_prediction(model, find_stack(folder), output, with_probability)
    print(f'{slices} slices with {len(model.landmarks)} landmarks each: {output}', flush=True)


def main() -> None:
    args = parse_args()
    # The platform shows what is on stderr to the user: a warning comes with every job it is due in.
    warnings.simplefilter('always', UserWarning, append=True)
    # As process 1 of a container Python would ignore it. This way a job ends where it is, and leaves no partial file.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    job = partial(predict, open_model(args.model), args.input, args.output, args.probability)
    if args.api_method == 'invoke':
        serve(job)
    else:
        job()


if __name__ == '__main__':
    run_step(main)
