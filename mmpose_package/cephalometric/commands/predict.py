"""``predict``: X-rays into landmarks, measurements and pictures."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from cephalometric.api import FLAG_MM, Model, Result, Xray, load_model, read_xrays
from cephalometric.commands import add_model_arguments, device_of, example
from cephalometric.commands.number_flags import number, whole_number
from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.output_folder import OutputFolder, output_folder
from cephalometric.prediction.calibration import FEW_IMAGES
from cephalometric.prediction.model_folder import DEFAULT
from cephalometric.reporting.film_page import FilmPages
from cephalometric.reporting.tables import write_landmarks, write_measurements
from cephalometric.results.predictions import Predictions, write_predictions
from cephalometric.xrays.frames import check_spacing
from cephalometric.xrays.reading import find_xrays, name_xrays, subfolders_of

DESCRIPTION = """Find the landmarks of X-rays: PNG, JPEG, TIFF, BMP, MetaImage (.mha, .mhd) and DICOM files, folders and
globs of them. OUT receives report.html, landmarks.csv, measurements.csv, predictions.json and overlays/. Coordinates
are pixels of the X-ray as it lies; millimetres follow from the spacing of the file or of --spacing, and are left out
without one. A file that cannot be read is reported and the others go on; the exit status is then 1. The results appear
at the end, all together. For research; not a medical device."""
EXAMPLE = """
  cephalometric predict film.jpg --spacing 0.1
  cephalometric predict scans/ film.dcm --model work_dirs/mine --out results
"""
OUTPUTS = ('report.html', 'landmarks.csv', 'measurements.csv', 'predictions.json', 'overlays')


def add_predict_command(commands: argparse._SubParsersAction) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        'predict', help='find the landmarks of X-rays', description=DESCRIPTION, **example(EXAMPLE)
    )
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='a file, a folder or a glob')
    parser.add_argument('--out', default='results', metavar='DIR', help='the folder for the results [%(default)s]')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in OUT')
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
        help='X-rays in one pass [%(default)s]',
    )
    parser.add_argument('--upright', action='store_true', help='trust that no X-ray is mirrored, turned or inverted')
    parser.add_argument('--no-overlay', action='store_true', help='draw no pictures into overlays')
    parser.add_argument(
        '--no-page', action='store_true', help='write no report.html, which holds the X-rays made smaller'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict and write everything; the exit status is 1 when a file could not be read."""
    check_spacing(args.spacing)
    out = Path(args.out)
    paths = find_xrays(args.inputs, recursive=args.recursive)
    left_out = [] if args.recursive else subfolders_of(args.inputs)
    if left_out:
        names = ', '.join(map(str, left_out[:3])) + (', ...' if len(left_out) > 3 else '')
        _say(f'note: subfolders are not looked into ({names}): --recursive does')
    _check_inputs(out, paths)
    with output_folder(out, OUTPUTS, args.overwrite) as output:
        model = load_model(
            *args.model,
            calibration=args.calibration,
            backend=args.backend,
            device=device_of(args.backend, args.cuda_id),
        )
        return PredictionRun(model, args, output, paths).run()


