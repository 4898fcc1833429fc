"""What phantoms are drawn with: smooth curves through named control points, and soft-edged shapes.

Shapes are added up in millimetres, and the film turns what they attenuate into grey.
"""

from dataclasses import dataclass

import cv2
import numpy as np

STEPS = 10


@dataclass(frozen=True)
class Curve:
    """A Catmull-Rom spline, sampled ``STEPS`` times between control points.

    Attributes:
        points: The samples, shape (N, 2) as x, y.
        names: For each named control point, its place in ``points``.
        closed: Whether the last point joins the first.
    """

    points: np.ndarray
    names: dict[str, int]
    closed: bool

    def at(self, name: str) -> np.ndarray:
        """The named control point."""
        return self.points[self.names[name]]

    def between(self, first: str, last: str) -> np.ndarray:
        """The stretch from one named control point to another, both included."""
        return self.points[self.names[first] : self.names[last] + 1]

    def moved(self, move) -> 'Curve':
        """The curve with ``move`` (a function of an (N, 2) array) applied to its points."""
        return Curve(move(self.points), self.names, self.closed)


def smooth(controls: tuple, closed: bool) -> Curve:
    """The curve through ``controls``: tuples (x, y) or (x, y, name). A point that is there twice makes a corner.

    The formula is the uniform spline of E. Catmull and R. Rom, "A class of local interpolating splines", 1974.
    """
    p1 = np.array([control[:2] for control in controls], float)
    if closed:
        p0, p2, p3 = (np.roll(p1, shift, axis=0) for shift in (1, -1, -2))
    else:
        p0 = np.vstack([p1[:1], p1[:-1]])
        p2 = np.vstack([p1[1:], p1[-1:]])
        p3 = np.vstack([p2[1:], p2[-1:]])
    t = (np.arange(STEPS) / STEPS)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    points = p1 + t / 2 * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    names = {control[2]: index * STEPS for index, control in enumerate(controls) if len(control) > 2}
    points = points.reshape(-1, 2)
    return Curve(points if closed else points[: -STEPS + 1], names, closed)


