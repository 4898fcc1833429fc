"""A predictor against the ground truth of a COCO file."""

import numpy as np
from mmengine.dist import collect_results, get_rank, get_world_size
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImages
from cephalometric.formats.images import read_image
from cephalometric.formats.results import Evaluation
from cephalometric.prediction.predictor import CephalometricPredictor


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
