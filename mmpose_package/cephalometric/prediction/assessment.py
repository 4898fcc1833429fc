"""Weights against labelled X-rays, with all that a report has to know about the run.

The training curves are those of the first checkpoint, from the ``curves.csv`` beside it.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import barrier

from cephalometric.formats.checksum import sha256
from cephalometric.formats.coco import load_coco
from cephalometric.formats.results import Evaluation, Provenance
from cephalometric.installation import versions
from cephalometric.prediction.confidence import load_calibration
from cephalometric.prediction.evaluation import evaluate
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.reporting.curves import read_curves


def assess(
    config: Config, checkpoints: Sequence[str | Path], annotation_file: str | Path, device: str
) -> Evaluation | None:
    """Predict the images of a COCO file and note what was run.

    Args:
        config: As :func:`cephalometric.training.config.load_config` returns it.
        checkpoints: The weights; several are an ensemble.
        annotation_file: The COCO file.
        device: As :func:`cephalometric.prediction.predictor.choose_device` returns it.

    Returns:
        The evaluation; None in all processes but the first of a distributed run.

    Raises:
        InputError: As :func:`cephalometric.prediction.evaluation.evaluate`, or a checkpoint is unusable.
    """
    barrier()  # In a distributed training, the first process may still be writing the weights.
    labelled = load_coco(annotation_file)
    evaluation = evaluate(CephalometricPredictor(config, checkpoints, device), labelled)
    if evaluation is None:
        return None
    return replace(evaluation, provenance=_provenance(config, checkpoints, labelled.path, device))


def with_expected_errors(evaluation: Evaluation, checkpoints: Sequence[str | Path]) -> Evaluation:
    """The evaluation with the errors that the model expected, where a calibration lies beside its weights.

    Raises:
        InputError: The calibration is damaged, or belongs to other weights.
    """
    calibration = load_calibration(checkpoints, evaluation.landmarks)
    if calibration is None:
        return evaluation
    expected_mm = calibration.expected_error_mm(evaluation.landmark_scores, evaluation.spread_mm)
    return replace(evaluation, expected_errors_mm=expected_mm)


def _provenance(config: Config, checkpoints: Sequence[str | Path], annotation_file: Path, device: str) -> Provenance:
    return Provenance(
        created=datetime.now().astimezone().isoformat(timespec='seconds'),
        command=shlex.join(['python', *sys.argv]),
        config_name=str(config.filename),
        config_text=config.pretty_text,
        weights_sha256={str(checkpoint): sha256(checkpoint) for checkpoint in checkpoints},
        annotation_file=str(annotation_file),
        image_counts=_image_counts(config, annotation_file),
        versions={name: version for name, version in versions() if version != 'not installed'},
        device=device,
        training_curves=read_curves(Path(checkpoints[0]).with_name('curves.csv')),
    )


def _image_counts(config: Config, annotation_file: Path) -> Mapping[str, int]:
    """The images of the training, validation and tested files that are there."""
    loaders = [config.get(f'{part}_dataloader') for part in ('train', 'val')]
    paths = [Path(config.data_root) / loader.dataset.ann_file for loader in loaders if loader]
    return {str(path): len(load_coco(path)) for path in dict.fromkeys([*paths, annotation_file]) if path.is_file()}
