"""From a head to its X-ray: thickness of bone, soft tissue and air added up, then film, blur and noise."""

from dataclasses import dataclass

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.phantom.anatomy import Head, place_head, sample_head
from cephalometric.phantom.canvas import Canvas, Curve, film, grain
from cephalometric.phantom.furniture import add_detail, add_furniture, collimate
from cephalometric.phantom.template import LOWER_TEETH, UPPER_TEETH, VERTEBRAE

# Picture sizes (width, height) at the three spacings of the challenge's centres.
FORMATS = {0.1: (1935, 2400), 0.125: (1680, 2080), 0.096: (2064, 2400)}
FINEST_MM = 0.2


@dataclass(frozen=True)
class Phantom:
    """A synthetic lateral cephalogram.

    Attributes:
        image: uint8, shape (H, W), never 0, so that zero padding around it can be told from it.
        points_px: The landmarks in the order of the landmark set, shape (K, 2) as x, y, inside the image.
        spacing_mm: Millimetres per pixel.
    """

    image: np.ndarray
    points_px: np.ndarray
    spacing_mm: float


@dataclass(frozen=True)
class Solid:
    """A filled outline. Attenuation rises from its border to ``inside`` over ``depth_mm``, as in something round, and
    the border has a cortex: ``rim`` at the very edge, falling off over ``rim_mm``."""

    inside: float
    depth_mm: float = 3.0
    rim: float = 0.0
    rim_mm: float = 1.2
    blur_mm: float = 0.35
    bone: bool = True
    paired: bool = False


@dataclass(frozen=True)
class Line:
    """A bony plate seen edge-on, or with a negative ``weight`` a suture or canal."""

    width_mm: float
    weight: float
    blur_mm: float = 0.4
    paired: bool = False


_BODY = Solid(0.34, 3, 0.4, 0.8, blur_mm=0.45)
_PILLAR = Solid(0.22, 3, 0.26, 0.8, blur_mm=0.5, paired=True)
_ARCH = Solid(0.2, 3, 0.2, 0.9, blur_mm=0.6)
_TOOTH = Solid(0.38, 2.5, 0.14, 0.6, blur_mm=0.3, paired=True)
_CROWN = Solid(0.34, 1.5, 0.1, 0.6, blur_mm=0.3, paired=True)
_LIGAMENT = Line(0.5, -0.16, blur_mm=0.25, paired=True)
CROWN_SHARE = 0.36

