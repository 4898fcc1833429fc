"""``config``: a recipe, completed, as one file for MMEngine's Runner and MMPose's own tools."""

import argparse
from importlib import import_module
from pathlib import Path

from cephalometric.commands import example
from cephalometric.files import atomic_write, check_place

DESCRIPTION = """Write a recipe as the one file that training runs: all that it inherits, and all that is filled in,
such as the landmark set, the codec and the pipelines in every part that needs them. MMEngine's Runner and MMPose's own
tools (tools/train.py, tools/test.py, init_model, browse_dataset.py) take it, and so does step 3. What depends on the
machine is not in it. It needs what training needs."""
EXAMPLE = """
  cephalometric config cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py --out complete.py
"""


def add_config_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'config', help='complete a recipe for MMPose', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('recipe', metavar='RECIPE', help='a recipe, such as those in cldetection_configs/')
    parser.add_argument('--out', metavar='PY', help='the file to write [shown]')
    parser.add_argument('--data-root', metavar='DIR', help="the folder that step 2 filled [the config's]")
    parser.add_argument('--landmarks', metavar='SET', help="landmark set, by name or .json [the config's]")
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', metavar='KEY=VALUE', help='replace settings, as in step 3'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Read, complete and write."""
    if args.out:
        check_place(args.out)
    # By name, because only training needs PyTorch.
    recipe = import_module('cephalometric.training.recipe')
    text = recipe.complete_text(recipe.load_config(args.recipe, args.data_root, args.landmarks, args.cfg_options))
    if not args.out:
        print(text, end='')
        return
    with atomic_write(Path(args.out)) as partial:
        partial.write_text(text, encoding='utf-8')
    print(f'Config: {args.out}')
