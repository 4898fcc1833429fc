"""A sheet of paper to draw on: lines, letters and pictures in millimetres from the upper left corner, as PDF and PNG.

Everything that is drawn for people to keep is drawn by it once, and leaves as vectors or as pixels.
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.files import atomic_write

Colour = tuple[float, float, float]
INK: Colour = (0.1, 0.1, 0.12)
GREY: Colour = (0.45, 0.45, 0.48)
POINTS_PER_MM = 72 / 25.4
SIZES_MM = {'A4': (210.0, 297.0), 'Letter': (215.9, 279.4)}
REGULAR, BOLD = 'DejaVuSans', 'DejaVuSans-Bold'
PIXELS_PER_MM = 8  # Of pictures on paper: 200 an inch.
_DASHES = {'solid': (), 'dashed': (6, 4), 'dotted': (1.5, 3)}


def on_paper(bgr: tuple[int, int, int]) -> Colour:
    """A colour of the drawings that OpenCV makes."""
    blue, green, red = (part / 255 for part in bgr)
    return red, green, blue


@cache
def _use_fonts() -> None:
    """Letters that know primes, degrees and minus signs; they come with matplotlib."""
    import matplotlib
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    for name in (REGULAR, BOLD):
        registerFont(TTFont(name, Path(matplotlib.get_data_path(), 'fonts', 'ttf', f'{name}.ttf')))


def words_width(words: str, size: float, bold: bool = False) -> float:
    """How long words are, in the unit of ``size``, the height of the letters."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    _use_fonts()
    return stringWidth(words, BOLD if bold else REGULAR, size)


@dataclass(frozen=True)
class Style:
    """How a line looks: its colour, its width in the unit of the sheet, and 'solid', 'dashed' or 'dotted'."""

    colour: Colour = INK
    width: float = 0.25
    dash: str = 'solid'


class Paper:
    """Sheets of one size, the first of which is there from the start.

    Args:
        width, height: In units of the sheet, from its upper left corner, x right, y down.
        unit_mm: The unit in millimetres.
        title: What readers of the file call it.
    """

    def __init__(self, width: float, height: float, unit_mm: float = 1.0, title: str = '') -> None:
        # Loaded here: it takes a while, and most commands draw nothing.
        from reportlab.pdfgen.canvas import Canvas

        _use_fonts()
        self.width, self.height = width, height
        self._scale = unit_mm * POINTS_PER_MM
        self._data = io.BytesIO()
        # Without times, so that the same content gives the same file.
        self._canvas: Any = Canvas(self._data, (width * self._scale, height * self._scale), invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator('cephalometric')

    def new_sheet(self) -> None:
        """End the sheet and begin the next one."""
        self._canvas.showPage()

    def line(self, start: Sequence[float], end: Sequence[float], style: Style) -> None:
        """A straight line with round ends."""
        canvas = self._canvas
        canvas.setStrokeColorRGB(*style.colour)
        canvas.setLineWidth(style.width * self._scale)
        canvas.setLineCap(1)
        canvas.setDash([part * style.width * self._scale for part in _DASHES[style.dash]])
        canvas.line(*self._at(start), *self._at(end))

    def arc(self, centre: Sequence[float], radius: float, begin: float, extent: float, style: Style) -> None:
        """Part of a circle; angles in degrees, clockwise from the right."""
        steps = np.radians(begin + np.linspace(0, extent, max(int(abs(extent) / 4), 2)))
        points = np.asarray(centre) + radius * np.stack([np.cos(steps), np.sin(steps)], axis=1)
        for one, other in itertools.pairwise(points):
            self.line(one, other, style)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour | None, style: Style | None) -> None:
        """A rectangle by its upper left corner."""
        canvas = self._pen(fill, style)
        left, bottom = self._at((x, y + height))
        canvas.rect(
            left, bottom, width * self._scale, height * self._scale, int(style is not None), int(fill is not None)
        )

    def dot(self, centre: Sequence[float], radius: float, fill: Colour | None, style: Style | None) -> None:
        """A disc, a ring, or both."""
        canvas = self._pen(fill, style)
        canvas.circle(*self._at(centre), radius * self._scale, int(style is not None), int(fill is not None))

    def words(
        self,
        words: str,
        place: Sequence[float],
        size: float,
        colour: Colour = INK,
        bold: bool = False,
        align: str = 'left',
        rim: Colour | None = None,
    ) -> None:
        """A line of words.

        Args:
            words: Anything; line ends and other control characters are left out.
            place: The left, middle or right end of the line on which the letters stand, as ``align`` says.
            size: The height of the letters in units of the sheet.
            colour: Of the letters.
            bold: Heavy letters.
            align: 'left', 'middle' or 'right'.
            rim: Drawn around every letter, for letters on a picture.
        """
        words = ''.join(letter for letter in words if letter.isprintable())
        x, y = self._at(place)
        x -= {'left': 0, 'middle': 0.5, 'right': 1}[align] * words_width(words, size, bold) * self._scale
        for stroke in (rim, None) if rim is not None else (None,):
            self._canvas.saveState()
            text = self._canvas.beginText(x, y)
            text.setFont(BOLD if bold else REGULAR, size * self._scale)
            text.setFillColorRGB(*(colour if stroke is None else stroke))
            if stroke is not None:
                self._canvas.setLineWidth(0.16 * size * self._scale)
                self._canvas.setDash([])
                self._canvas.setLineJoin(1)
                text.setStrokeColorRGB(*stroke)
            text.setTextRenderMode(0 if stroke is None else 1)
            text.textOut(words)
            self._canvas.drawText(text)
            self._canvas.restoreState()  # How letters are filled would hold for all that follow.

    def picture(self, image: np.ndarray, x: float, y: float, width: float, height: float, sharp: bool = False) -> None:
        """An image in a rectangle, as many pixels of it as paper shows.

        Args:
            image: uint8, shape (H, W), or (H, W, 3) in RGB order.
            x, y: The upper left corner.
            width, height: The size; the image fills it.
            sharp: Keep every pixel.
        """
        from reportlab.lib.utils import ImageReader

        pixels = image if image.ndim == 2 else image[..., ::-1]
        shrink = width * self._scale / POINTS_PER_MM * PIXELS_PER_MM / image.shape[1]
        if not sharp and shrink < 1:
            pixels = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        quality = 95 if sharp else 90
        encoded = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        left, bottom = self._at((x, y + height))
        reader = ImageReader(io.BytesIO(encoded))
        self._canvas.drawImage(reader, left, bottom, width * self._scale, height * self._scale)

    def keep_inside(self, x: float, y: float, width: float, height: float) -> '_Inside':
        """Nothing that is drawn in this block goes beyond a rectangle."""
        left, bottom = self._at((x, y + height))
        return _Inside(self._canvas, (left, bottom, width * self._scale, height * self._scale))

    def pdf(self) -> bytes:
        """All sheets; nothing can be drawn after."""
        self._canvas.save()
        return self._data.getvalue()

    def _pen(self, fill: Colour | None, style: Style | None) -> Any:
        """The canvas, set to fill and to draw outlines so."""
        if fill is not None:
            self._canvas.setFillColorRGB(*fill)
        if style is not None:
            self._canvas.setStrokeColorRGB(*style.colour)
            self._canvas.setLineWidth(style.width * self._scale)
            self._canvas.setDash([])
        return self._canvas

    def _at(self, place: Sequence[float]) -> tuple[float, float]:
        return float(place[0]) * self._scale, (self.height - float(place[1])) * self._scale


