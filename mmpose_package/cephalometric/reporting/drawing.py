"""Landmarks drawn on X-rays. Colours are BGR, as OpenCV writes them."""

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.reporting.marks import PREDICTED_COLOUR, TEXT_COLOUR, Box, canvas_of, dot, free_place, line, text

TRUE_COLOUR = (80, 220, 80)
JOIN_COLOUR = (0, 215, 255)


def draw_comparison(
    image: np.ndarray,
    landmarks: LandmarkSet,
    predicted_px: np.ndarray,
    true_px: np.ndarray,
    visible: np.ndarray,
    errors_mm: np.ndarray,
    title: str,
) -> np.ndarray:
    """Draw ground truth and prediction, each pair joined by a line, with the landmark's abbreviation and its error.

    Args:
        image: The X-ray, uint8, shape (H, W) or (H, W, 3) in BGR order.
        landmarks: Names the K landmarks.
        predicted_px, true_px: Shape (K, 2) as x, y, in pixels.
        visible: Shape (K,); where False there is no ground truth, and the prediction stands alone.
        errors_mm: Shape (K,).
        title: A line for the top of the picture.

    Returns:
        A new uint8 picture, shape (H, W, 3) in BGR order.
    """
    canvas, size = canvas_of(image)
    for k in range(len(landmarks)):
        if visible[k]:
            line(canvas, true_px[k], predicted_px[k], JOIN_COLOUR, size)
            dot(canvas, true_px[k], TRUE_COLOUR, size)
        dot(canvas, predicted_px[k], PREDICTED_COLOUR, size)
    taken: list[Box] = []
    for k, name in enumerate(landmarks.abbreviations):
        label = f'{name} {errors_mm[k]:.1f}' if visible[k] else name
        place = free_place(label, predicted_px[k], 0.75 * size, size, taken)
        text(canvas, label, place, 0.75 * size, TEXT_COLOUR)
    text(canvas, title, np.array([24, 60]) * size, 1.3 * size, TEXT_COLOUR)
    text(canvas, 'ground truth', np.array([24, 110]) * size, 1.1 * size, TRUE_COLOUR)
    text(canvas, 'prediction (error in mm)', np.array([24, 155]) * size, 1.1 * size, PREDICTED_COLOUR)
    return canvas
