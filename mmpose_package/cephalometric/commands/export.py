"""``export``: a checkpoint of a training as a model folder."""

import argparse
from importlib import import_module
from pathlib import Path

from cephalometric.commands import example
from cephalometric.errors import InputError
from cephalometric.locks import locked
from cephalometric.names import file_stem
from cephalometric.phantom.rendering import make_phantom
from cephalometric.xrays.reading import find_xrays, read_xrays

DESCRIPTION = """Make a model folder of a checkpoint: the recipe, the weights, the networks as ONNX graphs, and all that
surrounds them as numbers. Step 3 does this at its end; this command does it for checkpoints of earlier runs. The graphs
are run and compared with PyTorch, on synthetic X-rays or on those of --check; where a landmark differs by more than 0.1
pixel, they are left out, and the folder says so. It needs what training needs. For research; not a medical device."""
EXAMPLE = """
  cephalometric export work_dirs/old/best_model_weight.pth --out models/old
"""
SYNTHETIC = 3


def add_export_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'export', help='make a model folder of a checkpoint', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='the weights, such as best_model_weight.pth')
    parser.add_argument('--config', help='the recipe that they were trained with [the one beside them]')
    parser.add_argument('--landmarks', metavar='SET', help="landmark set, by name or .json [the config's]")
    parser.add_argument('--out', required=True, metavar='DIR', help='a new or empty folder')
    parser.add_argument(
        '--check', nargs='+', metavar='INPUT', help='X-rays, folders or globs to compare on [synthetic ones]'
    )
    parser.add_argument(
        '--compact',
        action='store_true',
        help='keep the weights once, for PyTorch and the graphs: half the size, but the graphs need weights.pth',
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Export, compare and write."""
    out = Path(args.out)
    # Beside the folder, which appears as a whole.
    with locked(out.absolute().parent, f'.{file_stem(out.name)}.lock'):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InputError(f'--out {out} is there already and not empty: name a new folder')
        _export(args, out)


def _export(args: argparse.Namespace, out: Path) -> None:
    if args.check:
        xrays = [xray.image for path in find_xrays(args.check) for xray in read_xrays(path)]
    else:
        xrays = [make_phantom(seed).image for seed in range(SYNTHETIC)]
    # By name, because only training needs PyTorch.
    models = import_module('cephalometric.training.checkpoint_models')
    description = models.write_checkpoint_model(
        args.checkpoint, out, args.config, args.landmarks, check_on=xrays, compact=args.compact
    )
    if description.networks:
        distance_px = description.provenance['onnx_against_pytorch']['largest_distance_px']
        print(f'On {len(xrays)} X-rays ONNX Runtime and PyTorch find the landmarks within {distance_px:.4f} pixel')
    else:
        print(f'The networks run by PyTorch alone: {description.why_no_networks}')
    print(f'Model: {out}')
