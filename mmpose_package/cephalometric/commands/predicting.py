"""A run of ``predict``: X-rays in batches through the predictor, into tables and pictures."""

import argparse
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.measurements import measure, measurements_for
from cephalometric.prediction.calibration import Calibration, calibration_path, load_calibration
from cephalometric.prediction.orientation import UPRIGHT, USUAL_SCORE, Orientation, is_unsure, predict_any_way
from cephalometric.prediction.predictor import CephalometricPredictor, Prediction, choose_device
from cephalometric.reporting.drawing import draw_prediction, save_picture
from cephalometric.reporting.marks import to_bgr
from cephalometric.reporting.tables import write_landmarks, write_measurements
from cephalometric.results.predictions import PredictedXray, Predictions, write_predictions
from cephalometric.training.config import load_config
from cephalometric.xrays.reading import Xray, find_xrays, name_xrays, read_xrays
from cephalometric.xrays.spacing import check_spacing

OUTPUTS = ('landmarks.csv', 'measurements.csv', 'predictions.json', 'overlays')


class PredictionRun:
    """What the flags of ``predict`` ask for.

    Args:
        args: The flags, see :mod:`cephalometric.commands.predict`.

    Raises:
        InputError: A flag, the inputs, the config, the weights or the folder for the results cannot be used.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        _check_flags(args)
        self.args = args
        self.out = Path(args.out)
        self.paths = find_xrays(args.inputs)
        _check_output(self.out, args.overwrite, self.paths)
        config = load_config(args.config, landmark_set=args.landmarks)
        self.predictor = load_predictor(args, config)
        self.landmarks = self.predictor.landmarks
        self.calibration = load_calibration(args.checkpoint, self.landmarks)
        self.usual_score = USUAL_SCORE if self.calibration is None else self.calibration.usual_score
        self.measurements = measurements_for(self.landmarks)
        self.xrays: list[PredictedXray] = []
        self.failed: dict[str, str] = {}

    def run(self) -> int:
        """Predict and write everything.

        Returns:
            1 when a file could not be read, else 0.
        """
        if self.calibration is None:
            missing = calibration_path(self.args.checkpoint)
            _say(f'warning: there is no {missing}: expected errors are not known, and nothing is flagged')
        (self.out if self.args.no_overlay else self.out / 'overlays').mkdir(parents=True, exist_ok=True)
        try:
            for batch in _batches(self._read(), self.args.batch_size):
                for xray, (prediction, orientation) in zip(batch, self._predict(batch), strict=True):
                    self._keep(xray, prediction, orientation)
        finally:  # Also what an interrupted run has done so far.
            self._write_tables()
        self._summarise()
        return 1 if self.failed else 0

    def _read(self) -> Iterator[Xray]:
        """All X-rays of all files. A file that cannot be read is noted, and costs the others nothing."""
        files = list(zip(self.paths, name_xrays(self.paths), strict=True))
        for path, name in tqdm(files, desc='Predicting', unit='file'):
            try:
                yield from read_xrays(path, self.args.spacing, name)
            except InputError as error:
                self.failed[str(path)] = str(error)
                _say(f'error: {error}')

    def _predict(self, batch: list[Xray]) -> list[tuple[Prediction, Orientation]]:
        images = [xray.image for xray in batch]
        if self.args.upright:
            return [(prediction, UPRIGHT) for prediction in self.predictor.predict_batch(images)]
        return predict_any_way(self.predictor, images, self.usual_score)

    def _keep(self, xray: Xray, prediction: Prediction, orientation: Orientation) -> None:
        height, width = xray.image.shape[:2]
        expected_mm = _expected_errors_mm(self.calibration, prediction, xray.spacing_mm)
        warnings = (*xray.warnings, *_doubts(prediction, orientation, self.usual_score))
        predicted = PredictedXray(
            name=xray.name,
            file=str(xray.path),
            slice=xray.slice,
            width=width,
            height=height,
            spacing_mm=xray.spacing_mm,
            orientation=orientation,
            points_px=prediction.points_px,
            scores=prediction.scores,
            expected_errors_mm=expected_mm,
            flagged=None if expected_mm is None else expected_mm > self.args.flag_mm,
            warnings=warnings,
            measurements=measure(prediction.points_px, self.landmarks, xray.spacing_mm, self.measurements),
        )
        self.xrays.append(predicted)
        for warning in warnings:
            _say(f'warning: {xray.name}: {warning}')
        if not self.args.no_overlay:
            picture = draw_prediction(to_bgr(xray.image), self.landmarks, predicted)
            save_picture(picture, self.out / 'overlays' / f'{xray.name}.png')

    def _write_tables(self) -> None:
        model = {
            'config': Path(self.args.config).name,
            'weights_sha256': [sha256(checkpoint) for checkpoint in self.args.checkpoint],
            'cephalometric': version('cephalometric'),
            'flag_mm': self.args.flag_mm,
        }
        predictions = Predictions(self.landmarks, tuple(self.xrays), self.failed, model)
        write_landmarks(self.out / 'landmarks.csv', predictions)
        write_measurements(self.out / 'measurements.csv', self.xrays, self.measurements)
        write_predictions(self.out / 'predictions.json', predictions)

    def _summarise(self) -> None:
        flagged = sum(int(xray.flagged.sum()) for xray in self.xrays if xray.flagged is not None)
        landmarks = f'{len(self.xrays)} X-rays with {len(self.landmarks)} landmarks each, {flagged} of them flagged'
        print(f'{landmarks}: {self.out}')
        if self.failed:
            print(f'{len(self.failed)} files could not be read: see above and predictions.json')


def load_predictor(args: argparse.Namespace, config: object) -> CephalometricPredictor:
    """The predictor that the flags name; several checkpoints are an ensemble."""
    return CephalometricPredictor(config, args.checkpoint, choose_device(args.cuda_id), args.backend)


def _check_flags(args: argparse.Namespace) -> None:
    check_spacing(args.spacing)
    if args.batch_size < 1:
        raise InputError(f'--batch-size {args.batch_size}: give 1 or more')
    if not args.flag_mm > 0:
        raise InputError(f'--flag-mm {args.flag_mm:g}: give a number of millimetres above 0')


def _check_output(out: Path, overwrite: bool, paths: list[Path]) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f'--out {out} is a file: name a folder')
    found = [name for name in OUTPUTS if (out / name).exists()]
    if found and not overwrite:
        raise InputError(f'{out} holds {found[0]} already: name another --out, or replace the results by --overwrite')
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


def _expected_errors_mm(
    calibration: Calibration | None, prediction: Prediction, spacing_mm: float | None
) -> np.ndarray | None:
    if calibration is None:
        return None
    known = prediction.spread_px is not None and spacing_mm is not None
    spread_mm = prediction.spread_px * spacing_mm if known else None
    return calibration.expected_error_mm(prediction.scores, spread_mm)


def _doubts(prediction: Prediction, orientation: Orientation, usual_score: float) -> list[str]:
    doubts = []
    if orientation.turned:
        doubts.append(f'taken as a film that is {orientation}; coordinates are those of the file as it is')
    if prediction.blank:
        doubts.append('it is blank: its landmarks are put at its centre')
    elif is_unsure(prediction, usual_score):
        doubts.append(
            'the model is far less sure than usual: check that it shows a whole head from the side, facing right'
        )
    return doubts


def _say(message: str) -> None:
    tqdm.write(message, file=sys.stderr)
