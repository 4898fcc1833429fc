"""``phantom``: write synthetic X-rays."""

import argparse

from cephalometric.commands import example
from cephalometric.commands.number_flags import number, whole_number
from cephalometric.locks import locked
from cephalometric.phantom.phantom_stack import write_challenge_dataset

EXAMPLE = """
  cephalometric phantom data --count 80
  cephalometric phantom small --count 8 --landmarks isbi2015 --size-scale 0.25
"""


def add_phantom_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'phantom',
        help='write synthetic X-rays with landmarks in the challenge format',
        description='Write OUT/train_stack.mha and OUT/train-gt.json with synthetic lateral cephalograms.',
        **example(EXAMPLE),
    )
    parser.add_argument('out', metavar='OUT', help='a folder; files that are there already are never overwritten')
    parser.add_argument('--count', type=whole_number('--count', 1), default=80, help='how many X-rays (default: 80)')
    parser.add_argument(
        '--seed', type=whole_number('--seed'), default=2023, help='of the whole data set (default: 2023)'
    )
    parser.add_argument('--landmarks', default='cldetection2023', metavar='SET', help='(default: cldetection2023)')
    parser.add_argument(
        '--size-scale', type=number('--size-scale'), default=1.0, help='below 1: fewer, larger pixels (default: 1)'
    )
    parser.add_argument('--compressed', action='store_true', help='pack the pixels with zlib')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the X-rays."""
    with locked(args.out):
        write_challenge_dataset(
            args.out,
            args.count,
            seed=args.seed,
            size_scale=args.size_scale,
            compressed=args.compressed,
            landmark_set=args.landmarks,
        )
    print(f'{args.count} synthetic X-rays: {args.out}')
