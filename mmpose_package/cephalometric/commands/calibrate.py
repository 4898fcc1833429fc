"""``calibrate``: learn what a model's scores are worth."""

import argparse

from cephalometric.commands.predict import add_model_arguments

DESCRIPTION = """Learn what errors a model's scores stand for, from labelled X-rays that it was not trained on, and
write the calibration beside the (first) weights, where predict finds it. Training does this at its end; this command
does it for an ensemble, for weights from elsewhere, or on X-rays of one's own machine."""


def add_calibrate_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'calibrate', help='learn expected errors from validation images', description=DESCRIPTION
    )
    parser.add_argument('annotations', metavar='JSON', help="labelled X-rays, such as step 2's valid.json")
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Evaluate, fit and write."""
    from cephalometric.annotations.coco import load_coco
    from cephalometric.commands.predicting import load_predictor
    from cephalometric.prediction.calibration import calibrate, save_calibration
    from cephalometric.training.assessment import evaluate
    from cephalometric.training.config import load_config

    labelled = load_coco(args.annotations)
    predictor = load_predictor(args, load_config(args.config, landmark_set=args.landmarks))
    calibration = calibrate(evaluate(predictor, labelled))
    path = save_calibration(calibration, args.checkpoint)
    if calibration.held_out is not None:
        print('On images left out of the fit, from the surest tenth of the landmarks to the least sure:')
        print('expected mm  ' + '  '.join(f'{value:5.2f}' for value in calibration.held_out.expected_mm))
        print('observed mm  ' + '  '.join(f'{value:5.2f}' for value in calibration.held_out.observed_mm))
    print(f'Calibration by {calibration.images} X-rays: {path}')
