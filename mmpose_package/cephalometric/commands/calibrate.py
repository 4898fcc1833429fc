"""``calibrate``: learn what a model's scores are worth."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from cephalometric.annotations.coco import load_coco
from cephalometric.api import Model, load_model
from cephalometric.commands import add_model_arguments, device_of, example
from cephalometric.errors import InputError
from cephalometric.files import check_place
from cephalometric.prediction.calibration import FEW_IMAGES, calibrate, save_calibration
from cephalometric.prediction.data_sets import evaluate
from cephalometric.prediction.model_folder import CALIBRATION
from cephalometric.results.evaluation import Evaluation, join_evaluations, read_results

DESCRIPTION = """Learn what errors a model's scores stand for, from labelled X-rays that it was not trained on. Training
does this at its end; this command does it for an ensemble, for a model that was trained on everything, or on X-rays of
one's own machine. A model that was trained on everything gets it from a cross-validation of the same recipe: give the
results of its folds, in which each X-ray was predicted by a model that had not seen it. The calibration goes into the
model's folder, where predict finds it, or to --out, from where predict --calibration takes it; that of an ensemble must
be given an --out."""
EXAMPLE = """
  cephalometric calibrate data/cephalometric/valid.json --model work_dirs/mine
  cephalometric calibrate --results work_dirs/fold?/report_valid/results.json --model work_dirs/all
  cephalometric calibrate data/cephalometric/valid.json --model work_dirs/fold? --out ensemble.calibration.json
"""


def add_calibrate_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'calibrate', help='learn expected errors from labelled X-rays', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument(
        'annotations', metavar='JSON', nargs='*', help="labelled X-rays to predict, such as step 2's valid.json"
    )
    parser.add_argument('--results', metavar='JSON', nargs='+', help='or the results of models that have not seen them')
    add_model_arguments(parser)
    parser.add_argument('--out', metavar='JSON', help="where to write [calibration.json in the model's folder]")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Evaluate, fit and write."""
    if bool(args.annotations) == bool(args.results):
        raise InputError('say what to learn from: labelled X-rays, or --results, but not both')
    if len(args.model) > 1 and not args.out:
        raise InputError("the calibration of an ensemble belongs in no member's folder: say where it goes with --out")
    if args.calibration:
        raise InputError('--calibration is what this command makes: leave it out')
    # What is to be made anew must not stand in the way: that in the folder may be of other weights.
    model = load_model(
        *args.model, calibration=False, backend=args.backend, device=device_of(args.backend, args.cuda_id)
    )
    path = Path(args.out or model.folders[0] / CALIBRATION)
    check_place(path)
    evaluation = join_evaluations(_evaluations(args, model))
    if evaluation.landmarks.abbreviations != model.landmarks.abbreviations:
        raise InputError(
            f'{args.results[0]} has the landmarks of {evaluation.landmarks.name!r}, the model finds those of '
            f'{model.landmarks.name!r}: give results of the same landmarks'
        )
    calibration = calibrate(evaluation)
    save_calibration(calibration, path, model.weights_ids)
    if calibration.held_out is not None:
        print('On images left out of the fit, from the surest tenth of the landmarks to the least sure:')
        print('expected mm  ' + '  '.join(f'{value:5.2f}' for value in calibration.held_out.expected_mm))
        print('observed mm  ' + '  '.join(f'{value:5.2f}' for value in calibration.held_out.observed_mm))
    few = ', which is few: expected errors are rough' if calibration.images < FEW_IMAGES else ''
    print(f'Calibration by {calibration.images} X-rays{few}: {path}')


def _evaluations(args: argparse.Namespace, model: Model) -> Sequence[Evaluation]:
    if args.results:
        return [read_results(path) for path in args.results]
    return [evaluate(model, load_coco(path, model.landmarks)) for path in args.annotations]
