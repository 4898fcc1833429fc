"""The marks that pictures of X-rays are made of: dots, rings, lines, labels beside each other. Colours are BGR."""

import cv2
import numpy as np

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

PREDICTED_COLOUR: Colour = (60, 90, 255)
TEXT_COLOUR: Colour = (255, 255, 255)
_SHIFT = 4  # OpenCV draws with this many fractional bits, so that marks are not rounded to pixels.


def canvas_of(image: np.ndarray) -> tuple[np.ndarray, float]:
    """A copy of an X-ray to draw on, and the scale of its marks.

    Args:
        image: uint8, shape (H, W) or (H, W, 3) in BGR order.

    Returns:
        uint8, shape (H, W, 3) in BGR order; and the size to pass on: marks and letters are made for an X-ray 2400
        pixels high, where it is 1.
    """
    canvas = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image.copy()
    return canvas, max(canvas.shape[0] / 2400, 0.25)


def to_bgr(image: np.ndarray) -> np.ndarray:
    """An X-ray, shape (H, W), or (H, W, 3) in RGB order, as the drawing functions take it."""
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])


def dot(canvas: np.ndarray, point: np.ndarray, colour: Colour, size: float) -> None:
    """A filled dot with a dark rim."""
    radius = round(6 * size * (1 << _SHIFT))
    cv2.circle(canvas, _fixed(point), radius, colour, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(canvas, _fixed(point), radius, (0, 0, 0), 1, cv2.LINE_AA, _SHIFT)


def ring(canvas: np.ndarray, point: np.ndarray, colour: Colour, size: float, radius_px: float) -> None:
    """An open circle of a radius in pixels of the canvas."""
    radius = round(radius_px * (1 << _SHIFT))
    cv2.circle(canvas, _fixed(point), radius, colour, _width(3, size), cv2.LINE_AA, _SHIFT)


def line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, colour: Colour, size: float, width: float = 3) -> None:
    """A straight line; ``width`` in pixels of a full-size X-ray."""
    cv2.line(canvas, _fixed(start), _fixed(end), colour, _width(width, size), cv2.LINE_AA, _SHIFT)


def free_place(label: str, point: np.ndarray, scale: float, size: float, taken: list[Box]) -> np.ndarray:
    """Where a label goes beside its point, by its lower left corner: not over an earlier one, which ``taken`` notes."""
    (width, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, max(round(2 * scale), 1))
    gap = 10 * size
    places = [point + (dx, dy * (height + gap) + gap) for dy in (0, -1, 1, -2, 2, -3, 3) for dx in (gap, -gap - width)]
    boxes = [(x, y - height, x + width, y) for x, y in places]
    free = (index for index, box in enumerate(boxes) if not any(overlap(box, other) for other in taken))
    chosen = next(free, 0)
    taken.append(boxes[chosen])
    return places[chosen]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes, each left, top, right, bottom, have an area in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def text(canvas: np.ndarray, words: str, place: np.ndarray, scale: float, colour: Colour) -> None:
    """Words from their lower left corner. White on bone and black on air would vanish: every letter has a dark rim."""
    at = (int(place[0]), int(place[1]))
    for letters, width in (((0, 0, 0), 5), (colour, 2)):
        thickness = max(round(width * min(scale, 1.3)), 1)
        cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, letters, thickness, cv2.LINE_AA)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(np.asarray(point, float) * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _width(width: float, size: float) -> int:
    return max(round(width * size), 1)
