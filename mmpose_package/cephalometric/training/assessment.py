"""A predictor against the ground truth of a COCO file.

Weights against labelled X-rays, with all that a report has to know about the run.

The training curves are those of the first checkpoint, from the ``curves.csv`` beside it.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dist import barrier, collect_results, get_rank, get_world_size
from tqdm import tqdm

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.installation import versions
from cephalometric.prediction.calibration import load_calibration
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.reporting.training_curves import read_curves
from cephalometric.results.evaluation import Evaluation, Provenance
from cephalometric.xrays.pictures import read_image


def evaluate(predictor: CephalometricPredictor, labelled: LabelledImages) -> Evaluation | None:
    """Predict every image of a COCO file; in a distributed run, each process takes its share.

    Returns:
        The evaluation, in the order of the file; None in all processes but the first.

    Raises:
        InputError: The landmarks of file and predictor differ, or an image cannot be read.
    """
    if labelled.abbreviations != predictor.landmarks.abbreviations:
        raise InputError(
            f'{labelled.path} has the {len(labelled.abbreviations)} landmarks of {labelled.landmark_set!r}, the config '
            f'the {len(predictor.landmarks)} of {predictor.landmarks.name!r}: '
            f'say --landmarks {labelled.landmark_set}, or the path of its .json table'
        )
    share = labelled.images[get_rank() :: get_world_size()]
    results = []
    for image in tqdm(share, desc='Testing', unit='image', disable=get_rank() > 0):
        prediction = predictor.predict(read_image(labelled, image))
        spread_px = np.zeros_like(prediction.scores) if prediction.spread_px is None else prediction.spread_px
        results.append((prediction.points_px, prediction.scores, spread_px * image.spacing_mm))
    results = collect_results(results, len(labelled), device='cpu')
    if results is None:
        return None
    points_px, scores, spread_mm = (np.stack(part) for part in zip(*results, strict=True))
    return Evaluation(
        predictor.landmarks,
        labelled.images,
        points_px,
        scores,
        spread_mm=spread_mm if len(predictor.models) > 1 else None,
        image_folder=labelled.path.parent.resolve(),
    )


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
        InputError: As :func:`cephalometric.training.assessment.evaluate`, or a checkpoint is unusable.
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
