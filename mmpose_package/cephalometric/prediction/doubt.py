"""Is this a lateral cephalogram at all? What a prediction itself says of that, without another look at the picture.

The networks find all landmarks in any picture. Three things give a wrong one away, and one of them is enough:

- the model is far less sure than of an X-ray;
- landmarks lie beyond the edge of the picture: it shows a part of a head;
- the landmarks do not lie as those of a head seen from the side. How these lie is learnt from the validation X-rays:
  a mean layout with its main modes of variation (T. F. Cootes et al., "Active shape models", Computer Vision and Image
  Understanding 61, 1995). How far a layout lies from them is its Mahalanobis distance, where all directions but the
  main modes share one variance (M. E. Tipping, C. M. Bishop, "Probabilistic principal component analysis", J. R. Stat.
  Soc. B 61, 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cephalometric.geometry import Orientation

USUAL_SCORE = 0.9
"""Taken for the usual mean score where no validation X-rays say it; that of the heatmap networks."""
FAR_LESS_SURE = 0.85
"""Below that share of the usual mean score a picture is doubted."""
VARIATION = 0.07
"""How far one head's layout lies from the mean, as a share of its size: that of the ISBI 2015 X-rays (root mean
square). Taken for the variation where no validation X-rays say it, and drawn towards where few do."""
PRIOR_IMAGES = 20
MODES = 10
MOST_DISTANCE = 4.0
"""The bound where no validation X-rays give one: more than a quarter of the size of the layout."""
TIMES_MEDIAN = 2.5
"""The bound is that many times the median distance of validation X-rays that were left out of the fit."""
FOLDS = 20
MOST_WARNED = 1 / 450
"""How many of the validation X-rays a criterion may doubt. With score and layout that is fewer than one of 200."""
UPRIGHT = Orientation()
BEYOND_EDGE = 0.01
"""A landmark lies beyond the edge where it is that share of the picture's longer side outside: about 2 mm."""


@dataclass(frozen=True)
class Plausibility:
    """What predictions on lateral cephalograms have in common.

    Attributes:
        least_score: Below this mean score a picture is doubted.
        mean_layout: Of the landmarks, K pairs x, y, around 0, with a sum of squares of 1; empty where it is not known.
        modes: The main modes of variation, of unit length, each 2 K numbers: all x, then all y.
        mode_variances: The variance along each mode.
        rest_variance: The variance along every other direction.
        most_distance: Beyond this distance from the mean layout a picture is doubted.
    """

    least_score: float = FAR_LESS_SURE * USUAL_SCORE
    mean_layout: Sequence[Sequence[float]] = ()
    modes: Sequence[Sequence[float]] = ()
    mode_variances: Sequence[float] = ()
    rest_variance: float = 1.0
    most_distance: float = MOST_DISTANCE

    def distance(self, points_px: np.ndarray) -> float:
        """How far the landmarks lie from the mean layout, moved, turned and scaled onto it.

        Args:
            points_px: Shape (K, 2) as x, y, of an X-ray that lies the right way.

        Returns:
            About 1 for a head as usual. 0 where the mean layout is not known, and for fewer than three landmarks, which
            fit any layout.
        """
        if len(self.mean_layout) < 3:
            return 0.0
        mean = _as_complex(self.mean_layout)
        layout = _normalized(points_px)
        # The least-squares similarity without its scale, so that a heap of points is far from a head.
        overlap = (mean.conj() * layout).sum()
        rest = layout * np.exp(-1j * np.angle(overlap)) - mean
        rest = np.concatenate([rest.real, rest.imag])
        along = np.reshape(self.modes, (-1, rest.size)) @ rest
        variances = np.asarray(self.mode_variances, float)
        squares = (along**2 / variances).sum() + max(rest @ rest - along @ along, 0) / self.rest_variance
        return float(np.sqrt(squares / rest.size))


def assumed_plausibility(mean_layout_mm: np.ndarray | None = None) -> Plausibility:
    """What is taken where there are no validation X-rays; with the layout of the training X-rays where it is known.

    Args:
        mean_layout_mm: Shape (K, 2) as x, y, in any unit.
    """
    if mean_layout_mm is None or not np.isfinite(mean_layout_mm).all():
        return Plausibility()
    mean = _normalized(mean_layout_mm)
    return Plausibility(mean_layout=_as_pairs(mean), rest_variance=VARIATION**2 / (2 * len(mean)))


