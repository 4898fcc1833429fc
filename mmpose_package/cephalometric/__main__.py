"""The command line of the package: ``python -m cephalometric COMMAND``."""

import argparse

from cephalometric.errors import run_step
from cephalometric.phantom.dataset import write_challenge_dataset


def main() -> None:
    """Run the command that the arguments name."""
    args = _parser().parse_args()
    args.run(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='python -m cephalometric', description=__doc__)
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    phantom = commands.add_parser(
        'phantom',
        help='write synthetic X-rays with landmarks in the challenge format',
        description='Write OUT/train_stack.mha and OUT/train-gt.json with synthetic lateral cephalograms.',
    )
    phantom.add_argument('out', metavar='OUT', help='a folder; files that are there already are never overwritten')
    phantom.add_argument('--count', type=int, default=80, help='how many X-rays (default: 80)')
    phantom.add_argument('--seed', type=int, default=2023, help='of the whole data set (default: 2023)')
    phantom.add_argument('--landmarks', default='cldetection2023', metavar='SET', help='(default: cldetection2023)')
    phantom.add_argument('--size-scale', type=float, default=1.0, help='below 1: fewer, larger pixels (default: 1)')
    phantom.add_argument('--compressed', action='store_true', help='pack the pixels with zlib')
    phantom.set_defaults(run=_phantom)
    return parser


def _phantom(args: argparse.Namespace) -> None:
    write_challenge_dataset(
        args.out,
        args.count,
        seed=args.seed,
        size_scale=args.size_scale,
        compressed=args.compressed,
        landmark_set=args.landmarks,
    )
    print(f'{args.count} synthetic X-rays: {args.out}')


if __name__ == '__main__':
    run_step(main)