STRUCTURES = {
    'skin': Solid(0.42, 45, 0.06, 1.5, bone=False, blur_mm=0.5),
    'tongue': Solid(0.1, 12, bone=False, blur_mm=1.5),
    'cranium': Solid(0.3, 5, 0.7, 3.0),
    'braincase': Solid(0.35, 60, 0.4, 6, blur_mm=0.6),
    'temporal': Solid(0.22, 40, blur_mm=4.0),
    'occipital': Solid(0.25, 12, blur_mm=3.0),
    'petrous': Solid(0.4, 10, 0.12, 1.5, blur_mm=1.2),
    'otic capsule': Solid(0.35, 5, blur_mm=1.6),
    'mastoid': Solid(0.3, 6, 0.08, 1.0, blur_mm=1.2),
    'mastoid cells': Solid(-0.22, 5, blur_mm=2.0),
    'joint space': Solid(-0.28, 1.5, blur_mm=0.5),
    'sphenoid': Solid(0.12, 5, 0.12, 1.0, blur_mm=0.8),
    'sphenoid sinus': Solid(-0.5, 4, 0.2, 0.7),
    'ethmoid': Solid(0.06, 4, 0.12, 1.0, blur_mm=0.6),
    'frontal sinus': Solid(-0.6, 2, 0.1, 0.7),
    'orbit': Solid(-0.1, 5, 0.4, 0.8, paired=True),
    'orbital rim': Solid(0.28, 2, 0.14, 0.8, blur_mm=0.6, paired=True),
    'nasal bone': Solid(0.3, 1.5, 0.2, 0.8),
    'midface': Solid(0.36, 4, 0.12, 1.0, blur_mm=0.6, paired=True),
    'maxillary sinus': Solid(-0.42, 4, 0.2, 0.7, paired=True),
    'turbinate': Solid(0.1, 4, bone=False, blur_mm=1.0),
    'zygoma': Solid(0.22, 3, 0.2, 0.8, paired=True),
    'nasal cavity': Solid(-0.12, 4, bone=False, blur_mm=1.5),
    'maxilla': Solid(0.36, 5, 0.12, 1.0),
    'palate': Solid(0.12, 1.5, 0.22, 0.7),
    'fissure': Solid(-0.34, 1.5, 0.3, 0.6, paired=True),
    'pterygoid plates': Solid(0.2, 3, 0.14, 0.8, blur_mm=0.6, paired=True),
    'mandible': Solid(0.4, 6, 0.5, 1.4, paired=True),
    'marrow': Solid(-0.12, 6, blur_mm=2.0, paired=True),
    'symphysis': Solid(0.08, 3, 0.5, 1.0),
    'mouth': Solid(-0.1, 6, bone=False, blur_mm=1.5),
    'airway': Solid(-0.26, 5, bone=False, blur_mm=0.8),
    'hyoid': Solid(0.2, 2, 0.16, 0.8, blur_mm=0.5),
    'ear rod': Solid(-0.1, 1, 1.0, 0.5, bone=False, blur_mm=0.25, paired=True),
    **dict.fromkeys(('atlas front', 'axis', *(f'{name} body' for name in VERTEBRAE)), _BODY),
    **dict.fromkeys((f'{name} pillar' for name in VERTEBRAE), _PILLAR),
    **dict.fromkeys(('atlas arch', 'axis arch', *(f'{name} arch' for name in VERTEBRAE)), _ARCH),
    'sella': Line(0.8, 0.5),
    'lower clivus': Line(1.0, 0.4),
    'anterior fossa': Line(1.1, 0.4),
    'orbital roof': Line(1.0, 0.35, paired=True),
    'sphenoid wing': Line(1.2, 0.4, paired=True),
    'ethmoid wall': Line(0.9, 0.25, paired=True),
    'ethmoid cells': Line(0.6, 0.2, paired=True),
    'petrous ridge': Line(1.2, 0.25, blur_mm=0.8, paired=True),
    'nuchal plane': Line(1.4, 0.25, blur_mm=0.8, paired=True),
    'key ridge': Line(1.2, 0.2, blur_mm=0.7, paired=True),
    'zygomatic arch': Line(4.5, 0.16, blur_mm=1.0, paired=True),
    'nasal floor': Line(0.9, 0.3),
    'palate vault': Line(0.9, 0.25),
    'mandibular canal': Line(2.6, -0.1, blur_mm=0.8, paired=True),
    'soft palate': Line(7.0, 0.12, blur_mm=1.2),
    'coronal suture': Line(0.8, -0.07, paired=True),
    'lambdoid suture': Line(0.8, -0.07, paired=True),
    'artery': Line(1.2, -0.07, blur_mm=0.8),
}


def make_phantom(seed: int, size_scale: float = 1.0, landmark_set: str = 'cldetection2023') -> Phantom:
    """Make one synthetic lateral cephalogram, face to the right.

    Args:
        seed: The same seed gives the same picture; the head does not depend on ``size_scale``.
        size_scale: Above 0, at most 1. Below 1 there are fewer and larger pixels: the same millimetres.
        landmark_set: The landmarks wanted, by the name of their set.

    Raises:
        InputError: There is no such landmark set, or one of its landmarks is none of the phantom's.
    """
    anatomy_rng, scene_rng, noise_rng = (np.random.default_rng([seed, stream]) for stream in range(3))
    spacing_mm = list(FORMATS)[scene_rng.integers(len(FORMATS))]
    width, height = (round(size * size_scale) for size in FORMATS[spacing_mm])
    spacing_mm = round(spacing_mm / size_scale, 9)
    head = place_head(sample_head(anatomy_rng), width * spacing_mm, height * spacing_mm, anatomy_rng)
    grey = _expose(head, width, height, spacing_mm, f'PHANTOM {seed}', scene_rng)
    image = _add_noise(grey, spacing_mm, noise_rng)
    points_mm = np.array([_landmark(head, name) for name in load_landmark_set(landmark_set).abbreviations])
    return Phantom(image, points_mm / spacing_mm - 0.5, spacing_mm)


