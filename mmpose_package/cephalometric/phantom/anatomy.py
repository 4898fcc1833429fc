"""One person's head: the mean head deformed by sampled growth, and the landmarks that follow from its outlines."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from cephalometric.phantom import template
from cephalometric.phantom.canvas import Curve, centroid, crossing, deepest, farthest, smooth

# A growth field is a Gaussian bump of displacement that carries its neighbourhood along, soft tissue with bone.
# Columns: centre x, centre y, reach, standard deviation in x, in y; all in mm of the mean head.
GROWTH_FIELDS = {
    'vault': (-20, -90, 60, 3.0, 5.0),
    'occiput': (-88, -10, 45, 5.0, 3.0),
    'forehead': (62, -35, 25, 2.0, 2.0),
    'nasion': (60, -6, 22, 1.0, 2.5),
    'cranial base': (-25, 38, 30, 2.5, 2.5),
    'ear': (-21, 18, 14, 1.0, 1.5),
    'orbit': (45, 8, 20, 1.5, 1.5),
    'pterygoid': (15, 28, 18, 1.5, 2.0),
    'midface': (48, 36, 34, 2.5, 3.0),
    'alveolus': (60, 52, 20, 1.5, 1.5),
    'lower face': (50, 92, 42, 3.0, 5.0),
    'gonial angle': (-7, 70, 26, 3.0, 4.0),
    'nose': (84, 36, 15, 3.0, 2.5),
    'lips': (76, 67, 12, 1.5, 0.8),
    'chin': (64, 98, 13, 1.5, 1.5),
    'throat': (20, 108, 22, 3.0, 3.0),
    'neck': (-35, 115, 42, 6.0, 3.0),
}
LIMIT_SD = 1.8
SIZE, SIZE_SD = 1.19, 0.022
TILT_SD_DEG = 5.0
JAW_TURN_SD_DEG, JAW_LENGTH_SD = 1.2, 0.02
INCISOR_TURN_SD_DEG = 4.5
CONDYLE = (-10.0, 22.0)
MARGIN_MM = 7.0


@dataclass(frozen=True)
class Head:
    """One person's head, in mm.

    Attributes:
        curves: The outlines by name, skin to teeth.
        landmarks: The position of each landmark, shape (2,), by its abbreviation.
        parallax_mm: How far the structures of one side are projected from those of the other, shape (2,): the
            landmarks lie in the middle.
    """

    curves: dict[str, Curve]
    landmarks: dict[str, np.ndarray]
    parallax_mm: np.ndarray


def sample_head(rng: np.random.Generator) -> Head:
    """Grow a head: sella near (0, 0), Frankfort horizontal, face to the right."""
    jaw = _jaw_growth(rng)
    curves = _mean_curves() | {name: _tooth(name, *tooth, rng) for name, tooth in template.UPPER_TEETH.items()}
    lower = {name: _tooth(name, *tooth, rng) for name, tooth in template.LOWER_TEETH.items()}
    for name in ('mandible', 'marrow', 'symphysis', 'mandibular canal'):
        lower[name] = curves[name]
    curves |= {name: curve.moved(lambda points: points + jaw(points)) for name, curve in lower.items()}
    for name in ('skin', 'hyoid', 'mouth'):
        curves[name] = curves[name].moved(lambda points: points + _below_lips(points) * jaw(points))
    curves = _grown(curves, rng)
    return Head(curves, find_landmarks(curves), parallax_mm=rng.normal(0, 1, 2).clip(-2, 2))


def place_head(head: Head, width_mm: float, height_mm: float, rng: np.random.Generator) -> Head:
    """Tilt a head and put it somewhere into a picture, with all landmarks ``MARGIN_MM`` from its borders or more."""
    angle = np.deg2rad(_normal(rng, 0, TILT_SD_DEG))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = np.array(list(head.landmarks.values())) @ turn
    lowest, highest = points.min(axis=0), points.max(axis=0)
    room = np.array([width_mm, height_mm]) - 2 * MARGIN_MM - (highest - lowest)
    # Not all of the height: a head whose vault is far outside the picture would be taken again.
    share = rng.uniform((0.0, 0.6), (1.0, 1.0))
    shift = MARGIN_MM - lowest + share * room

    def place(points: np.ndarray) -> np.ndarray:
        return points @ turn + shift

    curves = {name: curve.moved(place) for name, curve in head.curves.items()}
    landmarks = {name: place(point) for name, point in head.landmarks.items()}
    return Head(curves, landmarks, head.parallax_mm @ turn)


def find_landmarks(curves: dict[str, Curve]) -> dict[str, np.ndarray]:
    """The landmarks by abbreviation, where a reader would put them on the outlines, Frankfort horizontal.

    The definitions are those of the field. Where the challenge's material leaves one open, it is: UL' the superior and
    LL' the inferior labial sulcus (the deepest points between nose, lips and chin); D the centroid of the symphysis;
    Ptm the lower and PT the upper end of the pterygomaxillary fissure; U6 and L6 the mesial cusps of the first molars;
    C the deepest point of the line from the chin to the neck.
    """
    skin, jaw, maxilla, cranium = (curves[name] for name in ('skin', 'mandible', 'maxilla', 'cranium'))
    fissure, chin = curves['fissure'], jaw.between('infradentale', 'menton')
    subnasale = deepest(skin.between('nose tip', 'upper lip'))
    glabella = farthest(skin.between('forehead', 'nasal root'), 1, 0)
    return {
        'S': centroid(curves['sella'].between('tuberculum', 'dorsum')),
        'N': cranium.at('nasion'),
        'Or': farthest(curves['orbit'].points, 0, 1),
        'Po': farthest(curves['ear rod'].points, 0, -1),
        'A': deepest(maxilla.between('anterior nasal spine', 'prosthion')),
        'B': deepest(jaw.between('infradentale', 'pogonion')),
        'Pog': farthest(jaw.between('pogonion', 'menton'), 1, 0),
        'Me': farthest(jaw.points, 0, 1),
        'Gn': farthest(chin, 1, 1),
        'Go': deepest(jaw.between('menton', 'articulare')),
        'L1': curves['lower incisor'].at('tip'),
        'U1': curves['upper incisor'].at('tip'),
        'UL': farthest(_after(skin.between('nose tip', 'stomion'), subnasale), 1, 0),
        'LL': farthest(skin.between('stomion', 'lower lip'), 1, 0),
        'Sn': subnasale,
        "Pog'": farthest(skin.between('chin', 'soft menton'), 1, 0),
        'PNS': maxilla.at('posterior nasal spine'),
        'ANS': maxilla.at('anterior nasal spine'),
        'Ar': crossing(jaw.between('menton', 'condylion'), curves['lower clivus'].points),
        'D': centroid(curves['symphysis'].points),
        'U1A': curves['upper incisor'].at('apex'),
        'L1A': curves['lower incisor'].at('apex'),
        'Cm': deepest(_before(skin.between('nose tip', 'upper lip'), subnasale)),
        'Ptm': fissure.at('fissure end'),
        'Co': farthest(jaw.between('articulare', 'condylion'), -0.3, -1),
        'Prn': farthest(skin.between('nasal bridge', 'upper lip'), 1, 0),
        'Ba': cranium.at('basion'),
        'PT': farthest(fissure.points, 0, -1),
        'Bo': farthest(cranium.between('occiput', 'occipital condyle'), 0, -1),
        "UL'": deepest(_after(skin.between('nose tip', 'upper lip'), subnasale)),
        "LL'": deepest(skin.between('lower lip', 'chin')),
        "Gn'": farthest(skin.between('chin', 'soft menton'), 1, 1),
        "Me'": farthest(skin.between('chin', 'under jaw'), 0, 1),
        "G'": glabella,
        "N'": deepest(_after(skin.between('forehead', 'nasal bridge'), glabella)),
        'C': deepest(skin.between('soft menton', 'neck')),
        'U6': curves['upper molar 1'].at('tip'),
        'L6': curves['lower molar 1'].at('tip'),
    }


@cache
def _mean_curves() -> dict[str, Curve]:
    closed = {name: smooth(points, closed=True) for name, points in template.CLOSED.items()}
    return closed | {name: smooth(points, closed=False) for name, points in template.OPEN.items()}


def _after(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    return points[np.argmin(np.abs(points - point).sum(axis=1)) :]


def _before(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    return points[: np.argmin(np.abs(points - point).sum(axis=1)) + 1]


def _normal(rng: np.random.Generator, mean: float, sd: float) -> float:
    return mean + sd * float(np.clip(rng.standard_normal(), -LIMIT_SD, LIMIT_SD))


def _tooth(name: str, outline: tuple, edge: tuple, root: tuple, half_width: float, rng: np.random.Generator) -> Curve:
    """A tooth, inclined about the middle of its own axis; the front teeth, which are named, vary most."""
    edge, root = np.array(edge), np.array(root)
    turn = _normal(rng, 0, INCISOR_TURN_SD_DEG if 'incisor' in name else 1.0)
    angle = np.deg2rad(turn)
    axis = (root - edge) @ [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    across = np.array([axis[1], -axis[0]]) / np.hypot(*axis) * half_width
    across *= np.sign(across[0])  # always towards the front
    middle = (edge + root) / 2
    local = np.array([point[:2] for point in outline])
    placed = middle + (local[:, 1:] - 0.5) * axis + local[:, :1] * across
    controls = [tuple(point) for point in placed]
    controls[0] += ('tip',)
    controls[np.argmax(local[:, 1])] += ('apex',)
    return smooth(tuple(controls), closed=True)


def _jaw_growth(rng: np.random.Generator):
    """How the lower jaw differs from the mean one: turned about the condyle, and longer or shorter."""
    angle = np.deg2rad(_normal(rng, 0, JAW_TURN_SD_DEG))
    length = _normal(rng, 1, JAW_LENGTH_SD)
    turn = length * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def displacement(points: np.ndarray) -> np.ndarray:
        from_condyle = points - CONDYLE
        return from_condyle @ turn - from_condyle

    return displacement


def _below_lips(points: np.ndarray) -> np.ndarray:
    """How much soft tissue follows the lower jaw, 0 to 1: none above the lips and none behind the throat."""
    x, y = points[:, :1], points[:, 1:]
    return 1 / (1 + np.exp(-(y - 69) / 2.5)) / (1 + np.exp(-(x - 18) / 6))


def _grown(curves: dict[str, Curve], rng: np.random.Generator) -> dict[str, Curve]:
    """The curves moved by the sum of all growth fields, and by the size of the whole head."""
    fields = np.array(list(GROWTH_FIELDS.values()))
    centres, reaches = fields[:, :2], fields[:, 2]
    amplitudes = fields[:, 3:] * rng.standard_normal((len(fields), 2)).clip(-LIMIT_SD, LIMIT_SD)
    size = _normal(rng, SIZE, SIZE_SD)
    points = np.concatenate([curve.points for curve in curves.values()])
    squared = ((points[:, None] - centres) ** 2).sum(axis=2)
    points = size * (points + np.exp(-squared / (2 * reaches**2)) @ amplitudes)
    ends = np.cumsum([len(curve.points) for curve in curves.values()])
    pieces = np.split(points, ends[:-1])
    return {
        name: Curve(piece, curve.names, curve.closed)
        for (name, curve), piece in zip(curves.items(), pieces, strict=True)
    }
