"""Drawn pictures that are no lateral cephalograms: other X-rays, pages, charts, screens, noise and patterns.

All are made from a seed alone. Lengths are parts of the picture's height unless they say otherwise.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

Picture = np.ndarray
WORDS = (
    'patient',
    'head',
    'film',
    'bone',
    'the',
    'of',
    'and',
    'left',
    'measured',
    'normal',
    'angle',
    'with',
    'findings',
)
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
SIZES = ((1935, 2400), (1000, 1300), (2000, 1000), (640, 480), (1024, 1024), (300, 400))


def drawings() -> Iterator[tuple[str, Picture]]:
    """All of them, each with a name that is unique."""
    kinds: dict[Callable, int] = {
        frontal_skull: 8, panoramic: 8, hand: 5, chest: 5, knee: 5, spine: 5, pelvis: 4, periapical: 5, text_page: 12,
        chart: 12, screen: 8, noise: 18, pattern: 18,
    }  # fmt: skip
    for kind, count in kinds.items():
        for number in range(count):
            rng = np.random.default_rng([number, *kind.__name__.encode()])
            size = SIZES[number % len(SIZES)]
            if kind is panoramic:
                size = ((2400, 1200), (1500, 800), (2600, 1300))[number % 3]
            yield f'{kind.__name__} {number + 1}', kind(size, number, rng)


class Film:
    """A picture of what is drawn, as an X-ray shows it: thicker is brighter, borders are soft, grain lies over it."""

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.size, self.rng = size, rng
        # Drawn small: its lines are soft, and smooth when they are enlarged.
        self.height = min(size[1], 600)
        self.width = round(self.height * size[0] / size[1])
        self.aspect = self.width / self.height
        self.thickness = np.zeros((self.height, self.width), np.float32)

    def bone(self, points: np.ndarray, level: float, rim: float = 0.25, soft: float = 0.004) -> None:
        """Add a filled outline, shape (N, 2), with a bright border."""
        pixels = np.round(np.asarray(points) * self.height).astype(np.int32)
        layer = np.zeros_like(self.thickness)
        cv2.fillPoly(layer, [pixels], level)
        cv2.polylines(layer, [pixels], True, level + rim, max(1, round(0.008 * self.height)))
        self.thickness += cv2.GaussianBlur(layer, (0, 0), max(0.5, soft * self.height))

    def oval(self, x: float, y: float, rx: float, ry: float, level: float, turn: float = 0, **kwargs: float) -> None:
        """Add an ellipse about (x, y), turned by that many degrees."""
        angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        angle = np.deg2rad(turn)
        across, along = rx * np.cos(angles), ry * np.sin(angles)
        shape = [across * np.cos(angle) - along * np.sin(angle), across * np.sin(angle) + along * np.cos(angle)]
        self.bone(np.stack(shape, axis=1) + (x, y), level, **kwargs)

    def rod(self, start: tuple[float, float], end: tuple[float, float], width: float, level: float) -> None:
        """Add a long bone, wider at its ends."""
        start, end = np.array(start), np.array(end)
        along = (end - start) / np.hypot(*(end - start))
        across = np.array([-along[1], along[0]])
        half = width / 2 * np.array([1.25, 0.8, 0.7, 0.8, 1.25])
        middles = start + np.linspace(0, 1, 5)[:, None] * (end - start)
        sides = [middles + half[:, None] * across, (middles - half[:, None] * across)[::-1]]
        self.bone(np.concatenate(sides), level)

    def develop(self) -> Picture:
        """Grey values of what was drawn; some films are darker, some have a bright border."""
        gamma, contrast = self.rng.uniform((0.6, 0.8), (1.5, 1.8))
        absorbed = 1 - np.exp(-contrast * np.maximum(self.thickness + 0.06, 0))
        grey = cv2.resize(250 * absorbed**gamma + 3, self.size, interpolation=cv2.INTER_LINEAR)
        grey += cv2.GaussianBlur(self.rng.normal(0, 8, grey.shape).astype(np.float32), (3, 3), 0)
        grey = np.clip(grey, 1, 255).astype(np.uint8)
        if self.rng.random() < 0.25:
            grey[: len(grey) // 30] = grey[:, -len(grey) // 30 :] = 245
        return grey


def frontal_skull(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A skull from the front."""
    film = Film(size, rng)
    x, wide = film.aspect / 2, min(0.27, 0.4 * film.aspect) * rng.uniform(0.9, 1.1)
    film.oval(x, 0.5, 1.15 * wide, 0.45, 0.25, rim=0.02, soft=0.02)
    film.oval(x, 0.38, wide, 0.3, 0.4, rim=0.6)
    film.oval(x, 0.75, 0.62 * wide, 0.14, 0.35, rim=0.4)
    for side in (-1, 1):
        film.oval(x + 0.42 * side * wide, 0.47, 0.27 * wide, 0.06, -0.35, rim=0.5)
        film.rod((x + 0.8 * side * wide, 0.6), (x + 0.65 * side * wide, 0.8), 0.06, 0.3)
        for tooth in range(6):
            for y in (0.7, 0.745):
                film.oval(x + side * (0.04 + 0.08 * tooth) * wide, y, 0.035 * wide, 0.02, 0.4, rim=0.1)
    film.bone(np.array([[0, 0.48], [0.12, 0.6], [-0.12, 0.6]]) * (wide / 0.27, 1) + (x, 0), -0.3, rim=0.3)
    for vertebra in range(4):
        film.oval(x, 0.88 + 0.05 * vertebra, 0.2 * wide, 0.022, 0.3)
    return film.develop()