def _landmark(head: Head, abbreviation: str) -> np.ndarray:
    if abbreviation not in head.landmarks:
        raise InputError(f'the phantom has no landmark {abbreviation!r}: it knows {", ".join(head.landmarks)}')
    return head.landmarks[abbreviation]


def _expose(head: Head, width: int, height: int, spacing_mm: float, text: str, rng: np.random.Generator) -> np.ndarray:
    """The noiseless picture, float32 (height, width), from 0 to 255."""
    # Nothing in an X-ray is sharper than the focal spot's shadow: draw no finer than that, then enlarge.
    shrink = min(1.0, spacing_mm / FINEST_MM)
    canvas = Canvas(round(width * shrink), round(height * shrink), spacing_mm / shrink)
    for name, structure in STRUCTURES.items():
        _draw(canvas, head.curves[name], structure, head.parallax_mm)
    for name in (*UPPER_TEETH, *LOWER_TEETH):
        _draw(canvas, head.curves[name], _TOOTH, head.parallax_mm)
        _draw(canvas, head.curves[name], _LIGAMENT, head.parallax_mm)
        _draw(canvas, _crown(head.curves[name]), _CROWN, head.parallax_mm)
    add_detail(canvas, head, rng)
    add_furniture(canvas, head, text, rng)
    texture = grain(width * spacing_mm, height * spacing_mm, canvas.bone.shape, rng)
    attenuation = canvas.bone * (1 + 0.085 * texture) + canvas.soft
    contrast, gamma, black, white = rng.uniform((1.5, 1.3, 4, 235), (2.1, 1.9, 22, 254))
    grey = film(attenuation, contrast, gamma, black, white)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.15, 0.35) / canvas.spacing_mm)
    collimate(grey, canvas.spacing_mm, rng)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)


def _crown(tooth: Curve) -> Curve:
    """The part of a tooth that enamel covers."""
    axis = tooth.at('apex') - tooth.at('tip')
    share = (tooth.points - tooth.at('tip')) @ axis / (axis @ axis)
    return Curve(tooth.points[share < CROWN_SHARE], {}, closed=True)


def _draw(canvas: Canvas, curve: Curve, structure: Solid | Line, parallax_mm: np.ndarray) -> None:
    """Draw a structure; one of a pair is drawn twice, left and right, half each and a little apart."""
    options = dict(vars(structure))
    copies = (-0.5, 0.5) if options.pop('paired') else (0.0,)
    strength = ('inside', 'rim') if isinstance(structure, Solid) else ('weight',)
    options |= {key: options[key] / len(copies) for key in strength}
    for share in copies:
        points = curve.points + share * parallax_mm
        if isinstance(structure, Solid):
            canvas.add_solid(points, **options)
        else:
            canvas.add_line(points, **options, closed=curve.closed, bone=True)


def _add_noise(grey: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Film grain and quantum noise; the result is never 0, which is what padding is made of."""
    noise = rng.standard_normal(grey.shape, np.float32)
    sigma = 0.08 / spacing_mm
    if sigma > 0.3:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma) * (2 * sigma)
    noise *= rng.uniform(1.5, 4.0)
    noise += grey
    return np.clip(np.rint(noise), 1, 255).astype(np.uint8)
