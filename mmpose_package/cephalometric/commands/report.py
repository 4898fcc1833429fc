"""``report``: evaluated runs as one page, alone or side by side."""

import argparse
from dataclasses import replace
from pathlib import Path

from cephalometric.annotations.coco import load_coco
from cephalometric.api import load_model
from cephalometric.commands import add_model_arguments, device_of, example
from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.output_folder import output_folder
from cephalometric.prediction.data_sets import evaluate, provenance_of
from cephalometric.reporting.report_page import PAGE, RESULTS, report_evaluation, write_report
from cephalometric.reporting.runs import Run, read_runs
from cephalometric.reporting.training_curves import read_curves

DESCRIPTION = """Write report.html, its figures (PNG) and its tables (CSV) from results files, as steps 3 and 4 write
them (results.json in their report folders, or --dump). Several runs are compared over the images that all of them have,
each with the first; nothing is predicted again. With --model, FILE is a file of labelled X-rays, such as step 2's
test.json: they are predicted, compared with their labels and reported, as in step 4. For research; not a medical
device."""
EXAMPLE = """
  cephalometric report work_dirs/mine/report_test/results.json --out report
  cephalometric report old/results.json new/results.json --names old new --out comparison
  cephalometric report data/cephalometric/test.json --model work_dirs/mine --out report
"""


def add_report_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'report', help='write the report of a run, or compare runs', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('files', metavar='FILE', nargs='+', help='results of runs; the first is compared with')
    parser.add_argument('--out', metavar='DIR', required=True, help='the folder for the report; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace an earlier report in OUT')
    parser.add_argument('--names', metavar='NAME', nargs='+', help='what to call the runs (default: from their paths)')
    add_model_arguments(parser, required=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Read or predict, compare and write."""
    if args.model and (len(args.files) > 1 or args.names):
        raise InputError('--model goes with one file of labelled X-rays, and without --names')
    if args.names and len(args.names) != len(args.files):
        raise InputError(f'--names: {len(args.names)} names for {len(args.files)} runs: give one for each')
    with output_folder(args.out, (PAGE, RESULTS), args.overwrite) as output:
        (report_model if args.model else report_runs)(args, output.stage)
        output.publish(last=PAGE)
    print(f'Report: {Path(args.out) / PAGE}')


def report_runs(args: argparse.Namespace, folder: Path) -> None:
    """Write the report of runs that are evaluated already."""
    runs = read_runs(args.files)
    if args.names:
        runs = [Run(printable(name), run.evaluation) for name, run in zip(args.names, runs, strict=True)]
    write_report(runs, folder)


def report_model(args: argparse.Namespace, folder: Path) -> None:
    """Predict labelled X-rays, and write the report."""
    device = device_of(args.backend, args.cuda_id)
    model = load_model(*args.model, calibration=args.calibration, backend=args.backend, device=device)
    labelled = load_coco(args.files[0], model.landmarks)
    curves = read_curves(model.folders[0].parent / 'curves.csv')
    evaluation = replace(evaluate(model, labelled), provenance=provenance_of(model, labelled, device, curves))
    report_evaluation(evaluation, folder)
