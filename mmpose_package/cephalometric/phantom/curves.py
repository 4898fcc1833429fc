"""Smooth curves through named control points, and the places on them that define landmarks."""

from dataclasses import dataclass

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
