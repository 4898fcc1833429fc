"""The command line of the package: ``cephalometric COMMAND``, or ``python -m cephalometric COMMAND``."""

import argparse
import sys
from importlib import import_module

from cephalometric import __version__
from cephalometric.errors import run_step

DESCRIPTION = 'Landmarks and measurements of lateral skull X-rays. For research; not a medical device.'
EXAMPLE = """example:
  cephalometric predict film.jpg --spacing 0.1
"""
COMMANDS = {
    'predict': 'find the landmarks of X-rays',
    'review': 'check and correct landmarks in the browser',
    'merge': 'join the parts of a prediction',
    'measure': 'take measurements from landmarks',
    'report': 'write the report of a run, or compare runs',
    'calibrate': 'learn expected errors from labelled X-rays',
    'models': 'list the models that ship, or describe one',
    'export': 'make a model folder of a checkpoint',
    'config': 'complete a recipe for MMPose',
    'phantom': 'write synthetic X-rays with landmarks in the challenge format',
}


def main() -> None:
    """Run the command that the arguments name; its exit status is what it returns, or 0."""
    parser = argparse.ArgumentParser(
        prog='cephalometric',
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'cephalometric {__version__}')
    commands = parser.add_subparsers(metavar='COMMAND')
    wanted = next((word for word in sys.argv[1:] if not word.startswith('-')), None)
    for name, purpose in COMMANDS.items():
        if name == wanted:
            # Only the module of the command that runs is loaded, so that help and errors answer at once.
            module = import_module(f'cephalometric.commands.{name}')
            getattr(module, f'add_{name}_command')(commands)
        else:
            commands.add_parser(name, help=purpose)
    args = parser.parse_args()
    if not hasattr(args, 'run'):
        parser.print_help()
        return
    sys.exit(args.run(args))


def main_or_exit() -> None:
    """The console script: a user's mistake ends it with one message and status 2, Ctrl-C with 130."""
    run_step(main)


if __name__ == '__main__':
    main_or_exit()
