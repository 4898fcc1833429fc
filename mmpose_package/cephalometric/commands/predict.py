"""``predict``: X-rays into landmarks, measurements and pictures."""

import argparse
import os
import re
import sys
from pathlib import Path

from tqdm import tqdm

from cephalometric.api import FLAG_MM, Model
from cephalometric.commands import add_model_arguments, device_of, example
from cephalometric.commands.film_run import FilmRun, Inputs, ended_by_sigterm
from cephalometric.commands.film_work import FilmOptions, ModelChoice
from cephalometric.commands.number_flags import number, whole_number
from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.output_folder import OutputFolder, begun_stage, output_folder
from cephalometric.parallel import usable_cores
from cephalometric.prediction.calibration import FEW_IMAGES
from cephalometric.prediction.model_folder import DEFAULT
from cephalometric.reporting.result_files import OUTPUTS, PREDICTIONS
from cephalometric.results.run_journal import JOURNAL, check_same_run
from cephalometric.results.stored_xrays import read_predictions
from cephalometric.xrays.frames import check_spacing
from cephalometric.xrays.reading import find_files, subfolders_of

DESCRIPTION = """Find the landmarks of X-rays: PNG, JPEG, TIFF, BMP, MetaImage (.mha, .mhd) and DICOM files, folders and
globs of them. OUT receives report.html, landmarks.csv, measurements.csv, predictions.json and overlays/. Coordinates
are pixels of the X-ray as it lies; millimetres follow from the spacing of the file or of --spacing, and are left out
without one. A file that cannot be read is reported and the others go on; the exit status is then 1. The results appear
at the end, all together; a run that was interrupted goes on with --resume. For research; not a medical device."""
EXAMPLE = """
  cephalometric predict film.jpg --spacing 0.1
  cephalometric predict scans/ film.dcm --model work_dirs/mine --out results
  cephalometric predict archive --recursive --out results --resume
  cephalometric predict archive --recursive --out part3 --shard 3/16
"""


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'predict', help='find the landmarks of X-rays', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='a file, a folder or a glob')
    parser.add_argument('--out', default='results', metavar='DIR', help='the folder for the results [%(default)s]')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in OUT')
    parser.add_argument('--resume', action='store_true', help='go on with an interrupted run, if there is one')
    parser.add_argument(
        '--shard',
        type=shard,
        metavar='K/N',
        help='predict the K-th of N parts alone, which "merge" joins, such as 3/16',
    )
    parser.add_argument(
        '--workers',
        type=whole_number('--workers', 1),
        metavar='N',
        help='X-rays at once, each on a core [as many as there are cores]',
    )
    add_model_arguments(parser, default=DEFAULT)
    parser.add_argument(
        '--spacing',
        type=number('--spacing', 'of mm per pixel'),
        metavar='MM',
        help="mm per pixel, used before the files' own",
    )
    parser.add_argument(
        '--flag-mm',
        type=number('--flag-mm', 'in mm'),
        default=FLAG_MM,
        metavar='MM',
        help='flag landmarks whose expected error is beyond this [%(default)g]',
    )
    parser.add_argument('--recursive', action='store_true', help='look into the subfolders of folders too')
    parser.add_argument(
        '--batch-size',
        type=whole_number('--batch-size', 1),
        default=4,
        metavar='N',
        help='X-rays in one pass on a GPU; on a CPU each has its own [%(default)s]',
    )
    parser.add_argument('--upright', action='store_true', help='trust that no X-ray is mirrored, turned or inverted')
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures into overlays')
    parser.add_argument(
        '--overlay-format',
        choices=['jpg', 'png'],
        default='jpg',
        help='jpg: about 1200 pixels high; png: of full size, which takes several times as long [%(default)s]',
    )
    parser.add_argument(
        '--no-page', action='store_true', help='write no report.html, which holds the X-rays made smaller'
    )
    parser.set_defaults(run=run)


def shard(text: str) -> tuple[int, int]:
    """The flag ``--shard``: which part, from 1, and of how many."""
    match = re.fullmatch(r'([0-9]+)/([0-9]+)', text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f'--shard {text}: say which part of how many, such as 3/16')
    return int(match[1]), int(match[2])


