"""Mean radial error (MRE) and success detection rate (SDR): pure functions on arrays of errors.

The definitions are those of the challenge's evaluation (C.-W. Wang et al., "A benchmark for comparison of dental
radiography analysis algorithms", Medical Image Analysis 31, 2016): MRE is the mean over all visible landmarks of all
images, its standard deviation is taken over the same errors, and SDR is the share of errors at most a threshold.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

THRESHOLDS_MM = (2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True)
class Scores:
    """What a set of radial errors amounts to; all NaN when the set is empty.

    Attributes:
        count: How many errors went in.
        mre_mm: Their mean.
        sd_mm: Their (population) standard deviation.
        median_mm: Their median.
        sdr_percent: For each threshold of ``THRESHOLDS_MM``, the share of errors at most the threshold, 0 to 100.
    """

    count: int
    mre_mm: float
    sd_mm: float
    median_mm: float
    sdr_percent: Mapping[float, float]

    def as_metrics(self) -> dict[str, float]:
        """The scores under the names that configs, logs and ``save_best`` use."""
        return {'MRE': self.mre_mm} | {f'SDR {mm:.1f}mm': value for mm, value in self.sdr_percent.items()}


def score(errors_mm: np.ndarray, visible: np.ndarray | None = None) -> Scores:
    """Score all errors together.

    Args:
        errors_mm: Radial errors in millimetres, any shape.
        visible: Booleans of the same shape; errors where it is False do not count. All count by default.

    Raises:
        ValueError: A visible error is not finite, so that no mean over it would be honest.
    """
    errors = np.asarray(errors_mm, float)
    chosen = errors.ravel() if visible is None else errors[np.asarray(visible, bool)]
    if not np.isfinite(chosen).all():
        raise ValueError('a radial error of a visible landmark is not finite')
    if chosen.size == 0:
        return Scores(0, np.nan, np.nan, np.nan, dict.fromkeys(THRESHOLDS_MM, np.nan))
    return Scores(
        count=int(chosen.size),
        mre_mm=float(chosen.mean()),
        sd_mm=float(chosen.std()),
        median_mm=float(np.median(chosen)),
        sdr_percent={mm: float((chosen <= mm).mean() * 100) for mm in THRESHOLDS_MM},
    )


def score_per_landmark(errors_mm: np.ndarray, visible: np.ndarray | None = None) -> list[Scores]:
    """Score each landmark over all images.

    Args:
        errors_mm: Shape (N images, K landmarks), in millimetres.
        visible: Booleans of the same shape; all True by default.

    Returns:
        K scores, in the order of the landmark set.
    """
    errors = np.asarray(errors_mm, float)
    mask = np.ones(errors.shape, bool) if visible is None else np.asarray(visible, bool)
    return [score(errors[:, k], mask[:, k]) for k in range(errors.shape[1])]
