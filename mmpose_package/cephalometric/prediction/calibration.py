"""How far off a landmark probably is: an expected error in mm, learnt from the validation images.

The expected error is a product of three factors, each fitted as observed over expected error (the maximum-likelihood
estimate for a quantity whose spread grows with its mean):

- a falling curve of the raw score, common to all landmarks: isotonic regression (R. E. Barlow et al., "Statistical
  Inference under Order Restrictions", 1972) on the means of bins of scores;
- a factor for each landmark, drawn towards 1 as if ``PRIOR_IMAGES`` images had said 1, so that few images suffice;
- where an ensemble gives one, a rising curve of the spread of its members, by isotonic regression too.

What it says about images that it has not seen is measured by cross-validation and kept with it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json, write_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.prediction.doubt import Plausibility, fit_plausibility
from cephalometric.results.evaluation import Evaluation

FORMAT = 'cephalometric calibration 2'
NOTHING_SEEN_MM = 50.0
"""Expected at score 0, where the model saw nothing: about half a head. Scores below all seen ones lead up to it."""
PRIOR_IMAGES = 5
FEW_IMAGES = 30
"""What rests on fewer is rough, and users are told."""
POINTS_PER_BIN = 25
MOST_BINS = 25
FOLDS = 5
LOW_QUANTILE = 0.1
TINY = 1e-9  # Keeps quotients finite where all errors, scores or spreads are zero.


@dataclass(frozen=True)
class Reliability:
    """Expected against observed error in bins of rising expected error; lists of equal length.

    Attributes:
        expected_mm, observed_mm: The means of each bin.
        count: How many landmarks are in it.
    """

    expected_mm: list[float]
    observed_mm: list[float]
    count: list[int]


@dataclass(frozen=True)
class Calibration:
    """Turns raw scores into expected errors.

    Attributes:
        landmarks: The abbreviations of the K landmarks.
        score_knots: Rising scores from 0; below, lists are of equal length where they say so.
        error_knots_mm: The expected error at each of them, falling; straight lines in between, flat beyond.
        landmark_factors: K factors.
        spread_knots_mm: Rising spreads of an ensemble; empty for one model.
        spread_factors: The factor at each of them, rising; beyond the last it grows in proportion to the spread.
        usual_score: What nine of ten validation images have as their mean score, or more.
        images: How many validation images it was fitted on.
        held_out: How well it held on images that were left out of the fit; None when there was one image alone.
        plausibility: What tells a lateral cephalogram from other pictures.
        weights_ids: Those of the models that it belongs to.
    """

    landmarks: tuple[str, ...]
    score_knots: tuple[float, ...]
    error_knots_mm: tuple[float, ...]
    landmark_factors: tuple[float, ...]
    spread_knots_mm: tuple[float, ...]
    spread_factors: tuple[float, ...]
    usual_score: float
    images: int
    held_out: Reliability | None = None
    plausibility: Plausibility = field(default_factory=Plausibility)
    weights_ids: tuple[str, ...] = ()

    def expected_error_mm(self, scores: np.ndarray, spread_mm: np.ndarray | None = None) -> np.ndarray:
        """The expected radial error.

        Args:
            scores: Raw scores, shape (..., K).
            spread_mm: How far the members of an ensemble lie apart, same shape; None where it is not known, as without
                a spacing.

        Returns:
            Same shape, in millimetres.
        """
        expected = np.interp(scores, self.score_knots, self.error_knots_mm) * np.array(self.landmark_factors)
        if spread_mm is None or not self.spread_knots_mm:
            return expected
        beyond = np.maximum(np.asarray(spread_mm) / max(self.spread_knots_mm[-1], TINY), 1)
        return expected * np.interp(spread_mm, self.spread_knots_mm, self.spread_factors) * beyond


def calibrate(evaluation: Evaluation) -> Calibration:
    """Fit a calibration to a predictor's evaluation on the validation images; see :func:`fit`."""
    calibration = fit(
        evaluation.landmarks.abbreviations, evaluation.landmark_scores, evaluation.errors_mm, evaluation.spread_mm
    )
    return replace(calibration, plausibility=fit_plausibility(evaluation.points_px, evaluation.landmark_scores))


def fit(
    landmarks: Sequence[str], scores: np.ndarray, errors_mm: np.ndarray, spread_mm: np.ndarray | None = None
) -> Calibration:
    """Fit a calibration and measure how well it holds by cross-validation over images.

    Args:
        landmarks: The abbreviations of the K landmarks.
        scores: Raw scores, shape (N, K).
        errors_mm: Radial errors, shape (N, K); NaN where there is no ground truth.
        spread_mm: The spread of an ensemble's members, shape (N, K), or None.

    Raises:
        InputError: No landmark of no image has a ground truth.
    """
    scores, errors_mm = np.asarray(scores, float), np.asarray(errors_mm, float)
    if not np.isfinite(errors_mm).any():
        raise InputError('the validation images have no labelled landmark, so that no expected error can be learnt')
    factors = _fit_factors(scores, errors_mm, spread_mm)
    return Calibration(
        landmarks=tuple(landmarks),
        **factors,
        usual_score=float(np.quantile(scores.mean(axis=1), LOW_QUANTILE)),
        images=len(scores),
        held_out=_held_out(landmarks, scores, errors_mm, spread_mm),
    )


def save_calibration(calibration: Calibration, path: str | Path, weights_ids: Sequence[str]) -> None:
    """Write a calibration, bound to the weights of the models that it was made with.

    Raises:
        InputError: The file cannot be written.
    """
    content = asdict(replace(calibration, weights_ids=tuple(sorted(weights_ids))))
    write_json(path, {'format': FORMAT, **content})


