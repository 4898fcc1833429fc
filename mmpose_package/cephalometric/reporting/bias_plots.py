"""Figures of systematic shifts: in a plane from zero, and on the mean face."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse as EllipsePatch

from cephalometric.landmarks import LandmarkSet
from cephalometric.reporting.figures import GREY, INK, new_axes, plain
from cephalometric.reporting.plots import RUN_COLOURS
from cephalometric.reporting.report_text import LARGE_SHIFT_MM, SIGNIFICANT
from cephalometric.reporting.runs import Run
from cephalometric.statistics import Bias, Ellipse, bias_per_landmark

ALERT = '#d1495b'
ARROW_SCALE = 5
SCALE_BAR_MM = 20
WIDE_SCATTER_MM = 10.0  # A filled ellipse of this size would hide the landmarks beside it.


def bias_plane(run: Run, reach_mm: float) -> Figure:
    """Mean prediction minus truth of every landmark, in the ellipse that holds its true mean with 95 % confidence.

    Colour says how large a shift is, a filled dot that it is systematic. A landmark beyond the axes is an arrow at
    their edge with its length, and an ellipse larger than the axes is left out, so that neither hides the others.

    Args:
        run: What was evaluated.
        reach_mm: How far the axes go, as :func:`bias_reach_mm` says.
    """
    figure, (axes,) = new_axes(5.2, 5.0)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.axvline(0, color=GREY, linewidth=1)
    biases = bias_per_landmark(run.evaluation.differences_mm)
    for bias, name in zip(biases, run.evaluation.landmarks.abbreviations, strict=True):
        if bias.count == 0:
            continue
        colour, beyond = _bias_colour(bias), float(np.abs(bias.mean_mm).max()) / reach_mm
        if beyond > 1:
            edge = bias.mean_mm / beyond * 0.97
            arrow = {'arrowstyle': '-|>', 'color': colour, 'linewidth': 1.6}
            axes.annotate('', edge, edge * 0.86, arrowprops=arrow)
            name, place = f'{name} {bias.length_mm:.1f} mm', edge * 0.86
            side = 'right' if edge[0] > 0 else 'left'
            axes.annotate(plain(name), place, ha=side, va='bottom', fontsize=8, color=INK)
            continue
        ellipse = bias.confidence_ellipse()
        if ellipse.semi_axes[0] < reach_mm / 2:
            _add_ellipse(axes, ellipse, colour, opacity=0.13 if bias.p_value < SIGNIFICANT else 0.03, rim=0.5)
        face = colour if bias.p_value < SIGNIFICANT else 'none'
        axes.plot(*bias.mean_mm, 'o', markeredgecolor=colour, markerfacecolor=face, markersize=4)
        axes.annotate(plain(name), bias.mean_mm, xytext=(3, 3), textcoords='offset points', fontsize=8, color=INK)
    axes.set(
        xlim=(-reach_mm, reach_mm),
        ylim=(reach_mm, -reach_mm),
        aspect='equal',
        xlabel='backward  ←  mean dx (mm)  →  forward',
        ylabel='down  ←  mean dy (mm)  →  up',
    )
    return figure


def bias_reach_mm(runs: Sequence[Run]) -> float:
    """The largest mean shift along an axis and some room around it; shifts far beyond the others do not count."""
    biases = [bias for run in runs for bias in bias_per_landmark(run.evaluation.differences_mm) if bias.count]
    shifts = np.array([float(np.abs(bias.mean_mm).max()) for bias in biases])
    usual = shifts[shifts <= max(LARGE_SHIFT_MM, 4 * float(np.median(shifts)))]
    return max(0.5, float(usual.max(initial=0)) * 1.15)


def bias_map(run: Run) -> Figure:
    """The mean face with each landmark's scatter ellipse, true to scale, and its mean shift as an arrow, lengthened."""
    evaluation = run.evaluation
    places_mm = mean_places_mm(evaluation.true_px, evaluation.spacings_mm)
    width, height = np.nanmax(places_mm, axis=0) - np.nanmin(places_mm, axis=0)
    figure, (axes,) = new_axes(5.2, float(np.clip(5.2 * height / max(width, 1), 3.5, 7)))
    _draw_lines(axes, evaluation.landmarks, places_mm)
    for bias, place, name in zip(
        bias_per_landmark(evaluation.differences_mm), places_mm, evaluation.landmarks.abbreviations, strict=True
    ):
        if bias.count == 0:
            continue
        colour = _bias_colour(bias)
        scatter = bias.scatter_ellipse()
        centre = (float(place[0] + bias.mean_mm[0]), float(place[1] + bias.mean_mm[1]))
        opacity = 0.16 if scatter.semi_axes[0] < WIDE_SCATTER_MM else 0.03
        _add_ellipse(axes, replace(scatter, centre=centre), colour, opacity, rim=0.6)
        axes.plot(*place, '.', color=INK, markersize=4)
        style = '-' if bias.p_value < SIGNIFICANT else (0, (2, 1.5))
        arrow = {'arrowstyle': '->', 'color': colour, 'linewidth': 1.4, 'linestyle': style, 'shrinkA': 0, 'shrinkB': 0}
        axes.annotate('', place + ARROW_SCALE * bias.mean_mm, place, arrowprops=arrow)
        axes.annotate(plain(name), place, xytext=(4, 4), textcoords='offset points', fontsize=8, color=INK)
    left, bottom = np.nanmin(places_mm[:, 0]), np.nanmax(places_mm[:, 1])
    axes.plot([left, left + SCALE_BAR_MM], [bottom, bottom], color=INK, linewidth=2)
    axes.annotate(f'{SCALE_BAR_MM} mm', (left, bottom), xytext=(0, 5), textcoords='offset points', color=INK)
    axes.set(aspect='equal')
    axes.set_axis_off()
    axes.margins(0.06)
    axes.invert_yaxis()
    return figure


def mean_places_mm(true_px: np.ndarray, spacings_mm: np.ndarray) -> np.ndarray:
    """Where the landmarks lie in a mean face: shape (K, 2) in mm, x right and y down, about the centre of each face.

    Args:
        true_px: Shape (N, K, 2); NaN where a landmark is not labelled.
        spacings_mm: Shape (N,).
    """
    places_mm = true_px * spacings_mm[:, None, None]
    # Only landmarks that all images have give a centre that is the same place in all of them.
    complete = np.isfinite(places_mm).all(axis=(0, 2))
    anchors = places_mm[:, complete] if complete.any() else places_mm
    centred = places_mm - np.nanmean(anchors, axis=1, keepdims=True)
    seen = np.isfinite(centred).any(axis=(0, 2))
    mean = np.full(centred.shape[1:], np.nan)
    mean[seen] = np.nanmean(centred[:, seen], axis=0)
    return mean


def _draw_lines(axes: Axes, landmarks: LandmarkSet, places_mm: np.ndarray) -> None:
    for start, end in landmarks.lines:
        axes.plot(*places_mm[[start, end]].T, color=GREY, linewidth=0.8, alpha=0.6, zorder=1)


def _bias_colour(bias: Bias) -> str:
    return ALERT if bias.length_mm >= LARGE_SHIFT_MM else RUN_COLOURS[0]


def _add_ellipse(axes: Axes, ellipse: Ellipse, colour: str, opacity: float, rim: float) -> None:
    if np.isfinite(ellipse.angle_deg):
        size = [2 * axis for axis in ellipse.semi_axes]
        shades = {'facecolor': (colour, opacity), 'edgecolor': (colour, rim)}
        axes.add_patch(EllipsePatch(ellipse.centre, *size, angle=ellipse.angle_deg, linewidth=0.8, **shades))
