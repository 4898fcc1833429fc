"""``measure``: clinical measurements from landmarks."""

import argparse

DESCRIPTION = """Take clinical measurements from landmarks: predictions.json or landmarks.csv of predict, or a COCO
file. OUT receives measurements.csv, measurements.json with definitions, norms and sources and, where the X-rays are
found, analyses/ with the lines drawn on them. Lengths need a spacing. For research; not a medical device."""


def add_measure_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser('measure', help='take measurements from landmarks', description=DESCRIPTION)
    parser.add_argument('landmarks', metavar='FILE', help='predictions.json, landmarks.csv or a COCO file')
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace earlier measurements in OUT')
    parser.add_argument('--spacing', type=float, metavar='MM', help='mm per pixel, instead of what the file says')
    parser.add_argument('--measurements', metavar='JSON', help='measurements of your own, beside those of the package')
    parser.add_argument(
        '--analysis', nargs='+', metavar='NAME', help='which to draw, such as steiner downs (default: the first)'
    )
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Measure and write."""
    from cephalometric.commands.measuring import measure_file

    measure_file(args)
