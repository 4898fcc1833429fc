"""X-rays that lie the wrong way: mirrored (facing left), upside down, or with the grey values inverted.

The networks are trained on X-rays that face right, upright, with white bone, and are unsure of all others: the mean
score of an X-ray the right way is at least one and a half times that of the same X-ray any other way. So one with an
unusually low score is turned all ways. The way with the highest score is believed if it is clearly better than the
X-ray as it is and as good as an X-ray usually is; a dark or half-covered one is not, whichever way it is turned.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Protocol

import numpy as np

from cephalometric.geometry import Orientation, turn_xray

USUAL_SCORE = 0.9
"""Taken for the usual mean score of an X-ray where no calibration says it; that of the heatmap networks."""
SUSPICIOUS = 0.9
"""Below that share of the usual score, a X-ray's score is unusually low."""
CLEARLY_BETTER = 1.25
"""Another way is believed when its mean score is that many times the score of the X-ray as it is."""


class Predictor(Protocol):
    """What is asked of a predictor here."""

    def predict_batch(self, images: Sequence[np.ndarray]) -> list: ...


UPRIGHT = Orientation()
OTHERS = tuple(Orientation(*flags) for flags in product((False, True), repeat=3) if any(flags))


def predict_any_way(
    predictor: Predictor, images: Sequence[np.ndarray], usual_score: float = USUAL_SCORE
) -> list[tuple[object, Orientation]]:
    """Predict X-rays that may lie any way.

    Args:
        predictor: A :class:`cephalometric.prediction.predictor.Predictor` or its like.
        images: As its ``predict_batch`` takes them.
        usual_score: The mean score that an X-ray usually has, see ``Calibration``.

    Returns:
        For each X-ray its prediction, in pixels of the X-ray as it is, and how it lies.
    """
    predictions = predictor.predict_batch(images)
    return [
        _best(predictor, image, prediction, usual_score)
        if is_unsure(prediction, usual_score) and not prediction.blank
        else (prediction, UPRIGHT)
        for image, prediction in zip(images, predictions, strict=True)
    ]


def is_unsure(prediction: object, usual_score: float) -> bool:
    """Whether the mean score of a prediction is unusually low."""
    return prediction.scores.mean() < SUSPICIOUS * usual_score


def _best(predictor: Predictor, image: np.ndarray, plain: object, usual_score: float) -> tuple[object, Orientation]:
    turned = [turn_xray(image, orientation) for orientation in OTHERS]
    predictions = [predictor.predict_batch([other.image])[0] for other in turned]
    place = int(np.argmax([prediction.scores.mean() for prediction in predictions]))
    other, best = turned[place], predictions[place]
    if is_unsure(best, usual_score) or best.scores.mean() < CLEARLY_BETTER * plain.scores.mean():
        return plain, UPRIGHT
    return replace(best, points_px=other.to_original(best.points_px)), other.orientation
