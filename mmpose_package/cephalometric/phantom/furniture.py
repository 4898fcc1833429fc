"""What is in a phantom beside its anatomy, and carries no landmark.

What no two X-rays share: strands and air cells in bone, fillings in teeth. What is in the picture beside the head:
ruler and nasal rest of the head holder, letters, shoulder, collimation.
"""

import numpy as np

from cephalometric.phantom.anatomy import Head
from cephalometric.phantom.canvas import Canvas, smooth
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


def add_furniture(canvas: Canvas, head: Head, text: str, rng: np.random.Generator) -> None:
    """Add the holder in front of the forehead, a side marker, a label, perhaps a shoulder and a gradient of scatter."""
    height, width = canvas.soft.shape
    size_mm = np.array([width, height]) * canvas.spacing_mm
    _add_scatter(canvas, rng)
    _add_holder(canvas, head, size_mm, rng)
    _add_letters(canvas, head, text, size_mm, rng)
    if rng.random() < 0.7:
        _add_shoulder(canvas, size_mm, rng)


def collimate(grey: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> None:
    """Darken or brighten the borders, in place, as diaphragm and film holder do; some pictures have none."""
    kind = rng.choice(['none', 'dark', 'bright'], p=[0.3, 0.4, 0.3])
    left, top, right, bottom = np.maximum(0, np.round(rng.uniform(0, 3.5, 4) / spacing_mm)).astype(int)
    level = {'none': None, 'dark': rng.uniform(2, 10), 'bright': rng.uniform(235, 252)}[kind]
    if level is None:
        return
    height, width = grey.shape
    grey[:top] = grey[height - bottom :] = level
    grey[:, :left] = grey[:, width - right :] = level


def _add_scatter(canvas: Canvas, rng: np.random.Generator) -> None:
    height, width = canvas.soft.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope_x, slope_y, bowl = rng.uniform((-0.03, -0.03, 0), (0.06, 0.03, 0.05)).astype(np.float32)
    canvas.soft += 0.04 + slope_x * x + slope_y * y + bowl * (x * x + y * y)
    canvas.soft -= min(0, canvas.soft.min())


def _add_holder(canvas: Canvas, head: Head, size_mm: np.ndarray, rng: np.random.Generator) -> None:
    """A rod from above with a millimetre scale at its end, and a plastic rest that touches the bridge of the nose."""
    rest_x, rest_y = head.landmarks["N'"] + (1.5, rng.uniform(-4, 2))
    rod_x = min(rest_x + rng.uniform(14, 22), size_mm[0] - 14)
    length = rng.choice([40, 50, 60])
    end = rest_y - 6
    for half_width, top, bottom, weight in ((5.0, -5, end - length - 8, 0.1), (1.2, -5, end, 0.35)):
        _add_box(canvas, rod_x - half_width, top, rod_x + half_width, bottom, weight)
    _add_box(canvas, rod_x - 4, end - 8, rod_x + 4.5, rest_y + 5, 0.2)
    _add_box(canvas, rest_x, rest_y - 1.5, rod_x + 4.5, rest_y + 5, 0.2)
    _add_box(canvas, rest_x, rest_y - 1.5, rest_x + 5, rest_y + 9, 0.2)
    _add_box(canvas, rod_x - 1.2, end - length, rod_x + 3.5, end, 0.5)
    for mm in range(length + 1):
        tick = 3.4 if mm % 10 == 0 else 2.6 if mm % 5 == 0 else 1.6
        y = end - mm
        canvas.add_line(np.array([[rod_x, y], [rod_x + tick, y]]), 0.35, 1.6)


def _add_box(canvas: Canvas, left: float, top: float, right: float, bottom: float, weight: float) -> None:
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    canvas.add_solid(corners, weight, depth_mm=1.0, rim=weight / 2, rim_mm=0.5, blur_mm=0.25)


def _add_letters(canvas: Canvas, head: Head, text: str, size_mm: np.ndarray, rng: np.random.Generator) -> None:
    """A lead letter for the side that faces the film, clear of the profile, and the label."""
    width, height = size_mm
    letter_mm = rng.uniform(7, 10)
    places = rng.uniform((width - 20, head.landmarks["N'"][1] + 25), (width - 12, height - 12), size=(12, 2))
    points = np.array(list(head.landmarks.values()))
    middles = places + (0.4 * letter_mm, -0.5 * letter_mm)
    clearance = np.hypot(*(middles[:, None] - points).transpose(2, 0, 1)).min(axis=1)
    left, base = places[np.argmax(clearance)]
    canvas.add_text(str(rng.choice(['L', 'R'])), left, base, letter_mm, weight=2.2)
    canvas.add_text(text, width - 50, height - 4, height_mm=2.4, weight=1.2)


def _add_shoulder(canvas: Canvas, size_mm: np.ndarray, rng: np.random.Generator) -> None:
    """A shoulder in the lower left corner, as opaque as it is in life."""
    radii = rng.uniform((45, 14), (75, 26))
    centre = np.array([rng.uniform(-5, 15), size_mm[1] + 2])
    canvas.add_solid(centre + ellipse(*radii), 1.3, depth_mm=6, blur_mm=1.0)