class _Inside:
    def __init__(self, canvas: Any, rectangle: tuple[float, float, float, float]) -> None:
        self._canvas, self._rectangle = canvas, rectangle

    def __enter__(self) -> None:
        self._canvas.saveState()
        path = self._canvas.beginPath()
        path.rect(*self._rectangle)
        self._canvas.clipPath(path, stroke=0, fill=0)

    def __exit__(self, *_: object) -> None:
        self._canvas.restoreState()


def to_pixels(pdf: bytes, pixels_per_point: float = 2.0) -> np.ndarray:
    """The first sheet of a PDF as a picture, uint8, shape (H, W, 3) in BGR order."""
    return next(all_to_pixels(pdf, pixels_per_point))


def all_to_pixels(pdf: bytes, pixels_per_point: float = 2.0) -> Iterator[np.ndarray]:
    """Each sheet of a PDF as a picture, uint8, shape (H, W, 3) in BGR order."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        for sheet in document:
            # A copy: the pixels belong to the document.
            yield np.ascontiguousarray(sheet.render(scale=pixels_per_point).to_numpy()[..., :3])
    finally:
        document.close()


def check_size_name(name: str) -> tuple[float, float]:
    """Width and height of a sheet in mm.

    Raises:
        InputError: There is no such size.
    """
    if name not in SIZES_MM:
        raise InputError(f'--paper {name}: there are {", ".join(SIZES_MM)}')
    return SIZES_MM[name]


def write_pdf(path: Path, pdf: bytes) -> None:
    """Write a PDF whole or not at all.

    Raises:
        InputError: It cannot be written there.
    """
    with atomic_write(path) as partial:
        partial.write_bytes(pdf)


def fitting(words: str, size: float, room: float, bold: bool = False) -> str:
    """Words cut to a room, with three dots where something is left out."""
    if words_width(words, size, bold) <= room:
        return words
    while words and words_width(f'{words}…', size, bold) > room:
        words = words[:-1]
    return f'{words.rstrip()}…'


def wrapped(words: str, size: float, room: float, bold: bool = False) -> list[str]:
    """Words in lines that fit into a room; what is too long by itself is cut."""
    lines = ['']
    for word in words.split():
        longer = f'{lines[-1]} {word}'.strip()
        if lines[-1] and words_width(longer, size, bold) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitting(line, size, room, bold) for line in lines]