def farthest(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """The point that lies farthest in the direction (x, y)."""
    return points[np.argmax(points @ (x, y))]


def deepest(points: np.ndarray) -> np.ndarray:
    """The point farthest from the chord that joins the first and the last."""
    x, y = points[-1] - points[0]
    return points[np.argmax(np.abs((points - points[0]) @ (-y, x)))]


def crossing(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where two lines cross: the middle of their nearest pair of points."""
    distances = np.hypot(*(first[:, None] - second[None]).transpose(2, 0, 1))
    i, j = np.unravel_index(np.argmin(distances), distances.shape)
    return (first[i] + second[j]) / 2


def centroid(points: np.ndarray) -> np.ndarray:
    """The centroid of the area that a polygon encloses."""
    following = np.roll(points, -1, axis=0)
    cross = points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]
    return ((points + following) * cross[:, None]).sum(axis=0) / (3 * cross.sum())


SUBPIXEL_BITS = 4


class Canvas:
    """Maps of attenuation over a picture, in multiples of what lets 1/e of the X-rays pass.

    Attributes:
        bone, soft: float32, shape (height, width): what bone and what everything else attenuates.
        spacing_mm: Millimetres per pixel.
    """

    def __init__(self, width: int, height: int, spacing_mm: float):
        self.bone = np.zeros((height, width), np.float32)
        self.soft = np.zeros((height, width), np.float32)
        self.spacing_mm = spacing_mm

    def add_solid(
        self,
        outline_mm: np.ndarray,
        inside: float,
        depth_mm: float = 0.0,
        rim: float = 0.0,
        rim_mm: float = 1.0,
        blur_mm: float = 0.0,
        bone: bool = False,
    ) -> None:
        """Add a filled outline, shape (N, 2).

        Attenuation rises from the border to ``inside`` over ``depth_mm`` as the thickness of a round body does, and
        ``rim`` is added at the very edge, falling off over ``rim_mm``: a cortex seen edge-on.
        """
        outline = self._to_pixels(outline_mm)
        box = self._box(outline, blur_mm)
        if box is None:
            return
        mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        cv2.fillPoly(mask, [_fixed_point(outline - box[:2])], 255, cv2.LINE_AA, SUBPIXEL_BITS)
        distance = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
        distance *= self.spacing_mm
        level = np.full_like(distance, inside)
        if depth_mm:
            missing = np.clip(1 - distance / depth_mm, 0, 1)
            level *= np.sqrt(1 - missing * missing)
        if rim:
            level += rim * cv2.exp(distance / -rim_mm)
        level *= mask * np.float32(1 / 255)
        self._add(level, box, blur_mm, bone)

    def add_line(
        self,
        points_mm: np.ndarray,
        width_mm: float,
        weight: float,
        blur_mm: float = 0.0,
        closed: bool = False,
        bone: bool = False,
    ) -> None:
        """Add a stroke along ``points_mm``, shape (N, 2); one thinner than a pixel is paler instead."""
        points = self._to_pixels(points_mm)
        box = self._box(points, width_mm + blur_mm)
        if box is None:
            return
        width = width_mm / self.spacing_mm
        thickness = max(1, round(width))
        mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        cv2.polylines(mask, [_fixed_point(points - box[:2])], closed, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        self._add(mask * np.float32(weight * width / thickness / 255), box, blur_mm, bone)

    def add_text(self, text: str, left_mm: float, base_mm: float, height_mm: float, weight: float) -> None:
        """Add a line of text whose capitals are ``height_mm`` high, from the left end of its base line."""
        scale = height_mm / self.spacing_mm / 21  # capitals of this font are 21 pixels high at scale 1
        mask = np.zeros(self.soft.shape, np.uint8)
        origin = np.round(self._to_pixels(np.array([[left_mm, base_mm]]))[0]).astype(int).tolist()
        cv2.putText(mask, text, origin, cv2.FONT_HERSHEY_DUPLEX, scale, 255, max(1, round(2.2 * scale)), cv2.LINE_AA)
        self.soft += mask * np.float32(weight / 255)

    def _to_pixels(self, points_mm: np.ndarray) -> np.ndarray:
        return points_mm / self.spacing_mm - 0.5

    def _box(self, points: np.ndarray, margin_mm: float) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of what a shape can touch of the canvas; None if it lies outside."""
        margin = 2 + 3 * margin_mm / self.spacing_mm
        height, width = self.soft.shape
        left, top = np.maximum(np.floor(points.min(axis=0) - margin), 0).astype(int)
        right, bottom = np.minimum(np.ceil(points.max(axis=0) + margin), (width, height)).astype(int)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _add(self, layer: np.ndarray, box: tuple[int, int, int, int], blur_mm: float, bone: bool) -> None:
        sigma = blur_mm / self.spacing_mm
        if sigma > 0.3:
            layer = cv2.GaussianBlur(layer, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        (self.bone if bone else self.soft)[box[1] : box[3], box[0] : box[2]] += layer


def _fixed_point(points: np.ndarray) -> np.ndarray:
    return np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)


def film(attenuation: np.ndarray, contrast: float, gamma: float, black: float, white: float) -> np.ndarray:
    """Grey values (float32) of an attenuation map: what was absorbed is bright, on a curve that saturates."""
    absorbed = 1 - cv2.exp(np.maximum(attenuation, 0) * -contrast)
    return black + (white - black) * cv2.pow(absorbed, gamma)


def grain(width_mm: float, height_mm: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A texture of mean 0 and about unit variance, of grains of 0.7 to 25 mm, sampled on ``shape`` (rows, columns)."""
    texture = np.zeros(shape, np.float32)
    for step_mm, weight in ((0.7, 0.75), (1.6, 0.6), (6.0, 0.5), (25.0, 0.7)):
        coarse = rng.standard_normal((round(height_mm / step_mm), round(width_mm / step_mm)), np.float32)
        texture += weight * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return texture
