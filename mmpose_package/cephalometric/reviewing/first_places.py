"""Where landmarks lie before anybody has placed them: those of a mean head, fitted to the picture or to its points.

The mean head is that of the phantom. A landmark set of one's own has places for those of its landmarks that the phantom
knows by their abbreviations; the others have none until a person places them.
"""

from functools import cache

import numpy as np

from cephalometric.geometry import Crop
from cephalometric.landmarks import LandmarkSet
from cephalometric.phantom.anatomy import sample_head

HEADS = 8
FILLS = 0.62
"""The landmarks of a whole head take about that share of the height of a lateral cephalogram."""


@cache
def _mean_head() -> dict[str, np.ndarray]:
    """The mean of the landmarks of several phantoms, by abbreviation; mm, the face to the right."""
    heads = [sample_head(np.random.default_rng(seed)).landmarks for seed in range(HEADS)]
    return {name: np.mean([head[name] for head in heads], axis=0) for name in heads[0]}


def mean_layout(landmarks: LandmarkSet) -> np.ndarray:
    """The landmarks of a mean head that looks to the right, shape (K, 2) as x, y in mm; NaN where none is known."""
    known, nowhere = _mean_head(), np.full(2, np.nan)
    places = [landmarks.find(name) for name in known]
    found = {place: point for place, point in zip(places, known.values(), strict=True) if place is not None}
    return np.array([found.get(k, nowhere) for k in range(len(landmarks))])


def places_in_picture(layout: np.ndarray, content: Crop) -> np.ndarray:
    """A layout in the middle of a picture, as large as heads usually are.

    Args:
        layout: Shape (K, 2) as x, y, in any unit; NaN where no place is known.
        content: The part of the picture that is not empty.

    Returns:
        Shape (K, 2) in pixels of the picture.
    """
    known = np.isfinite(layout).all(axis=1)
    if not known.any():
        return layout.copy()
    lowest, highest = layout[known].min(axis=0), layout[known].max(axis=0)
    room = np.array([content.width, content.height])
    size = np.maximum(highest - lowest, 1e-9)
    scale = FILLS * (room / size).min()
    middle = np.array([content.left + 0.56 * content.width, content.top + 0.58 * content.height])
    return middle + (layout - (lowest + highest) / 2) * scale


def places_around(layout: np.ndarray, placed_px: np.ndarray) -> np.ndarray | None:
    """A layout moved, turned, scaled and, if need be, mirrored onto the points that a person has placed.

    Args:
        layout: Shape (K, 2) as x, y; NaN where no place is known.
        placed_px: Shape (K, 2) in pixels; NaN where nothing is placed.

    Returns:
        Shape (K, 2) in pixels; None for fewer than two points that the layout has too.
    """
    both = np.isfinite(layout).all(axis=1) & np.isfinite(placed_px).all(axis=1)
    if both.sum() < 2:
        return None
    best, least = None, np.inf
    # Two points fit a head that looks either way; then it looks as the layout does.
    for sign in (1, -1) if both.sum() > 2 else (1,):
        fitted = _fitted(layout * (sign, 1), placed_px, both)
        rest = np.inf if fitted is None else float(((fitted - placed_px)[both] ** 2).sum())
        if rest < least:
            best, least = fitted, rest
    return best


def _fitted(layout: np.ndarray, placed_px: np.ndarray, both: np.ndarray) -> np.ndarray | None:
    """By least squares over the points that both have."""
    source, target = layout[:, 0] + 1j * layout[:, 1], placed_px[:, 0] + 1j * placed_px[:, 1]
    source = source - source[both].mean()
    size = (abs(source[both]) ** 2).sum()
    if size == 0:
        return None
    middle = target[both].mean()
    moved = middle + (source[both].conj() * (target[both] - middle)).sum() / size * source
    return np.stack([moved.real, moved.imag], axis=1)
