"""A model against the ground truth of a COCO file."""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from cephalometric.annotations.coco import LabelledImages, read_image
from cephalometric.errors import InputError
from cephalometric.prediction.trained_model import Answer, TrainedModel
from cephalometric.results.evaluation import Evaluation


def answer_labelled(model: TrainedModel, labelled: LabelledImages, rank: int = 0, processes: int = 1) -> list[Answer]:
    """Predict the images of a COCO file, or the share of one of several processes.

    Raises:
        InputError: The landmarks of file and model differ, or an image cannot be read.
    """
    if labelled.abbreviations != model.landmarks.abbreviations:
        raise InputError(
            f'{labelled.path} has the {len(labelled.abbreviations)} landmarks of {labelled.landmark_set!r}, the model '
            f'finds the {len(model.landmarks)} of {model.landmarks.name!r}: give a model of the same landmarks, or say '
            f'--landmarks {labelled.landmark_set} where the model is given by config and checkpoint'
        )
    share = labelled.images[rank::processes]
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
