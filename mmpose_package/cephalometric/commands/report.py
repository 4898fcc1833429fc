"""``report``: evaluated runs as one page, alone or side by side."""

import argparse

from cephalometric.commands import example
from cephalometric.errors import InputError
from cephalometric.reporting.report_page import write_report
from cephalometric.reporting.runs import Run, read_runs

DESCRIPTION = """Write report.html, its figures (PNG) and its tables (CSV) from results files, as steps 3 and 4 write
them (results.json in their report folders, or --dump). Several runs are compared over the images that all of them have,
each with the first. Nothing is predicted again. For research; not a medical device."""
EXAMPLE = """
  cephalometric report work_dirs/mine/report_test/results.json --out report
  cephalometric report old/results.json new/results.json --names old new --out comparison
"""


def add_report_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'report', help='write the report of a run, or compare runs', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('results', metavar='RESULTS.json', nargs='+', help='the runs; the first is compared with')
    parser.add_argument('--out', metavar='DIR', required=True, help='the folder for the report; made if need be')
    parser.add_argument('--names', metavar='NAME', nargs='+', help='what to call the runs (default: from their paths)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Read, compare and write."""
    if args.names and len(args.names) != len(args.results):
        raise InputError(f'--names: {len(args.names)} names for {len(args.results)} runs: give one for each')
    runs = read_runs(args.results)
    if args.names:
        runs = [Run(name, run.evaluation) for name, run in zip(args.names, runs, strict=True)]
    print(f'Report: {write_report(runs, args.out)}')