class PredictionRun:
    """What the flags ask for.

    Args:
        model: What predicts.
        args: The flags.
        output: The folder for the results.
        paths: The files.
    """

    def __init__(self, model: Model, args: argparse.Namespace, output: OutputFolder, paths: list[Path]) -> None:
        self.model, self.args, self.output, self.paths = model, args, output, paths
        self.results: list[Result] = []
        self.failed: dict[str, str] = {}
        self.read: Counter[str] = Counter()
        self.read_whole: set[str] = set()
        self.about = {**model.about(), 'flag_mm': args.flag_mm}
        self.page = None if args.no_page else FilmPages(output.stage, model.landmarks, _shown(self.about))

    def run(self) -> int:
        """Predict and write everything.

        Returns:
            1 when a file could not be read, else 0.
        """
        if self.model.calibration is None:
            _say('warning: the model has no calibration: expected errors are not known, and landmarks not assessed')
        elif self.model.calibration.images < FEW_IMAGES:
            _say(f'warning: expected errors rest on {self.model.calibration.images} X-rays alone, and are rough')
        try:
            for batch in _batches(self._read(), self.args.batch_size):
                for result in self.model.predict_batch(batch, upright=self.args.upright, flag_mm=self.args.flag_mm):
                    self._keep(result)
        except KeyboardInterrupt:
            self._publish(complete=False)
            _say(f'{self.output.folder} holds what was done so far, and says that it is not complete')
            raise
        self._publish(complete=True)
        print(f'{summary(self.results)}: {self.output.folder}')
        if self.failed:
            print(f'{len(self.failed)} files could not be read: see above and predictions.json')
        return 1 if self.failed else 0

    def _read(self) -> Iterator[Xray]:
        """All X-rays of all files. A file that cannot be read is noted, and costs the others nothing."""
        files = list(zip(self.paths, name_xrays(self.paths), strict=True))
        for path, name in tqdm(files, desc='Predicting', unit='file'):
            try:
                for xray in read_xrays(path, self.args.spacing, name):
                    self.read[str(path)] += 1
                    yield xray
                self.read_whole.add(str(path))
            except InputError as error:
                self.failed[str(path)] = str(error)
                _say(f'error: {error}')

    def _keep(self, result: Result) -> None:
        for warning in result.warnings:
            _say(f'warning: {result.name}: {warning}')
        if not self.args.no_overlay:
            overlays = self.output.stage / 'overlays'
            overlays.mkdir(exist_ok=True)
            result.draw(overlays / f'{result.name}.png')
        self.results.append(result.without_image())
        if self.page:
            self.page.add(result.without_image(), result.image)

    def _publish(self, complete: bool) -> None:
        stage = self.output.stage
        if not complete:
            kept = Counter(result.file for result in self.results)
            done = {file for file in self.read_whole if kept[file] == self.read[file]} | self.failed.keys()
            left = [str(path) for path in self.paths if str(path) not in done]
            names = {result.name for result in self.results}
            for path in (stage / 'overlays').glob('*.png'):
                if path.stem not in names:
                    path.unlink()
            self.failed |= dict.fromkeys(left, 'not predicted, or not all of it: the run was interrupted')
        predictions = Predictions(self.model.landmarks, tuple(self.results), self.failed, self.about, complete=complete)
        if self.page:
            self.page.finish(self.failed)
        write_landmarks(stage / 'landmarks.csv', predictions)
        write_measurements(stage / 'measurements.csv', self.results, self.model.measurements)
        write_predictions(stage / 'predictions.json', predictions)
        self.output.publish(last='predictions.json', complete=complete)


def summary(results: list[Result]) -> str:
    """How many X-rays, landmarks, flags and doubts there are, in one line."""
    parts = [f'{len(results)} X-rays']
    if results:
        parts[0] += f' with {len(results[0].points_px)} landmarks each'
    assessed = [result.flagged for result in results if result.flagged is not None]
    parts.append(f'{sum(int(flags.sum()) for flags in assessed)} landmarks flagged' if assessed else 'not assessed')
    if doubtful := sum(result.doubtful for result in results):
        parts.append(f'{doubtful} X-rays doubtful: see the warnings')
    if assessed and len(assessed) < len(results):
        parts.append(f'{len(results) - len(assessed)} X-rays not assessed')
    return ', '.join(parts)


def _shown(about: dict) -> dict[str, str]:
    """What predicted, as the head of the page says it."""
    return {
        'model': ', '.join(about['names']),
        'cephalometric': about['cephalometric'],
        'date': datetime.now().strftime('%Y-%m-%d'),
        'flagged beyond': f'{about["flag_mm"]:g} mm',
    }


def _check_inputs(out: Path, paths: list[Path]) -> None:
    overlays = (out / 'overlays').resolve()
    inside = [path for path in paths if overlays in path.resolve().parents]
    if inside:
        raise InputError(f'{inside[0]} lies where the overlays go and might be overwritten: name another --out')


def _batches(xrays: Iterator[Xray], size: int) -> Iterator[list[Xray]]:
    batch = []
    for xray in xrays:
        batch.append(xray)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _say(message: str) -> None:
    tqdm.write(printable(message), file=sys.stderr)
