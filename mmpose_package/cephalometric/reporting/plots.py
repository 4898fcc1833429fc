"""The figures of the report, as matplotlib figures that nobody else holds."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cephalometric.landmarks import LandmarkSet
from cephalometric.reporting.figures import GREY, INK, new_axes, plain
from cephalometric.reporting.report_text import SIGNIFICANT
from cephalometric.reporting.runs import Run
from cephalometric.scores import THRESHOLDS_MM
from cephalometric.statistics import CalibrationCheck, PairedDifference, cumulative_curve

RUN_COLOURS = ('#2f7fc1', '#d9702b', '#a66bb5', '#a8891c', '#2a9d8f', '#c45a86')


def colour_of(position: int) -> str:
    """The colour of a run, by its place in the report."""
    return RUN_COLOURS[position % len(RUN_COLOURS)]


def box_plot(runs: Sequence[Run]) -> Figure:
    """The errors of each landmark: box from quartile to quartile, median, whiskers, and every error beyond them."""
    landmarks = runs[0].evaluation.landmarks
    rows = len(landmarks)
    thickness = 0.7 / len(runs)
    figure, (axes,) = new_axes(7.6, 1.2 + rows * max(0.24, 0.16 * len(runs)))
    _thresholds(axes)
    for position, run in enumerate(runs):
        errors_mm = run.evaluation.errors_mm
        colour = colour_of(position)
        axes.boxplot(
            [column[np.isfinite(column)] for column in errors_mm.T],
            orientation='horizontal',
            positions=np.arange(rows) + (position - (len(runs) - 1) / 2) * thickness,
            widths=thickness * 0.9,
            patch_artist=True,
            manage_ticks=False,
            boxprops={'facecolor': colour, 'edgecolor': colour, 'alpha': 0.55},
            medianprops={'color': INK, 'linewidth': 1.5},
            whiskerprops={'color': colour},
            capprops={'color': colour},
            flierprops={'marker': '.', 'markersize': 4, 'markeredgecolor': colour, 'markerfacecolor': colour},
        )
        axes.plot([], [], color=colour, linewidth=6, alpha=0.55, label=plain(run.name))
    axes.set_yticks(range(rows), list(map(plain, landmarks.abbreviations)))
    axes.set(ylim=(rows - 0.4, -0.6), xlabel='radial error (mm)')
    _mark_lost(axes, runs, thickness)
    axes.grid(visible=False, axis='y')
    _legend_of_runs(figure, len(runs))
    return figure


def _mark_lost(axes: Axes, runs: Sequence[Run], thickness: float) -> None:
    """End the axis where nearly all errors lie; what lies beyond is an arrow at the edge with the largest error."""
    every = np.concatenate([run.evaluation.errors_mm[np.isfinite(run.evaluation.errors_mm)] for run in runs])
    end = max(5.0, 1.6 * float(np.quantile(every, 0.98)))
    if every.max() <= 1.5 * end:
        axes.set_xlim(left=0)
        return
    axes.set_xlim(0, end)
    for position, run in enumerate(runs):
        for row, column in enumerate(run.evaluation.errors_mm.T):
            lost = column[np.isfinite(column) & (column > end)]
            if lost.size:
                place = row + (position - (len(runs) - 1) / 2) * thickness
                axes.plot(end, place, '>', color=colour_of(position), markersize=6, clip_on=False, zorder=5)
                words = f'{lost.max():.0f}' if lost.size == 1 else f'{lost.size}, to {lost.max():.0f}'
                axes.annotate(
                    words, (end, place), xytext=(6, 0), textcoords='offset points', va='center', fontsize=7, color=INK
                )


def cumulative(runs: Sequence[Run]) -> Figure:
    """For every distance, the share of landmarks that are at most so far off."""
    figure, (axes,) = new_axes(7.6, 4.2)
    _thresholds(axes)
    furthest = 5.0  # The few landmarks that are lost altogether must not flatten the curve of the others.
    for position, run in enumerate(runs):
        errors_mm, percent = cumulative_curve(run.evaluation.errors_mm)
        axes.step(errors_mm, percent, where='post', color=colour_of(position), linewidth=2, label=plain(run.name))
        furthest = max(furthest, min(10.0, float(np.quantile(errors_mm, 0.99))))
    axes.set(xlim=(0, furthest), ylim=(0, 101), xlabel='radial error (mm)', ylabel='landmarks at most so far off (%)')
    _legend_of_runs(figure, len(runs))
    return figure


def _thresholds(axes: Axes) -> None:
    for threshold_mm in THRESHOLDS_MM:
        axes.axvline(threshold_mm, color=GREY, linewidth=1, linestyle=(0, (4, 3)), alpha=0.8, zorder=1)


def _legend_of_runs(figure: Figure, count: int) -> None:
    """Above the axes, where it hides nothing; one run needs no legend."""
    if count > 1:
        figure.legend(loc='outside upper left', ncols=min(count, 3), frameon=False, labelcolor=INK)


def error_by_source(runs: Sequence[Run], sources: Sequence[str]) -> Figure:
    """The mean radial error of every image, beside those of the same source.

    Args:
        runs: What was evaluated on the same N images.
        sources: For each image the name of its source.
    """
    names = sorted(set(sources))
    figure, (axes,) = new_axes(7.6, 1.3 + 0.55 * len(names) * max(1, 0.6 * len(runs)))
    jitter = np.random.default_rng(0).uniform(-0.09, 0.09, len(sources))
    rows = np.array([names.index(source) for source in sources])
    for position, run in enumerate(runs):
        means = np.array([scores.mre_mm for scores in run.evaluation.per_image()])
        offset = (position - (len(runs) - 1) / 2) * 0.7 / len(runs)
        colour = colour_of(position)
        axes.plot(means, rows + offset + jitter, 'o', markersize=5, alpha=0.55, color=colour, label=plain(run.name))
        for row in range(len(names)):
            chosen = means[(rows == row) & np.isfinite(means)]
            if chosen.size:
                axes.plot([chosen.mean()] * 2, [row + offset - 0.16, row + offset + 0.16], color=INK, linewidth=2)
    axes.set_yticks(range(len(names)), list(map(plain, names)))
    axes.set(ylim=(len(names) - 0.5, -0.5), xlabel='mean radial error of an image (mm)')
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis='y')
    _legend_of_runs(figure, len(runs))
    return figure


def confidence(judged: Sequence[tuple[str, CalibrationCheck]]) -> Figure:
    """Observed against expected error, for groups of landmarks that the model was about equally sure of.

    Args:
        judged: For each run its name and how well calibrated it is.
    """
    figure, (axes,) = new_axes(5.6, 4.8)
    reach = 0.5
    for position, (name, check) in enumerate(judged):
        expected = np.array([group.expected_mm for group in check.bins])
        observed = np.array([group.observed_mm.estimate for group in check.bins])
        low = observed - [group.observed_mm.low for group in check.bins]
        high = np.array([group.observed_mm.high for group in check.bins]) - observed
        bars = np.nan_to_num(np.stack([low, high]))
        label = plain(name) if len(judged) > 1 else 'this model'
        axes.errorbar(expected, observed, bars, fmt='o-', color=colour_of(position), capsize=3, label=label)
        reach = max(reach, *(expected * 1.1), *((observed + bars[1]) * 1.05))
    axes.plot([0, reach], [0, reach], color=INK, linewidth=1, linestyle='--', label='perfectly honest')
    axes.set(xlim=(0, reach), ylim=(0, reach), xlabel='expected error (mm)', ylabel='observed error (mm)')
    axes.legend(loc='upper left', frameon=False, labelcolor=INK)
    return figure


def differences(landmarks: LandmarkSet, compared: Sequence[tuple[str, Sequence[PairedDifference]]]) -> Figure:
    """For each landmark, a later run's error minus the first run's, with intervals: left of zero the later is better.

    Args:
        landmarks: Names the K landmarks.
        compared: For each later run its name and K differences.
    """
    rows = len(landmarks)
    figure, (axes,) = new_axes(7.6, 1.2 + rows * max(0.22, 0.14 * len(compared)))
    axes.axvline(0, color=INK, linewidth=1)
    for position, (name, pairs) in enumerate(compared, start=1):
        offset = (position - (len(compared) + 1) / 2) * 0.7 / len(compared)
        for row, pair in enumerate(pairs):
            interval = pair.difference_mm
            strong = pair.p_value < SIGNIFICANT
            style = {'color': colour_of(position), 'alpha': 1 if strong else 0.45}
            axes.plot([interval.low, interval.high], [row + offset] * 2, linewidth=1.6, **style)
            axes.plot(interval.estimate, row + offset, 'o' if strong else '.', markersize=6, **style)
        axes.plot([], [], 'o-', color=colour_of(position), label=plain(name))
    axes.set_yticks(range(rows), list(map(plain, landmarks.abbreviations)))
    axes.set(ylim=(rows - 0.4, -0.6), xlabel='difference in mean radial error (mm): left of 0, smaller error')
    axes.grid(visible=False, axis='y')
    _legend_of_runs(figure, len(compared))
    return figure