def fit_plausibility(points_px: np.ndarray, scores: np.ndarray) -> Plausibility:
    """Learn from the predictions on the validation X-rays what a plausible one is.

    Args:
        points_px: The landmarks as predicted, shape (N, K, 2) as x, y, in pixels of each X-ray.
        scores: Shape (N, K).
    """
    layouts = np.array([_normalized(points) for points in points_px])
    folds = np.arange(len(layouts)) % FOLDS
    bound = MOST_DISTANCE
    if folds.any():
        parts = [(_fit_layout(layouts[folds != fold]), layouts[folds == fold]) for fold in np.unique(folds)]
        distances = [part.distance(_as_pairs(layout)) for part, left_out in parts for layout in left_out]
        # Drawn towards the bound without validation X-rays where there are few.
        median = np.average([np.median(distances), MOST_DISTANCE / TIMES_MEDIAN], weights=[len(layouts), 1])
        bound = max(TIMES_MEDIAN * median, np.quantile(distances, 1 - MOST_WARNED, method='higher'))
    means = np.mean(scores, axis=1)
    least = min(FAR_LESS_SURE * np.median(means), np.quantile(means, MOST_WARNED, method='lower'))
    return _fit_layout(layouts, least_score=float(least), most_distance=float(bound))


def doubts(
    plausibility: Plausibility,
    points_px: np.ndarray,
    scores: np.ndarray,
    size: tuple[int, int],
    orientation: Orientation = UPRIGHT,
) -> tuple[str, ...]:
    """Why a picture is probably no lateral cephalogram, one sentence each; empty for most that are one.

    Args:
        plausibility: Of the model.
        points_px: The landmarks, shape (K, 2) as x, y, in pixels of the picture as it lies.
        scores: Shape (K,).
        size: Width and height of the picture in pixels, without its zero padding.
        orientation: How the picture was found to lie.
    """
    reasons = []
    if np.mean(scores) < plausibility.least_score:
        reasons.append('the model is far less sure than of a lateral cephalogram: check that it shows a whole head')
    margin_px = BEYOND_EDGE * max(size)
    beyond = ((points_px < -margin_px) | (points_px > np.array(size) - 1 + margin_px)).any(axis=1).sum()
    if beyond:
        reasons.append(f'{beyond} of {len(points_px)} landmarks would lie beyond its edge: it shows a part of a head')
    if plausibility.distance(orientation.turn(points_px, *size)) > plausibility.most_distance:
        reasons.append('the landmarks do not lie as those of a head seen from the side')
    return tuple(reasons)


def _fit_layout(layouts: np.ndarray, **bounds: float) -> Plausibility:
    """The generalized Procrustes mean (J. C. Gower, Psychometrika 40, 1975) of normalized layouts, and the modes."""
    mean = layouts[0]
    for _ in range(4):
        turned = layouts * np.exp(-1j * np.angle((mean.conj() * layouts).sum(axis=1)))[:, None]
        mean = _normalized(_as_pairs(turned.mean(axis=0)))
    rests = np.concatenate([(turned - mean).real, (turned - mean).imag], axis=1)
    directions = rests.shape[1]
    prior = np.eye(directions) * VARIATION**2 / directions
    covariance = (rests.T @ rests + PRIOR_IMAGES * prior) / (len(rests) + PRIOR_IMAGES)
    variances, modes = np.linalg.eigh(covariance)
    kept = min(MODES, directions - 1)
    return Plausibility(
        mean_layout=_as_pairs(mean),
        modes=modes[:, -kept:].T.tolist(),
        mode_variances=variances[-kept:].tolist(),
        rest_variance=float(variances[:-kept].mean()),
        **bounds,
    )


def _as_complex(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, float)
    return points[..., 0] + 1j * points[..., 1]


def _as_pairs(layout: np.ndarray) -> list[list[float]]:
    return np.stack([layout.real, layout.imag], axis=-1).tolist()


def _normalized(points: np.ndarray) -> np.ndarray:
    """Points as complex numbers around 0 with a sum of squares of 1; zeros where all lie in one place."""
    layout = _as_complex(points)
    layout = layout - layout.mean()
    size = np.sqrt((abs(layout) ** 2).sum())
    return layout / size if size > 0 else layout
