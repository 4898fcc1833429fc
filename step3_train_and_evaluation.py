#!/usr/bin/env python3
"""Step 3: train a recipe of cldetection_configs/ on the data of step 2, and score it on the validation images.

The work dir receives the checkpoints, the log, curves.csv and curves.png and, at the end, model/, the trained model as
one folder, and report_valid/ with report.html: how good it is on the validation images. Without validation images there
are no calibration and no report.
"""

import argparse
import os
from contextlib import nullcontext
from pathlib import Path

from cephalometric.commands.number_flags import whole_number
from cephalometric.locks import locked
from cldetection_utils import add_data_arguments, run_step

EXAMPLES = """examples:
  python step3_train_and_evaluation.py cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py \\
      --data-root data/cephalometric
  python step3_train_and_evaluation.py CONFIG --data-root data/cephalometric --work-dir work_dirs/mine --resume
  python step3_train_and_evaluation.py CONFIG --data-root data/mine --work-dir work_dirs/mine --load-from isbi2015
  torchrun --nproc_per_node=2 step3_train_and_evaluation.py CONFIG --data-root data/cephalometric --launcher pytorch
"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', metavar='CONFIG', help='a recipe, such as those in cldetection_configs/')
    parser.add_argument('--work-dir', help='where everything goes (default: work_dirs/ and the name of the config)')
    add_data_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='continue from this checkpoint, or from the newest one in the work dir',
    )
    parser.add_argument(
        '--load-from',
        metavar='MODEL',
        help='start from the weights of another model: a model folder, the work dir of a training, isbi2015 or a '
        'checkpoint, also of another landmark set; rows of a landmark are taken over by its abbreviation',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (GPUs only)')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate by the batch size')
    parser.add_argument(
        '--no-validation',
        action='store_true',
        help='train on everything (step 2 with --split N 0 0): nothing is validated, and the last weights are kept',
    )
    parser.add_argument(
        '--seed', type=whole_number('--seed', most=2**32 - 1), help='seed of weights, order and augmentation'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        metavar='KEY=VALUE',
        help='replace settings of the config, such as train_cfg.max_epochs=10 train_dataloader.batch_size=4',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    # Not above: run_step says what is missing where PyTorch or MMPose is.
    from cephalometric.training.assessment import finish
    from cephalometric.training.known_harm import notes_on
    from cephalometric.training.recipe import load_config
    from cephalometric.training.run import train

    config = load_config(args.config, args.data_root, args.landmarks, args.cfg_options)
    work_dir = Path(args.work_dir or str(config.get('work_dir') or '') or Path('work_dirs') / Path(args.config).stem)
    if is_first_process(args.launcher):
        for note in notes_on(config):
            print(f'Note: {note}')
    with locked(work_dir) if is_first_process(args.launcher) else nullcontext():
        best = train(
            config,
            work_dir,
            args.resume,
            args.amp,
            args.auto_scale_lr,
            args.launcher,
            args.seed,
            validate=not args.no_validation,
            load_from=args.load_from,
        )
        print(f'Best weights: {best}')
        print(f'Curves:       {work_dir / "curves.png"} and {work_dir / "curves.csv"}')
        for line in finish(config, best):
            print(line)


def is_first_process(launcher: str) -> bool:
    """Whether this process of a distributed run is the one that writes, before they know each other."""
    rank = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK'}.get(launcher)
    return rank is None or os.environ.get(rank, '0') == '0'


if __name__ == '__main__':
    run_step(main)
