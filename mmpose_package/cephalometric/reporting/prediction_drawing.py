"""Predicted landmarks drawn on their X-ray, those with a large expected error so that nobody overlooks them."""

import numpy as np

from cephalometric.formats.predictions import NOTICE, PredictedXray
from cephalometric.landmarks import LandmarkSet
from cephalometric.reporting.marks import (
    PREDICTED_COLOUR,
    TEXT_COLOUR,
    Box,
    canvas_of,
    dot,
    free_place,
    line,
    ring,
    text,
)

FLAGGED_COLOUR = (0, 190, 255)
LINE_COLOUR = (190, 190, 90)


def draw_prediction(image: np.ndarray, landmarks: LandmarkSet, xray: PredictedXray) -> np.ndarray:
    """Draw the landmarks and the lines of the landmark set that join them.

    A flagged landmark has another colour, its expected error beside its name, and a ring of that radius where the
    spacing is known.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmarks: Names the K landmarks.
        xray: Its prediction.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    seen = np.isfinite(xray.points_px).all(axis=1)
    flagged = np.zeros(len(landmarks), bool) if xray.flagged is None else xray.flagged
    for a, b in landmarks.lines:
        if seen[a] and seen[b]:
            line(canvas, xray.points_px[a], xray.points_px[b], LINE_COLOUR, size, width=1.5)
    for k in np.flatnonzero(seen):
        if flagged[k]:
            ring(canvas, xray.points_px[k], FLAGGED_COLOUR, size, _ring_radius_px(xray, k, size))
        dot(canvas, xray.points_px[k], FLAGGED_COLOUR if flagged[k] else PREDICTED_COLOUR, size)
    taken: list[Box] = []
    for k in np.flatnonzero(seen):
        label = landmarks.abbreviations[k]
        if flagged[k]:
            label += f' {xray.expected_errors_mm[k]:.1f} mm?'
        place = free_place(label, xray.points_px[k], 0.75 * size, size, taken)
        text(canvas, label, place, 0.75 * size, FLAGGED_COLOUR if flagged[k] else TEXT_COLOUR)
    _legend(canvas, size, xray)
    return canvas


def _ring_radius_px(xray: PredictedXray, k: int, size: float) -> float:
    least = 14 * size
    return least if xray.spacing_mm is None else max(xray.expected_errors_mm[k] / xray.spacing_mm, least)


def _legend(canvas: np.ndarray, size: float, xray: PredictedXray) -> None:
    spacing = 'spacing not known' if xray.spacing_mm is None else f'{xray.spacing_mm:g} mm per pixel'
    lines = [(f'{xray.name}   {spacing}', 1.3, TEXT_COLOUR), ('prediction', 1.1, PREDICTED_COLOUR)]
    if xray.flagged is None:
        lines.append(('no calibration: expected errors are not known', 1.1, FLAGGED_COLOUR))
    elif xray.flagged.any():
        lines.append((f'{xray.flagged.sum()} flagged (expected error in mm)', 1.1, FLAGGED_COLOUR))
    if xray.orientation.turned:
        lines.append((f'film taken as {xray.orientation}', 1.1, FLAGGED_COLOUR))
    lines.append((NOTICE, 0.9, TEXT_COLOUR))
    for row, (words, scale, colour) in enumerate(lines):
        text(canvas, words, np.array([24, 60 + 48 * row]) * size, scale * size, colour)
