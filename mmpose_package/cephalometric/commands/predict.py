"""``predict``: landmarks of ordinary X-rays."""

import argparse

DESCRIPTION = """Find the landmarks of X-rays: PNG, JPEG, TIFF, BMP, MetaImage (.mha, .mhd) and DICOM files, folders and
globs of them. OUT receives landmarks.csv, measurements.csv, predictions.json and overlays/. Coordinates are pixels of
the X-ray as it lies; millimetres follow from the spacing of the file or of --spacing, and are left out without one.
A file that cannot be read is reported and the others go on; the exit status is then 1. For research; not a medical
device."""


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser('predict', help='find the landmarks of X-rays', description=DESCRIPTION)
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='a file, a folder or a glob')
    add_model_arguments(parser)
    parser.add_argument('--out', required=True, metavar='DIR', help='the folder for the results; made if need be')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in OUT')
    parser.add_argument('--spacing', type=float, metavar='MM', help="mm per pixel, used before the files' own")
    parser.add_argument(
        '--flag-mm',
        type=float,
        default=3.0,
        metavar='MM',
        help='flag landmarks whose expected error is beyond this (default: 3)',
    )
    parser.add_argument('--batch-size', type=int, default=4, metavar='N', help='X-rays in one pass (default: 4)')
    parser.add_argument('--upright', action='store_true', help='trust that no film is mirrored, turned or inverted')
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures')
    parser.set_defaults(run=run)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that say what predicts."""
    parser.add_argument('--config', required=True, help='the recipe that the weights were trained with')
    parser.add_argument(
        '--checkpoint', required=True, nargs='+', metavar='PTH', help='weights; several are used as an ensemble'
    )
    parser.add_argument(
        '--backend',
        choices=['torch', 'onnxruntime'],
        default='torch',
        help='what computes; with onnxruntime, PTH is the export.json of export (default: torch)',
    )
    parser.add_argument('--landmarks', metavar='SET', help="landmark set, by name or .json (default: the config's)")
    parser.add_argument('--cuda_id', type=int, default=0, help='which GPU (default: 0; the CPU where there is none)')


def run(args: argparse.Namespace) -> int:
    """Predict; the exit status is 1 when a file could not be read."""
    from cephalometric.commands.predicting import PredictionRun

    return PredictionRun(args).run()
