"""What the errors of a set of images allow to say, and how surely: intervals, bias, comparison, calibration.

Images, not landmarks, are what was drawn at random: the landmarks of one X-ray err together. So intervals resample
whole images, and tests take one number an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # Its parts are loaded when they are first used: stats alone takes longer than a prediction.

from cephalometric.resampling import resamples

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % confidence interval; NaN where the data do not allow one."""

    estimate: float
    low: float
    high: float


def bootstrap_mean(values: np.ndarray) -> Interval:
    """The mean of all values that are not NaN, with a percentile bootstrap interval over images.

    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3: whole images are drawn with
    replacement, 4000 times, from a fixed seed, so that the same data give the same interval.

    Args:
        values: Shape (N,) or (N, K): one row an image, NaN where there is nothing to count.

    Returns:
        The interval is NaN with fewer than two images that count.
    """
    rows = _rows(values)
    counts, sums = np.isfinite(rows).sum(axis=1), np.nansum(rows, axis=1)
    used = counts > 0
    counts, sums = counts[used], sums[used]
    if counts.size == 0:
        return Interval(np.nan, np.nan, np.nan)
    estimate = float(sums.sum() / counts.sum())
    if counts.size < 2:
        return Interval(estimate, np.nan, np.nan)
    means = np.concatenate([draws @ sums / (draws @ counts) for draws in resamples(len(counts))])
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(estimate, float(low), float(high))


def _rows(values: np.ndarray) -> np.ndarray:
    """Shape (N,) or (N, K) as (N, K)."""
    values = np.asarray(values, float)
    return values[:, None] if values.ndim == 1 else values


def detection_rate(errors_mm: np.ndarray, threshold_mm: float) -> Interval:
    """The success detection rate in percent, with its bootstrap interval; errors as for :func:`bootstrap_mean`."""
    hits = np.where(np.isnan(errors_mm), np.nan, np.asarray(errors_mm) <= threshold_mm)
    return bootstrap_mean(hits * 100)


# Below this, differences in millimetres are those of the last digits of numbers.
NO_SCATTER_MM = 1e-6


@dataclass(frozen=True)
class Ellipse:
    """An ellipse around ``centre`` (x, y), with semi-axes and the angle of the longer one, from x towards y."""

    centre: tuple[float, float]
    semi_axes: tuple[float, float]
    angle_deg: float


@dataclass(frozen=True)
class Bias:
    """The systematic part of a landmark's errors.

    Attributes:
        count: How many images it was seen in.
        mean_mm: Shape (2,): mean prediction minus truth, as dx to the right and dy downwards.
        covariance_mm2: Shape (2, 2), of the differences; NaN with fewer than two images.
        p_value: Of Hotelling's test of a mean of zero, corrected for the number of landmarks; NaN with fewer than four
            images; 0 for a shift that is the same in all of them.
    """

    count: int
    mean_mm: np.ndarray
    covariance_mm2: np.ndarray
    p_value: float

    @property
    def length_mm(self) -> float:
        """How far the predictions lie from the truth on average, as a vector."""
        return float(np.hypot(*self.mean_mm))

    @property
    def is_constant(self) -> bool:
        """Whether there is a shift, and the very same one in all images, as a mistake in units or geometry makes it."""
        scatter_mm = np.sqrt(np.trace(self.covariance_mm2))
        return bool(scatter_mm < NO_SCATTER_MM < self.length_mm)

    def scatter_ellipse(self) -> Ellipse:
        """Where 95 % of the differences lie, if they are normal."""
        return _ellipse(self.mean_mm, self.covariance_mm2 * scipy.stats.chi2.ppf(CONFIDENCE, 2))

    def confidence_ellipse(self) -> Ellipse:
        """Where the true mean lies with 95 % confidence, by Hotelling's T² distribution."""
        n = self.count
        factor = 2 * (n - 1) / (n * (n - 2)) * scipy.stats.f.ppf(CONFIDENCE, 2, n - 2) if n > 2 else np.nan
        return _ellipse(self.mean_mm, self.covariance_mm2 * factor)


def _ellipse(centre: np.ndarray, quadratic: np.ndarray) -> Ellipse:
    if not np.isfinite(quadratic).all():
        return Ellipse(tuple(map(float, centre)), (np.nan, np.nan), np.nan)
    squares, vectors = np.linalg.eigh(quadratic)
    long, short = np.sqrt(np.maximum(squares[::-1], 0))
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return Ellipse(tuple(map(float, centre)), (float(long), float(short)), float(angle))


def bias_per_landmark(differences_mm: np.ndarray) -> list[Bias]:
    """Tell a systematic shift of each landmark from noise.

    The test is Hotelling's one-sample T² (T. W. Anderson, "An Introduction to Multivariate Statistical Analysis",
    section 5.2); its p-values are corrected over the landmarks by Benjamini and Hochberg.

    Args:
        differences_mm: Prediction minus truth, shape (N, K, 2); NaN where there is no truth.
    """
    columns = [column[np.isfinite(column).all(axis=1)] for column in np.moveaxis(differences_mm, 1, 0)]
    corrected = correct_p_values([_hotelling_p_value(column) for column in columns])
    return [
        Bias(
            count=len(column),
            mean_mm=column.mean(axis=0) if len(column) else np.full(2, np.nan),
            covariance_mm2=np.cov(column.T) if len(column) > 1 else np.full((2, 2), np.nan),
            p_value=p_value,
        )
        for column, p_value in zip(columns, corrected, strict=True)
    ]