def run(args: argparse.Namespace) -> int:
    """Predict and write everything; the exit status is 1 when a file could not be read."""
    check_spacing(args.spacing)
    out = Path(args.out)
    paths = find_files(args.inputs, recursive=args.recursive)
    left_out = [] if args.recursive else subfolders_of(args.inputs)
    if left_out:
        names = ', '.join(map(str, left_out[:3])) + (', ...' if len(left_out) > 3 else '')
        _say(f'note: subfolders are not looked into ({names}): --recursive does')
    _check_inputs(out, paths)
    inputs = Inputs(paths, args.shard)
    choice = ModelChoice(tuple(args.model), args.calibration, args.backend, device_of(args.backend, args.cuda_id))
    if args.resume and (out / PREDICTIONS).exists() and begun_stage(out, JOURNAL) is None:
        return _finished(out, facts_of(args, choice.load(), inputs))
    with (
        ended_by_sigterm(),
        output_folder(out, OUTPUTS, args.overwrite, journal=JOURNAL, resume=args.resume) as output,
    ):
        return _predict(args, choice, inputs, output)


def _predict(args: argparse.Namespace, choice: ModelChoice, inputs: Inputs, output: OutputFolder) -> int:
    model = choice.load()
    if model.calibration is None:
        _say('warning: the model has no calibration: expected errors are not known, and landmarks not assessed')
    elif model.calibration.images < FEW_IMAGES:
        _say(f'warning: expected errors rest on {model.calibration.images} X-rays alone, and are rough')
    options = FilmOptions(
        overlays=None if args.no_overlay else output.stage / 'overlays',
        overlay_format=args.overlay_format,
        page=not args.no_page,
        spacing_mm=args.spacing,
        upright=args.upright,
        flag_mm=args.flag_mm,
    )
    films = FilmRun(model, options, inputs, output, facts_of(args, model, inputs), _say)
    try:
        films.predict(choice, args.workers or usable_cores(), args.batch_size)
    except KeyboardInterrupt:
        films.publish(complete=False)
        _say(f'{output.folder} holds what was done so far, and says that it is not complete; --resume goes on')
        raise
    films.publish(complete=True)
    print(f'{films.results.summary()}: {output.folder}')
    if films.failed:
        print(f'{len(films.failed)} files could not be read: see above and {PREDICTIONS}')
    return 1 if films.failed else 0


def facts_of(args: argparse.Namespace, model: Model, inputs: Inputs) -> dict:
    """What must be the same for a run to be gone on with or joined with another, of plain types."""
    about = model.about()
    return {
        'inputs': inputs.checksum,
        'files': len(inputs.paths),
        'shard': args.shard and list(args.shard),
        'weights_ids': about['weights_ids'],
        'calibration': model.calibration_id[:16],
        'cephalometric': about['cephalometric'],
        '--backend': args.backend,
        '--cuda_id': args.cuda_id,
        '--spacing': args.spacing,
        '--flag-mm': args.flag_mm,
        '--upright': args.upright,
        '--no-overlay': args.no_overlay,
        '--overlay-format': args.overlay_format,
        '--no-page': args.no_page,
    }


def _finished(out: Path, facts: dict) -> int:
    """What --resume says of a run that has come to its end."""
    found = read_predictions(out / PREDICTIONS, checked=False)
    check_same_run(out, found.run, facts)
    if not found.complete:
        raise InputError(f'{out} is not complete, and what it goes on by is gone: begin anew by --overwrite')
    print(f'{out} is complete already: {len(found.xrays)} X-rays')
    return 1 if found.failed else 0


def _check_inputs(out: Path, paths: list[str]) -> None:
    if not os.path.isdir(out / 'overlays'):  # Unlike pathlib's, it knows names that cannot be.
        return
    overlays = (out / 'overlays').resolve()
    inside = next((path for path in paths if overlays in Path(path).resolve().parents), None)
    if inside is not None:
        raise InputError(f'{inside} lies where the overlays go and might be overwritten: name another --out')


def _say(message: str) -> None:
    tqdm.write(printable(message), file=sys.stderr)
