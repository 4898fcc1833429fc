"""From X-rays to landmarks by the networks of one model or of several, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.geometry import content_crop
from cephalometric.landmarks import LandmarkSet
from cephalometric.prediction.decoding import decode
from cephalometric.prediction.networks import Networks
from cephalometric.prediction.patches import ImagePyramid
from cephalometric.prediction.stages import CoarseStage, Refinement


@dataclass(frozen=True)
class Prediction:
    """The landmarks of one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in pixels of the image given, finite.
        scores: Shape (K,), 0 to 1: how sure the model is; 0 where there was nothing to see.
        blank: True for an image of zeros alone: its landmarks are all put at the centre.
        spread_px: Shape (K,): how far the members of an ensemble lie from their mean, root mean square, in pixels of
            the image; None for a single model.
    """

    points_px: np.ndarray
    scores: np.ndarray
    blank: bool = False
    spread_px: np.ndarray | None = None


@dataclass(frozen=True)
class Member:
    """One trained model: its networks, and what comes before, between and after them.

    Attributes:
        name: For messages.
        networks: What computes.
        coarse: The stage that looks at the whole X-ray.
        refinement: The stage that looks at patches; None for models that have none.
    """

    name: str
    networks: Networks
    coarse: CoarseStage
    refinement: Refinement | None = None

    def predict(self, images: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The landmarks of X-rays.

        Args:
            images: B X-rays, uint8, shape (H, W), or (H, W, 3) in BGR order.

        Returns:
            Points, shape (B, K, 2) as x, y, in pixels of each X-ray, and scores, shape (B, K), 0 to 1.

        Raises:
            InputError: The networks put out what is not a number.
        """
        outputs = self.networks.coarse(np.stack([self.coarse.input_of(image) for image in images]))
        self._check(*outputs)
        points, scores = [], []
        for n, image in enumerate(images):
            fractions, found = decode(self.coarse.decoding, tuple(output[n] for output in outputs))
            points.append(self.coarse.region(image.shape[1], image.shape[0]).to_image(fractions))
            scores.append(found)
        if self.refinement is None:
            return np.array(points), np.array(scores)
        pyramids = [ImagePyramid(image) for image in images]
        points, scores = self.refinement.refine(self.networks.refine, pyramids, np.array(points))
        self._check(points, scores)
        return points, np.clip(scores, 0, 1)

    def _check(self, *arrays: np.ndarray) -> None:
        if not all(np.isfinite(array).all() for array in arrays):
            raise InputError(
                f'{self.name}: its networks put out what is not a number: its weights are damaged, or its training '
                'diverged; train it again'
            )


class Predictor:
    """Finds the landmarks of lateral skull X-rays that face right.

    Args:
        members: The models; of several, a landmark is where they find it in the mean.
        landmarks: The landmark set of all of them.
    """

    def __init__(self, members: Sequence[Member], landmarks: LandmarkSet) -> None:
        self.members, self.landmarks = tuple(members), landmarks

    def predict(self, image: np.ndarray) -> Prediction:
        """Find the landmarks of one X-ray.

        Args:
            image: Shape (H, W), or (H, W, 3) in RGB order, uint8. Zero padding at the right and below is ignored.

        Raises:
            ValueError: The image has another shape or type.
            InputError: The weights of a member are not finite.
        """
        return self.predict_batch([image])[0]

    def predict_batch(self, images: Sequence[np.ndarray]) -> list[Prediction]:
        """Find the landmarks of several X-rays in one pass of the networks; arguments as for :meth:`predict`."""
        crops = [content_crop(_checked(image)) for image in images]
        seen = [n for n, crop in enumerate(crops) if crop is not None]
        predictions = {n: self._blank(images[n]) for n in range(len(images)) if crops[n] is None}
        if seen:
            pixels = [_to_bgr(crops[n].cut(images[n])) for n in seen]
            found = [member.predict(pixels) for member in self.members]
            points, scores = np.stack([points for points, _ in found]), np.stack([scores for _, scores in found])
            for place, n in enumerate(seen):
                predictions[n] = _mean_of(crops[n].to_original(points[:, place]), scores[:, place])
        return [predictions[n] for n in range(len(images))]

    def _blank(self, image: np.ndarray) -> Prediction:
        height, width = image.shape[:2]
        centre = np.tile([(width - 1) / 2, (height - 1) / 2], (len(self.landmarks), 1))
        return Prediction(centre, np.zeros(len(self.landmarks)), blank=True)


def _mean_of(points_px: np.ndarray, scores: np.ndarray) -> Prediction:
    """One prediction of the members' points, shape (members, K, 2), and scores, shape (members, K)."""
    mean_px = points_px.mean(axis=0)
    spread_px = np.sqrt(((points_px - mean_px) ** 2).sum(axis=2).mean(axis=0)) if len(points_px) > 1 else None
    return Prediction(mean_px, scores.mean(axis=0), spread_px=spread_px)


def _checked(image: np.ndarray) -> np.ndarray:
    fits = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not fits:
        raise ValueError(f'an X-ray is uint8 of shape (H, W) or (H, W, 3), not {image.dtype} {image.shape}')
    return image


def _to_bgr(image: np.ndarray) -> np.ndarray:
    """An X-ray in the order of colours in which MMPose reads files, and in which models are trained."""
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