def load_calibration(path: str | Path, landmarks: LandmarkSet, weights_ids: Sequence[str]) -> Calibration:
    """Read a calibration.

    Args:
        path: The file.
        landmarks: The landmark set of the models.
        plausibility: What tells a lateral cephalogram from other pictures.
        weights_ids: Those of the models' descriptions.

    Raises:
        InputError: The file is missing, damaged, or belongs to other weights or landmarks.
    """
    calibration = _parse(Path(path), read_json(path))
    if calibration.weights_ids != tuple(sorted(weights_ids)):
        raise InputError(
            f'{path} was made for other models than {"this one" if len(weights_ids) == 1 else "these"}: make it again '
            'with "cephalometric calibrate", or move it elsewhere to go without expected errors'
        )
    if calibration.landmarks != landmarks.abbreviations:
        raise InputError(
            f'{path} is for {len(calibration.landmarks)} other landmarks than the {len(landmarks)} of '
            f'{landmarks.name!r}: make it again with "cephalometric calibrate"'
        )
    return calibration


def reliability(expected_mm: np.ndarray, observed_mm: np.ndarray, bins: int = 10) -> Reliability:
    """Compare expected with observed errors in bins of (nearly) equal count.

    Args:
        expected_mm, observed_mm: Shape (N, K); pairs with a NaN do not count.
    """
    from cephalometric.statistics import check_calibration  # Not above: SciPy takes longer to load than a prediction.

    found = check_calibration(expected_mm, observed_mm, bins).bins
    return Reliability(
        expected_mm=[part.expected_mm for part in found],
        observed_mm=[part.observed_mm.estimate for part in found],
        count=[part.count for part in found],
    )


def _parse(path: Path, content: object) -> Calibration:
    try:
        if content.pop('format') != FORMAT:
            raise ValueError('another format')
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
        held_out = values['held_out'] and Reliability(**values['held_out'])
        plausibility = Plausibility(**values['plausibility'])
        calibration = Calibration(**values | {'held_out': held_out, 'plausibility': plausibility})
        numbers = (
            calibration.score_knots,
            calibration.error_knots_mm,
            calibration.landmark_factors,
            calibration.spread_knots_mm,
            calibration.spread_factors,
        )
        if not all(np.isfinite(np.array(part, float)).all() for part in numbers):
            raise ValueError('a number is not finite')
        calibration.expected_error_mm(np.zeros(len(calibration.landmarks)), np.zeros(len(calibration.landmarks)))
        plausibility.distance(np.eye(len(calibration.landmarks), 2))
        return calibration
    except MALFORMED as error:
        raise InputError(f'{path}: not a calibration ({error}); make it again with "cephalometric calibrate"') from None


def _fit_factors(scores: np.ndarray, errors_mm: np.ndarray, spread_mm: np.ndarray | None) -> dict:
    known = np.isfinite(errors_mm)
    knots, curve_mm = _curve(scores[known], errors_mm[known], np.ones(known.sum()), increasing=False)
    curve_mm = np.append(max(NOTHING_SEEN_MM, curve_mm[0]), curve_mm)
    knots = np.append(0, np.maximum(knots, TINY))
    expected = np.where(known, np.interp(scores, knots, curve_mm), 0)
    prior = PRIOR_IMAGES * expected[known].mean()
    factors = (np.where(known, errors_mm, 0).sum(axis=0) + prior) / (expected.sum(axis=0) + prior + TINY)
    spread_knots, spread_factors = [], []
    if spread_mm is not None:
        expected = (expected * factors)[known]
        spread_knots, spread_factors = _curve(spread_mm[known], errors_mm[known], expected, increasing=True)
    return {
        'score_knots': tuple(map(float, knots)),
        'error_knots_mm': tuple(map(float, curve_mm)),
        'landmark_factors': tuple(map(float, factors)),
        'spread_knots_mm': tuple(map(float, spread_knots)),
        'spread_factors': tuple(map(float, spread_factors)),
    }


def _curve(
    values: np.ndarray, observed: np.ndarray, expected: np.ndarray, increasing: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Observed over expected error as a monotone curve of ``values``, by its knots.

    Equal values, such as the many scores of 1, share a bin. The first and the last knot lie at the ends of what was
    seen, not within, so that the curve is flat over the outer half of the outer bins.
    """
    from scipy.optimize import isotonic_regression  # Not above: see reliability.

    count = np.clip(values.size // POINTS_PER_BIN, 1, MOST_BINS)
    edges = np.quantile(values, np.arange(1, count) / count)
    _, bins = np.unique(np.searchsorted(edges, values, side='right'), return_inverse=True)
    knots = np.clip(np.bincount(bins, values) / np.bincount(bins), values.min(), values.max())
    weights = np.bincount(bins, expected) + TINY
    ratios = np.bincount(bins, observed) / weights
    fitted = isotonic_regression(ratios, weights=weights, increasing=increasing).x
    return np.array([values.min(), *knots, values.max()]), np.array([fitted[0], *fitted, fitted[-1]])


def _held_out(
    landmarks: Sequence[str], scores: np.ndarray, errors_mm: np.ndarray, spread_mm: np.ndarray | None
) -> Reliability | None:
    expected = np.full(errors_mm.shape, np.nan)
    fold = np.arange(len(scores)) % FOLDS
    for number in np.unique(fold):
        left_out, rest = fold == number, fold != number
        if np.isfinite(errors_mm[rest]).any():
            spreads = (None, None) if spread_mm is None else (spread_mm[rest], spread_mm[left_out])
            factors = _fit_factors(scores[rest], errors_mm[rest], spreads[0])
            part = Calibration(tuple(landmarks), **factors, usual_score=0, images=int(rest.sum()))
            expected[left_out] = part.expected_error_mm(scores[left_out], spreads[1])
    return reliability(expected, errors_mm) if np.isfinite(expected).any() else None
