"""What the report says in sentences: the main findings, in plain words."""

from collections.abc import Iterator, Sequence

import numpy as np

from cephalometric.reporting.number_words import format_number
from cephalometric.reporting.runs import Run, later_runs, later_runs_per_landmark
from cephalometric.results.evaluation import Evaluation
from cephalometric.scores import THRESHOLDS_MM
from cephalometric.statistics import Bias, CalibrationCheck, PairedDifference, bias_per_landmark, bootstrap_mean

SIGNIFICANT = 0.05
LARGE_SHIFT_MM = 1.0
"""A mean shift that matters to measurements, whether or not chance may explain it."""


def subtitle(runs: Sequence[Run]) -> str:
    """What the report is about, in a line."""
    evaluation = runs[0].evaluation
    parts = [', '.join(run.name for run in runs)]
    parts.append(f'{len(evaluation.images)} X-rays with {len(evaluation.landmarks)} landmarks')
    if evaluation.provenance:
        parts += [evaluation.provenance.annotation_file, evaluation.provenance.created[:10]]
    return ' · '.join(parts)


def summary(runs: Sequence[Run]) -> Iterator[str]:
    """The main findings, a paragraph each."""
    if len(runs) == 1:
        yield _headline(runs[0].evaluation)
        yield _extremes(runs[0].evaluation)
        yield _shifts(runs[0].evaluation)
    else:
        yield from _comparisons(runs)


def _headline(evaluation: Evaluation) -> str:
    mean = bootstrap_mean(evaluation.errors_mm)
    interval = f' (95 % interval: {mean.low:.2f} to {mean.high:.2f} mm)' if np.isfinite(mean.low) else ''
    limit = THRESHOLDS_MM[0]
    return (
        f'A predicted landmark lies on average {mean.estimate:.2f} mm from the ground truth{interval}. '
        f'{evaluation.overall().sdr_percent[limit]:.0f} % of the landmarks are at most {limit:g} mm off, which is '
        'usually taken as clinically acceptable.'
    )


def _extremes(evaluation: Evaluation) -> str:
    means = {
        name: scores.mre_mm
        for name, scores in zip(evaluation.landmarks.names, evaluation.per_landmark(), strict=True)
        if scores.count
    }
    ranked = sorted(means, key=means.get)
    best, worst = ranked[:3], ranked[:-4:-1]
    return f'Found best: {_listed(best, means)}. Found worst: {_listed(worst, means)}.'


def _listed(names: Sequence[str], means: dict[str, float]) -> str:
    return ', '.join(f'{name} ({means[name]:.2f} mm)' for name in names)


def _shifts(evaluation: Evaluation) -> str:
    biases = dict(zip(evaluation.landmarks.names, bias_per_landmark(evaluation.differences_mm), strict=True))
    large = sorted((n for n in biases if biases[n].length_mm >= LARGE_SHIFT_MM), key=lambda n: -biases[n].length_mm)
    sure = {name: bias for name, bias in biases.items() if bias.p_value < SIGNIFICANT}
    if large:
        listed = '; '.join(f'{name} {direction(biases[name])} ({_certainty(biases[name])})' for name in large[:3])
        more = f'; and {len(large) - 3} more of at least {LARGE_SHIFT_MM:g} mm' if len(large) > 3 else ''
        first = f'Largest mean shifts: {listed}{more}.'
    else:
        first = f'No landmark is off by a mean shift of {LARGE_SHIFT_MM:g} mm or more.'
    if not sure:
        return f'{first} No landmark shows a systematic shift that chance could not explain.'
    most = max(sure, key=lambda name: sure[name].length_mm)
    constant = sum(bias.is_constant for bias in sure.values())
    same = (
        f' {constant} of them are off by the very same in every image, as by a mistake in the geometry or the labels.'
        if constant
        else ''
    )
    return (
        f'{first} {len(sure)} of {len(biases)} landmarks are off in a constant direction, more than chance explains, '
        f'most of all {most}: {direction(sure[most])}.{same}'
    )


def verdict(bias: Bias) -> str:
    """How large a mean shift is and, after that, how sure it is: what is large is never called nothing."""
    size = 'large, ' if bias.length_mm >= LARGE_SHIFT_MM else 'small, '
    return '' if bias.count == 0 else size + _certainty(bias)


def _certainty(bias: Bias) -> str:
    if np.isnan(bias.p_value):
        return 'too few images'
    if bias.is_constant:
        return 'constant shift'
    return 'systematic' if bias.p_value < SIGNIFICANT else 'uncertain'


def direction(bias: Bias) -> str:
    """A mean shift in words, such as '0.8 mm forward and 0.3 mm up'; the X-rays face right."""
    dx, dy = bias.mean_mm
    parts = [
        f'{abs(value):.1f} mm {positive if value > 0 else negative}'
        for value, positive, negative in ((dx, 'forward', 'backward'), (dy, 'down', 'up'))
        if abs(value) >= 0.05
    ]
    return ' and '.join(parts) or 'less than 0.1 mm'


def _comparisons(runs: Sequence[Run]) -> Iterator[str]:
    first = runs[0].name
    for (name, pair), (_, landmarks) in zip(later_runs(runs), later_runs_per_landmark(runs), strict=True):
        difference = pair.difference_mm
        sure = 'a significant difference' if pair.p_value < SIGNIFICANT else 'which may well be chance'
        better = sum(one.p_value < SIGNIFICANT and one.difference_mm.estimate < 0 for one in landmarks)
        worse = sum(one.p_value < SIGNIFICANT and one.difference_mm.estimate > 0 for one in landmarks)
        change, low, high = (
            format_number(each, 2, sign=True) for each in (difference.estimate, difference.low, difference.high)
        )
        yield (
            f'{name} errs by {abs(difference.estimate):.2f} mm {"less" if difference.estimate < 0 else "more"} than '
            f'{first} (difference {change} mm, 95 % interval {low} to {high} mm, p = {pair.p_value:.2g}), {sure}. '
            f'{_largest_changes(runs[0].evaluation, landmarks)}Of {len(landmarks)} landmarks '
            f'{better} are significantly better and {worse} significantly worse.'
        )


def _largest_changes(evaluation: Evaluation, pairs: Sequence[PairedDifference]) -> str:
    """The landmarks whose errors changed most, large before significant."""
    changes = [np.nan_to_num(pair.difference_mm.estimate) for pair in pairs]
    most = [k for k in np.argsort(-np.abs(changes), kind='stable')[:3] if abs(changes[k]) >= 0.005]
    if not most:
        return ''
    words = [
        f'{evaluation.landmarks.names[k]} {format_number(changes[k], 2, sign=True)} mm'
        f'{"" if pairs[k].p_value < SIGNIFICANT else " (uncertain)"}'
        for k in most
    ]
    return f'Largest changes: {", ".join(words)}. '


def confidence_sentences(judged: Sequence[tuple[str, CalibrationCheck]]) -> Iterator[str]:
    """How well calibrated each run is, a sentence each."""
    for name, check in judged:
        who = f'{name}: ' if len(judged) > 1 else ''
        yield (
            f'{who}Expected on average: {check.expected_mm:.2f} mm; observed: {check.observed_mm:.2f} mm. Rank '
            f'correlation {check.rank_correlation:.2f} (1: the less sure, the further off; 0: the confidence says '
            'nothing).'
        )
