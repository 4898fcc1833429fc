"""Step 2: a stack of X-rays and its annotations become images and COCO files for training."""

import argparse

from cephalometric.landmarks import built_in_landmark_sets, load_landmark_set
from cephalometric.preparation import prepare
from cephalometric.splits import SEED
from cldetection_utils import run_step

EXAMPLE = """example:
  python step2_prepare_coco_dataset.py --mha_file_path ./data/train_stack.mha --train_gt_path ./data/train-gt.json \\
      --image_save_dir ./data/cephalometric/images

It writes 1.png, 2.png, ... into --image_save_dir, and train.json, valid.json and test.json beside that folder. The
folder of these three, here ./data/cephalometric, is the --data-root of the steps that follow.
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--mha_file_path', default='./data/train_stack.mha', help='the stack [%(default)s]')
    parser.add_argument('--train_gt_path', default='./data/train-gt.json', help='its annotations [%(default)s]')
    parser.add_argument(
        '--image_save_dir', default='./data/cephalometric/images', help='a new or empty folder [%(default)s]'
    )
    parser.add_argument(
        '--landmarks',
        default='cldetection2023',
        metavar='NAME',
        help=f'the landmark set: {", ".join(built_in_landmark_sets())}, or a .json table of your own [%(default)s]',
    )
    parser.add_argument(
        '--split',
        type=int,
        nargs=3,
        metavar=('TRAIN', 'VALID', 'TEST'),
        help='how many images train, validate and test [3/4, 1/8 and 1/8 of them: 300, 50 and 50 of 400]',
    )
    parser.add_argument('--seed', type=int, default=SEED, help='seed of the shuffling before the split [%(default)s]')
    parser.add_argument(
        '--folds',
        type=int,
        default=0,
        metavar='K',
        help='also write fold1_train.json, fold1_valid.json, ... for cross-validation outside the test part',
    )
    parser.add_argument('--allow-missing', action='store_true', help='give missing landmarks visibility 0')
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what this step wrote there before; other files stay'
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    summary = prepare(
        arguments.mha_file_path,
        arguments.train_gt_path,
        arguments.image_save_dir,
        load_landmark_set(arguments.landmarks),
        sizes=arguments.split,
        seed=arguments.seed,
        folds=arguments.folds,
        allow_missing=arguments.allow_missing,
        overwrite=arguments.overwrite,
    )
    print(f'images: {summary.image_folder}')
    for path, count in summary.parts.items():
        print(f'{count:6} in {path}')


if __name__ == '__main__':
    run_step(main)
