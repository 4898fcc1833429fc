"""How figures look and leave: one style, as PNG for files and as SVG inside a page."""

import io
import re

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from cephalometric.names import printable

INK = '#1b1f24'  # The only dark colour: in SVG it becomes the page's text colour, so that figures follow a dark theme.
GREY = '#8a929b'
HIDDEN_SPACE = '\u200b'  # Of no width.
_STYLE = {
    'font.size': 10,
    'axes.edgecolor': GREY,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.axisbelow': True,
    'axes.grid': True,
    'grid.color': GREY,
    'grid.alpha': 0.3,
    'grid.linewidth': 0.6,
    'legend.frameon': False,
    'svg.fonttype': 'none',
    **dict.fromkeys(('text.color', 'axes.labelcolor', 'axes.titlecolor', 'xtick.color', 'ytick.color'), INK),
}


def new_axes(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of that size in inches with axes side by side, in the style of the report."""
    figure = Figure(figsize=(width, height), layout='constrained')
    with matplotlib.rc_context(_STYLE):
        return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def plain(text: str) -> str:
    """A name as a figure takes it: matplotlib leaves what begins with an underscore out of legends."""
    text = printable(text)
    return f'{HIDDEN_SPACE}{text}' if text.startswith('_') else text


def _take_text_as_it_is(figure: Figure) -> None:
    """No formula is meant by the dollar signs of a name."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def as_png(figure: Figure) -> bytes:
    """The figure on white, 150 pixels an inch."""
    buffer = io.BytesIO()
    _take_text_as_it_is(figure)
    figure.savefig(buffer, format='png', dpi=150, facecolor='white')
    return buffer.getvalue()


def as_svg(figure: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element to put into a page: transparent, in the colour of the text around it.

    Args:
        figure: What to draw.
        name: Unique in the page; it keeps the identifiers of several figures apart.
    """
    buffer = io.StringIO()
    _take_text_as_it_is(figure)
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}):
        figure.savefig(buffer, format='svg', transparent=True, metadata={'Date': None})
    text = buffer.getvalue()
    text = text[text.index('<svg') :].replace(INK, 'currentColor')
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1', text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1', text, count=1)
    return re.sub(r'( id="|href="#|url\(#)', rf'\g<1>{name}-', text)
