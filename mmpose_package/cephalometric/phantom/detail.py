"""What no two X-rays share: strands and air cells in bone, fillings in teeth. It carries no landmark."""

import numpy as np

from cephalometric.phantom.anatomy import Head
from cephalometric.phantom.canvas import Canvas
from cephalometric.phantom.curves import smooth
from cephalometric.phantom.template import LOWER_TEETH, UPPER_TEETH

CELLS = 12
RIDDLED_BONES = ('mastoid cells', 'ethmoid', 'petrous')
# Strands in a bone: how many, and what the strongest attenuates.
STRANDS = {
    'midface': (9, 0.14),
    'ethmoid': (7, 0.16),
    'sphenoid': (6, 0.14),
    'petrous': (12, 0.22),
    'occipital': (8, 0.14),
    'maxilla': (6, 0.1),
    'mandible': (8, 0.06),
    'braincase': (8, -0.06),
}


def add_detail(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Add everything that this module knows to the canvas."""
    for name in RIDDLED_BONES:
        _add_air_cells(canvas, head.curves[name].points, rng)
    for name, (count, weight) in STRANDS.items():
        _add_strands(canvas, head.curves[name].points, count, weight, rng)
    _add_fillings(canvas, head, rng)


def ellipse(radius_x: float, radius_y: float) -> np.ndarray:
    """The outline of an ellipse about (0, 0), shape (40, 2)."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.column_stack([radius_x * np.cos(angles), radius_y * np.sin(angles)])


def _places(outline: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Places well inside an outline, shape (count, 2): centres of triangles between its points."""
    return outline[rng.integers(len(outline), size=(count, 3))].mean(axis=1)


def _add_air_cells(canvas: Canvas, outline: np.ndarray, rng: np.random.Generator) -> None:
    for centre in _places(outline, CELLS, rng):
        cell = centre + ellipse(*rng.uniform(1.2, 3.4, 2))
        canvas.add_solid(cell, -0.12, depth_mm=1.5, rim=0.14, rim_mm=0.6, blur_mm=0.4, bone=True)


def _add_strands(canvas: Canvas, outline: np.ndarray, count: int, weight: float, rng: np.random.Generator) -> None:
    for _ in range(count):
        path = smooth(tuple(_places(outline, 3, rng)), closed=False).points
        width, strength = rng.uniform((0.5, 0.3), (1.3, 1.0))
        canvas.add_line(path, width, weight * strength, blur_mm=0.6, bone=True)


def _add_fillings(canvas: Canvas, head: Head, rng: np.random.Generator) -> None:
    """Amalgam in the crowns of some back teeth."""
    for name, (*_, half_width) in (UPPER_TEETH | LOWER_TEETH).items():
        present, size, aspect = rng.uniform((0, 0.3, 0.6), (1, 0.6, 1.0))
        if 'molar' in name and present < 0.12:
            crown, root = head.curves[name].at('tip'), head.curves[name].at('apex')
            centre = crown + 0.16 * (root - crown) - (half_width * 0.7, 0)
            canvas.add_solid(centre + ellipse(half_width * size, half_width * size * aspect), 1.8, 1.5, blur_mm=0.25)