def _hotelling_p_value(differences_mm: np.ndarray) -> float:
    n = len(differences_mm)
    if n < 4:
        return np.nan
    mean, covariance = differences_mm.mean(axis=0), np.cov(differences_mm.T)
    squares, directions = np.linalg.eigh(covariance)
    varies = squares > NO_SCATTER_MM**2
    along = mean @ directions
    if (abs(along[~varies]) > NO_SCATTER_MM).any():
        return 0.0  # The same shift in every image, in a direction in which nothing varies: no chance.
    rank = int(varies.sum())
    if rank == 0:
        return 1.0
    t_squared = n * (along[varies] ** 2 / squares[varies]).sum()
    return float(scipy.stats.f.sf((n - rank) / (rank * (n - 1)) * t_squared, rank, n - rank))


def correct_p_values(p_values: Sequence[float]) -> list[float]:
    """Correct for many tests at once, by Benjamini and Hochberg (1995): NaN stays NaN and does not count as a test."""
    corrected = np.array(p_values, float)
    tested = np.isfinite(corrected)
    if tested.any():
        corrected[tested] = scipy.stats.false_discovery_control(corrected[tested])
    return corrected.tolist()


@dataclass(frozen=True)
class PairedDifference:
    """A second run minus a first one over the same images; negative is better where errors are compared.

    Attributes:
        difference_mm: The mean difference with its interval.
        p_value: Of the test that neither run errs less; NaN with fewer than two images.
    """

    difference_mm: Interval
    p_value: float


def compare_paired(first_mm: np.ndarray, second_mm: np.ndarray) -> PairedDifference:
    """Compare the errors of two runs over the same images.

    The test is Wilcoxon's signed-rank test (F. Wilcoxon, Biometrics Bulletin 1, 1945), two-sided, on one number an
    image: the mean difference over its landmarks.

    Args:
        first_mm, second_mm: Shape (N,) or (N, K), in the same order; a place that is NaN in one does not count.
    """
    rows = _rows(np.asarray(second_mm, float) - np.asarray(first_mm, float))
    rows = rows[np.isfinite(rows).any(axis=1)]
    return PairedDifference(bootstrap_mean(rows), _signed_rank_p_value(np.nanmean(rows, axis=1) if len(rows) else rows))


def compare_landmarks(first_mm: np.ndarray, second_mm: np.ndarray) -> list[PairedDifference]:
    """:func:`compare_paired` for each of the K landmarks, the p-values corrected for their number.

    Args:
        first_mm, second_mm: Shape (N, K).
    """
    pairs = [compare_paired(first, second) for first, second in zip(first_mm.T, second_mm.T, strict=True)]
    corrected = correct_p_values([pair.p_value for pair in pairs])
    return [PairedDifference(pair.difference_mm, p) for pair, p in zip(pairs, corrected, strict=True)]


def _signed_rank_p_value(differences: np.ndarray) -> float:
    if len(differences) < 2:
        return np.nan
    if not differences.any():
        return 1.0
    return float(scipy.stats.wilcoxon(differences).pvalue)


def cumulative_curve(errors_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of landmarks at most so far off, as a curve from zero.

    Returns:
        Errors in mm, rising from 0, and for each the percentage of all errors that are at most this large.
    """
    errors = np.sort(np.asarray(errors_mm, float)[np.isfinite(errors_mm)])
    percent = np.arange(len(errors) + 1) / max(len(errors), 1) * 100
    return np.concatenate([[0.0], errors]), percent


@dataclass(frozen=True)
class CalibrationBin:
    """Landmarks that the model was about equally sure of: what it expected, and what came."""

    count: int
    expected_mm: float
    observed_mm: Interval


@dataclass(frozen=True)
class CalibrationCheck:
    """Whether the expected errors that a model's confidence stands for are the errors that come.

    Attributes:
        bins: From the surest landmarks to the least sure, equally many in each.
        rank_correlation: Spearman's, of expected and observed errors: 1 for the right order, 0 when it says nothing.
        expected_mm, observed_mm: The means over all.
    """

    bins: tuple[CalibrationBin, ...]
    rank_correlation: float
    expected_mm: float
    observed_mm: float


def check_calibration(expected_mm: np.ndarray, errors_mm: np.ndarray, bins: int = 10) -> CalibrationCheck:
    """Compare expected with observed errors.

    Args:
        expected_mm, errors_mm: Shape (N, K); where the error is NaN, nothing counts.
        bins: How many groups; fewer when there are not ten landmarks for each.
    """
    images = np.broadcast_to(np.arange(len(errors_mm))[:, None], errors_mm.shape)
    seen = np.isfinite(errors_mm) & np.isfinite(expected_mm)
    expected, errors, images = expected_mm[seen], errors_mm[seen], images[seen]
    order = np.argsort(expected, kind='stable')
    parts = np.array_split(order, max(1, min(bins, len(order) // 10))) if len(order) else []
    constant = len(order) < 3 or np.ptp(expected) == 0 or np.ptp(errors) == 0
    return CalibrationCheck(
        bins=tuple(
            CalibrationBin(len(part), float(expected[part].mean()), _mean_by_image(errors[part], images[part]))
            for part in parts
        ),
        rank_correlation=np.nan if constant else float(scipy.stats.spearmanr(expected, errors).statistic),
        expected_mm=float(expected.mean()) if len(order) else np.nan,
        observed_mm=float(errors.mean()) if len(order) else np.nan,
    )


def _mean_by_image(errors_mm: np.ndarray, images: np.ndarray) -> Interval:
    """The bootstrap over images of errors that are given with the image of each."""
    groups = [errors_mm[images == image] for image in np.unique(images)]
    padded = np.full((len(groups), max(map(len, groups))), np.nan)
    for row, group in zip(padded, groups, strict=True):
        row[: len(group)] = group
    return bootstrap_mean(padded)
