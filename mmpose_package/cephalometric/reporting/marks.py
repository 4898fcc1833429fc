"""The marks that pictures of X-rays are made of: dots, rings, lines, labels, lists, banners. Colours are BGR."""

from collections.abc import Sequence

import cv2
import numpy as np

from cephalometric.names import printable

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

PREDICTED_COLOUR: Colour = (60, 90, 255)
TEXT_COLOUR: Colour = (255, 255, 255)
FLAGGED_COLOUR: Colour = (255, 90, 255)  # Magenta, because nothing else in a drawing is.
BANNER_COLOUR: Colour = (30, 30, 200)
BANNER_LINES = 3
RING = 14  # The least radius of a ring, on a full-size X-ray.
STEEP = 40  # Grey levels from one pixel to the next.
SMALLEST = 0.4  # The size of marks below which letters cannot be read.
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
    return canvas, max(canvas.shape[0] / 2400, SMALLEST)


def to_bgr(image: np.ndarray) -> np.ndarray:
    """An X-ray, shape (H, W), or (H, W, 3) in RGB order, as the drawing functions take it."""
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., ::-1])


def dot(canvas: np.ndarray, point: np.ndarray, colour: Colour, size: float) -> None:
    """A filled dot with a dark rim, large enough that the rim leaves something of it."""
    radius = round(max(6 * size, 3.5) * (1 << _SHIFT))
    cv2.circle(canvas, _fixed(point), radius, colour, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(canvas, _fixed(point), radius, (0, 0, 0), 1, cv2.LINE_AA, _SHIFT)


def box_around(point: np.ndarray, radius_px: float) -> Box:
    """What labels keep clear of around a point."""
    x, y = map(float, point)
    return (x - radius_px, y - radius_px, x + radius_px, y + radius_px)


def ring(canvas: np.ndarray, point: np.ndarray, colour: Colour, size: float, radius_px: float) -> None:
    """An open circle of a radius in pixels of the canvas."""
    radius = round(radius_px * (1 << _SHIFT))
    cv2.circle(canvas, _fixed(point), radius, colour, _width(3, size), cv2.LINE_AA, _SHIFT)


def line(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, colour: Colour, size: float, width: float = 3) -> None:
    """A straight line; ``width`` in pixels of a full-size X-ray."""
    cv2.line(canvas, _fixed(start), _fixed(end), colour, _width(width, size), cv2.LINE_AA, _SHIFT)


def free_place(
    canvas: np.ndarray, label: str, point: np.ndarray, scale: float, gap: float, taken: list[Box]
) -> np.ndarray:
    """Where a label goes beside its point, by its lower left corner.

    It goes ``gap`` pixels off the point, within the canvas, and not over what ``taken`` holds, such as earlier labels,
    as long as there is such a place.
    """
    (width, height), _ = cv2.getTextSize(printable(label), cv2.FONT_HERSHEY_SIMPLEX, scale, max(round(2 * scale), 1))
    places = [point + (dx, dy * (height + gap) + gap) for dy in (0, -1, 1, -2, 2, -3, 3) for dx in (gap, -gap - width)]
    boxes = [(x, y - height, x + width, y) for x, y in places]
    bottom, right = canvas.shape[:2]
    inside = [n for n, box in enumerate(boxes) if min(box[:2]) >= 0 and box[2] <= right and box[3] <= bottom] or [0]
    free = (n for n in inside if not any(overlap(boxes[n], other) for other in taken))
    chosen = next(free, inside[0])
    taken.append(boxes[chosen])
    return places[chosen]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes, each left, top, right, bottom, have an area in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def banner(canvas: np.ndarray, words: str, size: float) -> Box:
    """A solid bar across the top with words on it, in as many lines as they need; returns the bar and all above."""
    margin, scale = 20 * size, max(1.6 * size, 0.5)
    room = canvas.shape[1] - 2 * margin
    lines = _broken(words, scale, room)
    while scale > SMALLEST and (len(lines) > BANNER_LINES or max(_length(part, scale) for part in lines) > room):
        scale *= 0.9
        lines = _broken(words, scale, room)
    step = 40 * scale
    bottom = step * len(lines) + margin
    canvas[: int(bottom)] = BANNER_COLOUR
    for number, part in enumerate(lines, start=1):
        text(canvas, part, np.array([margin, number * step]), scale, TEXT_COLOUR)
    return (-np.inf, -np.inf, np.inf, bottom)


def _broken(words: str, scale: float, room: float) -> list[str]:
    """Words in lines that are no longer than the room, as far as single words allow."""
    lines = ['']
    for word in words.split():
        longer = f'{lines[-1]} {word}'.strip()
        if lines[-1] and _length(longer, scale) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def word_list(
    canvas: np.ndarray,
    lines: Sequence[tuple[str, float, Colour]],
    top: float,
    size: float,
    points: np.ndarray | None = None,
) -> Box:
    """Lines of words on a darkened field in the emptiest corner; returns the field, which labels keep clear of.

    The number, the name or the side that is written on a film stands in a corner, too, and must stay to be read.

    Args:
        canvas: Is drawn on.
        lines: Words, their scale for a full-size X-ray, and their colour. What is too long gets smaller.
        top: Where the fields at the top begin, in pixels.
        size: The size of marks.
        points: What the field had better not cover, shape (K, 2) as x, y; NaN is passed over.
    """
    step, margin = 44 * size, 20 * size
    height, width = canvas.shape[:2]
    room = 0.7 * width
    sized = []
    for words, scale, colour in lines:
        length = _length(words, scale * size)
        sized.append((words, scale * size * min(1, room / max(length, 1)), colour, min(length, room)))
    wide = max(length for *_, length in sized) + 2 * margin
    tall = step * len(sized) + 2 * margin
    corners = [(x, y, x + wide, y + tall) for y in (top, height - tall) for x in (0.0, width - wide)]
    box = min(corners, key=lambda corner: _covered(canvas, corner, points))
    left, above, right, bottom = box
    field = canvas[max(int(above), 0) : int(bottom), max(int(left), 0) : int(right)]
    field[:] = field * 0.2
    for number, (words, scale, colour, _) in enumerate(sized, start=1):
        text(canvas, words, np.array([left + margin, above + margin / 2 + number * step]), scale, colour)
    return box


def _covered(canvas: np.ndarray, box: Box, points: np.ndarray | None) -> float:
    """How much a field would cover: landmarks above all, then edges, as letters have them."""
    left, above, right, bottom = (max(int(edge), 0) for edge in box)
    field = canvas[above:bottom, left:right]
    if not field.size:
        return np.inf
    blue, green, red = cv2.split(field)
    grey = cv2.max(cv2.max(blue, green), red)
    # Grain and the slope of soft tissue are no content; letters are steep.
    steep = cv2.absdiff(grey[:, 1:], grey[:, :-1]) > STEEP if grey.shape[1] > 1 else np.zeros(0)
    inside = 0 if points is None else sum(is_in(point, [box]) for point in points if np.isfinite(point).all())
    return inside + float(steep.mean()) if steep.size else np.inf


def _length(words: str, scale: float) -> float:
    return cv2.getTextSize(printable(words), cv2.FONT_HERSHEY_SIMPLEX, scale, max(round(2 * min(scale, 1.3)), 1))[0][0]


def is_in(point: np.ndarray, boxes: Sequence[Box]) -> bool:
    """Whether a point lies in one of the boxes."""
    return any(overlap(box_around(point, 0.5), box) for box in boxes)


def text(canvas: np.ndarray, words: str, place: np.ndarray, scale: float, colour: Colour) -> None:
    """Words from their lower left corner. White on bone and black on air would vanish: every letter has a dark rim."""
    at = (int(place[0]), int(place[1]))
    words = printable(words)  # OpenCV crashes the process by text that is not UTF-8.
    for letters, width in (((0, 0, 0), 5), (colour, 2)):
        thickness = max(round(width * min(scale, 1.3)), 1)
        cv2.putText(canvas, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, letters, thickness, cv2.LINE_AA)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.round(np.asarray(point, float) * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _width(width: float, size: float) -> int:
    return max(round(width * size), 1)
