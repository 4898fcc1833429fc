"""A predictor against the ground truth of a COCO file."""

from dataclasses import dataclass

import numpy as np
from mmengine.dist import collect_results, get_rank, get_world_size
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImage, LabelledImages
from cephalometric.formats.images import read_image
from cephalometric.geometry import radial_error_mm
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.scores import Scores, score, score_per_landmark


@dataclass(frozen=True)
class Evaluation:
    """Predictions and errors of N X-rays with K landmarks.

    Attributes:
        images: The ground truth, N entries.
        points_px: The predictions, shape (N, K, 2) as x, y, in pixels of each image.
        landmark_scores: Shape (N, K), 0 to 1: how sure the model is.
        errors_mm: Shape (N, K); NaN where there is no ground truth.
    """

    images: tuple[LabelledImage, ...]
    points_px: np.ndarray
    landmark_scores: np.ndarray
    errors_mm: np.ndarray

    @property
    def visible(self) -> np.ndarray:
        """Shape (N, K): where there is ground truth."""
        return np.isfinite(self.errors_mm)

    def overall(self) -> Scores:
        """The scores over all landmarks of all images."""
        return score(self.errors_mm, self.visible)

    def per_landmark(self) -> list[Scores]:
        """K scores, each over all images."""
        return score_per_landmark(self.errors_mm, self.visible)

    def worst_first(self) -> list[int]:
        """The positions of the images, by falling mean radial error; images without ground truth come last."""
        means = [score(errors, visible).mre_mm for errors, visible in zip(self.errors_mm, self.visible, strict=True)]
        return sorted(range(len(means)), key=lambda n: (np.isnan(means[n]), -np.nan_to_num(means[n])))

    def as_records(self) -> list[dict]:
        """One entry an image, of plain types for JSON: points in pixels, errors in mm (null without ground truth)."""
        return [
            {
                'id': image.id,
                'file_name': image.file_name,
                'spacing': image.spacing_mm,
                'points': points.tolist(),
                'scores': scores.tolist(),
                'errors_mm': [float(error) if np.isfinite(error) else None for error in errors],
            }
            for image, points, scores, errors in zip(
                self.images, self.points_px, self.landmark_scores, self.errors_mm, strict=True
            )
        ]


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
            f'the {len(predictor.landmarks)} of {predictor.landmarks.name!r}: say --landmarks {labelled.landmark_set}'
        )
    share = labelled.images[get_rank() :: get_world_size()]
    results = []
    for image in tqdm(share, desc='Testing', unit='image', disable=get_rank() > 0):
        prediction = predictor.predict(read_image(labelled, image))
        results.append((prediction.points_px, prediction.scores))
    results = collect_results(results, len(labelled), device='cpu')
    if results is None:
        return None
    points_px, scores = (np.stack(part) for part in zip(*results, strict=True))
    true_px = np.stack([image.points_px for image in labelled.images])
    spacings_mm = np.array([[image.spacing_mm] for image in labelled.images])
    errors_mm = radial_error_mm(points_px, true_px, spacings_mm)
    return Evaluation(labelled.images, points_px, scores, errors_mm)
