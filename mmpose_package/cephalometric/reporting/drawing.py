"""Landmarks drawn on X-rays. Colours are BGR, as OpenCV writes them."""

import cv2
import numpy as np

from cephalometric.landmarks import LandmarkSet

TRUE_COLOUR = (80, 220, 80)
PREDICTED_COLOUR = (60, 90, 255)
JOIN_COLOUR = (0, 215, 255)
TEXT_COLOUR = (255, 255, 255)
_SHIFT = 4  # OpenCV draws with this many fractional bits, so that marks are not rounded to pixels.


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
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    size = max(canvas.shape[0] / 2400, 0.25)  # Marks and letters are made for a full-size X-ray.
    for k in range(len(landmarks)):
        if visible[k]:
            _line(canvas, true_px[k], predicted_px[k], size)
            _dot(canvas, true_px[k], TRUE_COLOUR, size)
        _dot(canvas, predicted_px[k], PREDICTED_COLOUR, size)
    taken: list[tuple[float, float, float, float]] = []
    for k, name in enumerate(landmarks.abbreviations):
        label = f'{name} {errors_mm[k]:.1f}' if visible[k] else name
        place = _free_place(label, predicted_px[k], 0.75 * size, size, taken)
        _text(canvas, label, place, 0.75 * size, TEXT_COLOUR)
    _text(canvas, title, np.array([24, 60]) * size, 1.3 * size, TEXT_COLOUR)
    _text(canvas, 'ground truth', np.array([24, 110]) * size, 1.1 * size, TRUE_COLOUR)
    _text(canvas, 'prediction (error in mm)', np.array([24, 155]) * size, 1.1 * size, PREDICTED_COLOUR)
    return canvas


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(np.asarray(point, float) * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _dot(canvas: np.ndarray, point: np.ndarray, colour: tuple[int, int, int], size: float) -> None:
    radius = round(6 * size * (1 << _SHIFT))
    cv2.circle(canvas, _fixed(point), radius, colour, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(canvas, _fixed(point), radius, (0, 0, 0), 1, cv2.LINE_AA, _SHIFT)


def _line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, size: float) -> None:
    cv2.line(canvas, _fixed(start), _fixed(end), JOIN_COLOUR, max(round(3 * size), 1), cv2.LINE_AA, _SHIFT)


def _free_place(
    label: str, point: np.ndarray, scale: float, size: float, taken: list[tuple[float, float, float, float]]
) -> np.ndarray:
    """Where a label goes beside its point, by its lower left corner: not over an earlier one, which ``taken`` notes."""
    (width, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, max(round(2 * scale), 1))
    gap = 10 * size
    places = [point + (dx, dy * (height + gap) + gap) for dy in (0, -1, 1, -2, 2, -3, 3) for dx in (gap, -gap - width)]
    boxes = [(x, y - height, x + width, y) for x, y in places]
    free = (index for index, box in enumerate(boxes) if not any(_overlap(box, other) for other in taken))
    chosen = next(free, 0)
    taken.append(boxes[chosen])
    return places[chosen]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _text(canvas: np.ndarray, text: str, place: np.ndarray, scale: float, colour: tuple[int, int, int]) -> None:
    """White on bone and black on air would vanish, so every letter has a dark rim."""
    at = (int(place[0]), int(place[1]))
    for letters, width in (((0, 0, 0), 5), (colour, 2)):
        thickness = max(round(width * min(scale, 1.3)), 1)
        cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, letters, thickness, cv2.LINE_AA)