def panoramic(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Both jaws unrolled."""
    film = Film(size, rng)
    x, reach = film.aspect / 2, 0.42 * film.aspect
    t = np.linspace(-1, 1, 60)
    lower = np.stack([x + reach * t, 0.86 - 0.52 * t**4 - 0.06 * t**2], axis=1)
    upper = np.stack([x + 0.86 * reach * t, 0.7 - 0.5 * t**4 - 0.1 * t**2], axis=1)
    film.bone(np.concatenate([lower, upper[::-1]]), 0.35, rim=0.4)
    film.oval(x, 0.3, 0.6 * reach, 0.12, 0.25)
    for side in (-1, 1):
        film.oval(x + side * 0.95 * reach, 0.24, 0.05, 0.07, 0.4)
        film.oval(x + side * 0.4 * reach, 0.25, 0.3 * reach, 0.08, -0.2)
        for tooth in range(8):
            at = side * (0.04 + 0.09 * tooth) * reach
            lift = 0.08 * (at / reach) ** 2
            film.rod((x + at, 0.33 - lift), (x + at, 0.49 - lift), 0.05, 0.4)
            film.rod((x + at, 0.52 - lift), (x + at, 0.7 - lift), 0.045, 0.4)
    return film.develop()


def hand(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A hand with its wrist."""
    film = Film(size, rng)
    x, unit = film.aspect / 2, min(1, film.aspect / 0.75)
    film.oval(x, 0.66, 0.2 * unit, 0.2, 0.15, rim=0.03, soft=0.01)
    for finger, turn in enumerate(rng.normal((-52, -18, -2, 12, 26), 3)):
        at = np.array([x + (finger - 2) * 0.06 * unit, 0.72])
        way = np.array([np.sin(np.deg2rad(turn)), -np.cos(np.deg2rad(turn))])
        for length in (0.2, 0.14, 0.09, 0.06)[: 3 if finger == 0 else 4]:
            after = at + way * length * unit * (0.8 if finger in (0, 4) else 1)
            film.rod(at, after - 0.012 * way, 0.035 * unit, 0.45)
            at = after
    for place in range(8):
        film.oval(x + (place % 4 - 1.5) * 0.05 * unit, 0.77 + 0.05 * (place // 4), 0.026 * unit, 0.024, 0.4)
    film.rod((x - 0.05 * unit, 0.87), (x - 0.05 * unit, 1.2), 0.08 * unit, 0.5)
    film.rod((x + 0.06 * unit, 0.87), (x + 0.05 * unit, 1.2), 0.06 * unit, 0.5)
    return film.develop()


def chest(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A chest from the front."""
    film = Film(size, rng)
    x, wide = film.aspect / 2, min(0.45, 0.48 * film.aspect)
    film.oval(x, 0.6, wide, 0.62, 0.7, rim=0.02, soft=0.02)
    for side in (-1, 1):
        film.oval(x + side * 0.48 * wide, 0.5, 0.36 * wide, 0.34, -0.5, turn=6 * side, rim=0.05, soft=0.01)
        for rib in range(9):
            film.rod((x, 0.16 + 0.07 * rib), (x + side * 0.9 * wide, 0.24 + 0.075 * rib), 0.022, 0.15)
        film.rod((x + side * 0.1 * wide, 0.14), (x + side * 0.95 * wide, 0.09), 0.03, 0.3)
    film.oval(x + 0.15 * wide, 0.62, 0.3 * wide, 0.17, 0.5, turn=25, rim=0.02, soft=0.01)
    for vertebra in range(18):
        film.oval(x, 0.03 + 0.055 * vertebra, 0.09 * wide, 0.022, 0.25)
    return film.develop()


def knee(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A knee, from the front or from the side."""
    film = Film(size, rng)
    x, bend = film.aspect / 2, rng.uniform(-0.15, 0.15)
    film.rod((x + bend, -0.2), (x - bend / 2, 1.2), 0.4, 0.15)
    film.rod((x + bend, -0.2), (x, 0.46), 0.2, 0.6)
    film.rod((x, 0.5), (x - bend, 1.2), 0.18, 0.6)
    film.rod((x + 0.1, 0.54), (x + 0.1 - bend, 1.2), 0.06, 0.4)
    film.oval(x + rng.uniform(-0.16, 0.02), 0.4, 0.06, 0.08, 0.3)
    return film.develop()


def spine(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A neck or a lower back from the side."""
    film = Film(size, rng)
    count, curve, lean = rng.integers(5, 9), rng.uniform(-0.2, 0.2), rng.uniform(-0.1, 0.1)
    film.oval(film.aspect / 2, 0.5, 0.3, 0.7, 0.2, rim=0.02, soft=0.02)
    for t in np.linspace(0.02, 0.98, count):
        x = film.aspect / 2 + curve * (4 * (t - 0.5) ** 2 - 0.5) + lean * t
        film.oval(x, t, 0.09, 0.36 / count, 0.45, turn=60 * curve * (t - 0.5))
        film.rod((x - 0.1, t), (x - 0.24, t + 0.05), 0.035, 0.3)
    return film.develop()


def pelvis(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A pelvis with both hips."""
    film = Film(size, rng)
    x, unit = film.aspect / 2, min(1, film.aspect)
    film.oval(x, 0.5, 0.48 * unit, 0.5, 0.2, rim=0.02, soft=0.02)
    for side in (-1, 1):
        film.oval(x + side * 0.25 * unit, 0.3, 0.14 * unit, 0.2, 0.45, turn=-25 * side, rim=0.3)
        film.oval(x + side * 0.1 * unit, 0.68, 0.08 * unit, 0.06, -0.15, rim=0.6)
        film.oval(x + side * 0.3 * unit, 0.55, 0.06 * unit, 0.06, 0.5)
        film.rod((x + side * 0.34 * unit, 0.62), (x + side * 0.32 * unit, 1.2), 0.09 * unit, 0.6)
    for vertebra in range(5):
        film.oval(x, 0.03 + 0.09 * vertebra, 0.07 * unit, 0.035, 0.4)
    return film.develop()


def periapical(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Some teeth, close by."""
    film = Film(size, rng)
    film.bone(np.array([[-0.1, 0.35], [film.aspect + 0.1, 0.35], [film.aspect + 0.1, 1.1], [-0.1, 1.1]]), 0.3)
    for x in np.arange(0.1, film.aspect, 0.22):
        film.bone(np.array([[0, 0.12], [0.18, 0.12], [0.17, 0.4], [0.1, 0.9], [0.03, 0.4]]) + (x - 0.1, 0), 0.45)
        film.rod((x, 0.35), (x, 0.8), 0.015, -0.2)
    picture = film.develop()
    return picture[::-1].copy() if number % 2 else picture


def text_page(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """A page of text: dark on white, or white on black, large or small."""
    width, height = size
    page = np.full((height, width), 255, np.uint8)
    scale = height / 2400 * (0.9, 1.6, 3.0, 6.0)[number % 4]
    font, line, y = FONTS[number % len(FONTS)], round(45 * scale), round(height / 15)
    while y < 0.95 * height:
        text = ' '.join(rng.choice(WORDS, rng.integers(3, 40)))[: int(width * 0.88 / (18 * scale))]
        cv2.putText(page, text, (width // 15, y), font, scale, 20, max(1, round(2 * scale)), cv2.LINE_AA)
        y += line if rng.random() < 0.9 else 2 * line
    if number % 3 == 1:
        return 255 - page
    return cv2.applyColorMap(page, cv2.COLORMAP_PINK) if number % 3 == 2 else page


def chart(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Bars, curves, points or a pie, with axes."""
    width, height = size
    picture = np.full((height, width, 3), 255 if number % 2 else 25, np.uint8)
    ink, pen = (30, 30, 30) if number % 2 else (230, 230, 230), max(1, height // 300)
    left, below = width // 8, height - height // 8
    cv2.line(picture, (left, height // 10), (left, below), ink, pen)
    cv2.line(picture, (left, below), (width - left // 2, below), ink, pen)
    colours = rng.integers(40, 220, (12, 3)).tolist()
    x = np.linspace(left, width - left, 10 if number % 4 == 0 else 120).astype(int)
    for n in range(1 if number % 4 == 0 else 4):
        y = below - (rng.uniform(0.05, 0.8, len(x)) if number % 4 == 0 else
                     0.4 + 0.3 * np.sin(np.linspace(0, 4 + 3 * n, len(x)) + n)) * 0.8 * height  # fmt: skip
        if number % 4 == 0:
            for place, (at, top) in enumerate(zip(x, y.astype(int), strict=True)):
                cv2.rectangle(picture, (at, top), (at + width // 18, below), colours[place], -1)
        elif number % 4 == 1:
            cv2.polylines(picture, [np.stack([x, y.astype(int)], axis=1).astype(np.int32)], False, colours[n], 2 * pen)
        elif number % 4 == 2:
            for at in np.clip(rng.normal((width / 2, height / 2), (width / 8, height / 8), (120, 2)), 0, None):
                cv2.circle(picture, at.astype(int).tolist(), 3 * pen, colours[n], -1)
        else:
            start = 90 * n + 10 * number
            radius = min(size) // 3
            cv2.ellipse(picture, (width // 2, height // 2), (radius, radius), 0, start, start + 88, colours[n], -1)
    for n in range(6):
        cv2.putText(picture, f'{20 * n}', (left // 4, below - n * height // 8), FONTS[0], height / 1200, ink, pen)
    return picture


def screen(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Windows, buttons and lists."""
    width, height = size
    picture = np.full((height, width, 3), rng.integers(0, 255, 3), np.uint8)
    for _ in range(rng.integers(4, 14)):
        corner = rng.uniform(0, 0.7, 2) * size
        far = corner + rng.uniform(0.1, 0.6, 2) * size
        left, top, right, bottom = map(int, (*corner, *far))
        cv2.rectangle(picture, (left, top), (right, bottom), rng.integers(0, 255, 3).tolist(), -1)
        cv2.rectangle(picture, (left, top), (right, top + height // 30), rng.integers(0, 255, 3).tolist(), -1)
        for y in range(top + height // 15, min(bottom, height), height // 25):
            ink = rng.integers(0, 255, 3).tolist()
            cv2.putText(picture, ' '.join(rng.choice(WORDS, 3)), (left + 5, y), FONTS[0], height / 1500, ink)
    return picture


def noise(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Noise of several spectra, from white to clouds, grey and coloured, dim and bright."""
    width, height = size
    channels = 3 if number % 3 == 2 else 1
    grid = rng.standard_normal((height // 2, width // 2, channels))
    frequency = np.hypot(np.fft.fftfreq(height // 2)[:, None], np.fft.fftfreq(width // 2)[None])
    power = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)[number % 6]
    weight = 1 / np.maximum(frequency, 1 / height) ** power
    grid = np.fft.ifft2(np.fft.fft2(grid, axes=(0, 1)) * weight[..., None], axes=(0, 1)).real
    grid /= grid.std()
    spread, middle = ((50, 128), (20, 40), (30, 210))[number // 6]
    grey = np.clip(middle + spread * grid, 1, 255).astype(np.uint8)
    return cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR)


def pattern(size: tuple[int, int], number: int, rng: np.random.Generator) -> Picture:
    """Gradients, one grey, ellipses, stripes, squares and rings."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    turn = rng.uniform(0, np.pi)
    along, radius = x * np.cos(turn) + y * np.sin(turn), np.hypot((x - 0.5) * width / height, y - 0.5)
    picture = (
        abs(along) / 1.5,
        np.full_like(x, rng.uniform(0.1, 1)),
        np.where(radius < 0.35, 0.3 + np.sqrt(np.maximum(0.35**2 - radius**2, 0)), 0.02),
        0.5 + 0.5 * np.sin(along * rng.uniform(10, 200)),
        ((x * 8).astype(int) + (y * 8).astype(int)) % 2 * 0.9 + 0.05,
        0.5 + 0.5 * np.cos(radius * rng.uniform(20, 150)),
    )[number % 6]
    grey = np.clip(255 * picture, 1, 255).astype(np.uint8)
    for _ in range(0 if number < 6 else 12):
        centre, axes = (rng.uniform(0, 1, 2) * size).astype(int), (rng.uniform(0.02, 0.3, 2) * height).astype(int)
        colour = int(rng.integers(0, 255))
        cv2.ellipse(grey, centre.tolist(), axes.tolist(), rng.uniform(0, 180), 0, 360, colour, rng.choice([-1, 5, 20]))
    return cv2.GaussianBlur(grey, (0, 0), height / 150) if number >= 12 else grey
