"""A model over a whole data set: the images of a COCO file, or the slices of a stack."""

import itertools
import json
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cephalometric.annotations.challenge_json import write_result
from cephalometric.annotations.coco import LabelledImages, read_image
from cephalometric.annotations.image_files import check_image_files
from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.installation import versions
from cephalometric.parallel import map_by_threads
from cephalometric.prediction.model_folder import CONFIG
from cephalometric.prediction.trained_model import Answer, TrainedModel
from cephalometric.results.evaluation import Evaluation, Provenance
from cephalometric.xrays.mha import Stack, open_stack


def answer_labelled(model: TrainedModel, labelled: LabelledImages, rank: int = 0, processes: int = 1) -> list[Answer]:
    """Predict the images of a COCO file, or the share of one of several processes.

    Raises:
        InputError: The landmarks of file and model differ, images are not those that were labelled, or none is.
    """
    if not any(image.visible.any() for image in labelled.images):
        raise InputError(f'{labelled.path}: none of its {len(labelled)} images has a labelled landmark')
    if labelled.abbreviations != model.landmarks.abbreviations:
        raise InputError(
            f'{labelled.path} has the {len(labelled.abbreviations)} landmarks of {labelled.landmark_set!r}, the model '
            f'finds the {len(model.landmarks)} of {model.landmarks.name!r}: give a model of the same landmarks, or say '
            f'--landmarks {labelled.landmark_set} where the model is given by config and checkpoint'
        )
    share = labelled.images[rank::processes]
    check_image_files([replace(labelled, images=share)])
    return [
        model.answers([read_image(labelled, image)], [image.spacing_mm])[0]
        for image in tqdm(share, desc='Testing', unit='image', disable=rank > 0)
    ]


def evaluation_of(model: TrainedModel, labelled: LabelledImages, answers: Sequence[Answer]) -> Evaluation:
    """The evaluation of the answers to all images of a COCO file, in the order of the file."""

    def stacked(name: str) -> np.ndarray | None:
        values = [getattr(answer, name) for answer in answers]
        return None if any(value is None for value in values) else np.stack(values)

    return Evaluation(
        model.landmarks,
        labelled.images,
        stacked('points_px'),
        stacked('scores'),
        expected_errors_mm=stacked('expected_error_mm'),
        spread_mm=stacked('spread_mm'),
        image_folder=labelled.path.parent.resolve(),
    )


def evaluate(model: TrainedModel, labelled: LabelledImages) -> Evaluation:
    """Predict every image of a COCO file and compare; errors as for :func:`answer_labelled`."""
    return evaluation_of(model, labelled, answer_labelled(model, labelled))


def provenance_of(
    model: TrainedModel, labelled: LabelledImages, device: str, training_curves: Sequence[Mapping[str, float]]
) -> Provenance:
    """What was run, for the reader of a report.

    Args:
        model: What predicted; recipe and training are those of its first member.
        labelled: What it was scored on.
        device: What computed.
        training_curves: As :func:`cephalometric.reporting.training_curves.read_curves` reads them.
    """
    first = model.descriptions[0].provenance
    return Provenance(
        created=datetime.now().astimezone().isoformat(timespec='seconds'),
        command=shlex.join(['python', *sys.argv]),
        config_name=str(first.get('recipe', model.folders[0].name)),
        config_text=json.dumps(read_json(model.folders[0] / CONFIG), indent=1),
        weights_sha256=dict(zip(model.names, model.weights_ids, strict=True)),
        annotation_file=str(labelled.path),
        image_counts={**first.get('images', {}), str(labelled.path): len(labelled)},
        versions={name: version for name, version in versions() if version != 'not installed'},
        device=device,
        training_curves=training_curves,
    )


def write_stack_prediction(
    model: TrainedModel, stack_path: str | Path, result_path: str | Path, with_scores: bool = False
) -> int:
    """Predict a stack, with a few slices in memory at a time, and write the challenge's JSON, whole or not at all.

    Args:
        model: The model, or an ensemble.
        stack_path: A stack, .mha or .mhd.
        result_path: The file to write.
        with_scores: Write the score of each landmark as its probability.

    Returns:
        How many slices there are.

    Raises:
        InputError: The stack is not readable, or the file cannot be written.
    """
    stack = open_stack(stack_path)
    for_points, for_scores = itertools.tee(answer_stack(model, stack))
    scores = (answer.scores for answer in for_scores) if with_scores else None
    write_result(result_path, (answer.points_px for answer in for_points), scores)
    return len(stack)


def answer_stack(model: TrainedModel, stack: Stack) -> Iterator[Answer]:
    """Predict slice by slice, several at once where cores are there, with a progress bar.

    A slice never costs the others: a blank one is answered with the image centre for every landmark. What a user should
    know about a slice is a warning.

    Yields:
        One answer a slice, in the order of the stack.
    """
    answers = map_by_threads(lambda image: model.answers([image], [None])[0], stack, model.at_once)
    # On stdout, because the challenge's platform shows whatever is on stderr as a warning.
    progress = tqdm(
        answers, total=len(stack), desc='Predicting', unit='slice', file=sys.stdout, **_style(sys.stdout.isatty())
    )
    for number, answer in enumerate(progress, start=1):
        for sentence in (*answer.remarks, *answer.doubts):
            warnings.warn(f'{stack.path}: slice {number}: {sentence}', stacklevel=2)
        yield answer


def _style(terminal: bool) -> dict:
    """In a log, a bar that redraws its line would show nothing until the end: a line now and then does."""
    line = '{desc}: {n_fmt}/{total_fmt} [{elapsed}<{remaining}]\n'
    return {} if terminal else {'mininterval': 10, 'bar_format': line}
