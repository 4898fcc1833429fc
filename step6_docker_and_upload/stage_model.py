#!/usr/bin/env python3
"""Put a trained model into one folder, as process.py reads it: config.py with all it inherits, and the weights alone.

build.sh calls it. A checkpoint that does not fit the config is refused here, and not first on the platform.
"""

import argparse
from pathlib import Path

from cephalometric.errors import InputError, run_step
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.checkpoints import load_from_checked_file, save_weights
from cephalometric.training.config import load_config, write_config
from cephalometric.training.hooks import BEST_WEIGHTS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', type=Path, help='default: the one that training put beside the checkpoint')
    parser.add_argument('--checkpoint', type=Path, help=f'default: the newest {BEST_WEIGHTS} below --work-dirs')
    parser.add_argument(
        '--landmarks', metavar='SET', help="landmark set, by name or .json file (default: the config's)"
    )
    parser.add_argument('--work-dirs', type=Path, default='work_dirs', help='default: work_dirs')
    parser.add_argument('--out', type=Path, required=True, help='the folder to fill')
    return parser.parse_args()


def newest_weights(work_dirs: Path) -> Path:
    found = sorted(work_dirs.glob(f'*/{BEST_WEIGHTS}'), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InputError(f'{work_dirs} holds no */{BEST_WEIGHTS}: train a model with step 3, or say --checkpoint')
    return found[-1]


def config_beside(checkpoint: Path) -> Path:
    found = sorted(checkpoint.parent.glob('*.py'))
    if len(found) != 1:
        raise InputError(f'{checkpoint.parent} holds {len(found)} configs (*.py), not one: say --config')
    return found[0]


def main() -> None:
    args = parse_args()
    checkpoint = args.checkpoint or newest_weights(args.work_dirs)
    path = args.config or config_beside(checkpoint)
    config = load_config(path, landmark_set=args.landmarks)
    CephalometricPredictor(config, checkpoint)
    args.out.mkdir(parents=True, exist_ok=True)
    write_config(config, args.out)
    save_weights(load_from_checked_file(str(checkpoint)), args.out / 'weights.pth')
    print(f'Config:  {path}\nWeights: {checkpoint}')


if __name__ == '__main__':
    run_step(main)
