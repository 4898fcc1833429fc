"""The command line of the package: ``cephalometric COMMAND``, or ``python -m cephalometric COMMAND``."""

import argparse
import sys

from cephalometric.commands.calibrate import add_calibrate_command
from cephalometric.commands.export import add_export_command
from cephalometric.commands.measure import add_measure_command
from cephalometric.commands.phantom import add_phantom_command
from cephalometric.commands.predict import add_predict_command
from cephalometric.commands.report import add_report_command
from cephalometric.errors import run_step

DESCRIPTION = 'Landmarks and measurements of lateral skull X-rays. For research; not a medical device.'
# Each module adds its flags here and imports what it works with when it runs, so that --help answers at once.
COMMANDS = (
    add_predict_command,
    add_measure_command,
    add_report_command,
    add_calibrate_command,
    add_export_command,
    add_phantom_command,
)


def main() -> None:
    """Run the command that the arguments name; its exit status is what it returns, or 0."""
    parser = argparse.ArgumentParser(prog='cephalometric', description=DESCRIPTION)
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    for add_command in COMMANDS:
        add_command(commands)
    args = parser.parse_args()
    sys.exit(args.run(args))


def main_or_exit() -> None:
    """The console script: a user's mistake ends it with one message and status 2, Ctrl-C with 130."""
    run_step(main)


if __name__ == '__main__':
    main_or_exit()
