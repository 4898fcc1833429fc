"""Films that lie the wrong way: mirrored (facing left), upside down, or with the grey values inverted.

The networks are trained on films that face right, upright, with white bone, and are unsure of all others: the mean
score of a film the right way is at least one and a half times that of the same film any other way. So a film with an
unusually low score is turned all ways. The way with the highest score is believed if it is clearly better than the film
as it is and as good as a film usually is; a dark or half-covered film is not, whichever way it is turned.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Protocol

import numpy as np

from cephalometric.geometry import Orientation, turn_film

USUAL_SCORE = 0.9
"""Taken for the usual mean score of a film where no calibration says it; that of the heatmap networks."""
SUSPICIOUS = 0.9
"""Below that share of the usual score, a film's score is unusually low."""
CLEARLY_BETTER = 1.25
"""Another way is believed when its mean score is that many times the score of the film as it is."""


class Predictor(Protocol):
    """What is asked of a predictor here."""

    def predict_batch(self, images: Sequence[np.ndarray]) -> list: ...


UPRIGHT = Orientation()
OTHERS = tuple(Orientation(*flags) for flags in product((False, True), repeat=3) if any(flags))


def predict_any_way(
    predictor: Predictor, images: Sequence[np.ndarray], usual_score: float = USUAL_SCORE
) -> list[tuple[object, Orientation]]:
    """Predict films that may lie any way.

    Args:
        predictor: A ``CephalometricPredictor`` or its like.
        images: As its ``predict_batch`` takes them.
        usual_score: The mean score that a film usually has, see ``Calibration``.

    Returns:
        For each film its prediction, in pixels of the film as it is, and how it lies.
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
    turned = [turn_film(image, orientation) for orientation in OTHERS]
    predictions = [predictor.predict_batch([film.image])[0] for film in turned]
    place = int(np.argmax([prediction.scores.mean() for prediction in predictions]))
    film, best = turned[place], predictions[place]
    if is_unsure(best, usual_score) or best.scores.mean() < CLEARLY_BETTER * plain.scores.mean():
        return plain, UPRIGHT
    return replace(best, points_px=film.to_original(best.points_px)), film.orientation
