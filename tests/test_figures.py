"""Figures as files and as parts of a page."""

import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from cephalometric.reporting.figures import INK, as_png, as_svg, new_axes


@pytest.fixture
def figure():
    figure, (left, right) = new_axes(6, 3, columns=2)
    left.plot([0, 1], [0, 1], color=INK)
    left.set(title='A title', xlabel='x & y')
    right.fill_between([0, 1], [1, 2])
    return figure


def test_a_png_is_on_white(figure):
    picture = cv2.imdecode(np.frombuffer(as_png(figure), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture.shape[:2] == (450, 900)
    assert (picture[0, 0, :3] == 255).all() and picture.min() < 60


def test_an_svg_is_one_element_in_the_colour_and_at_the_width_of_its_place(figure):
    text = as_svg(figure, 'first')
    root = ElementTree.fromstring(text)
    assert root.tag.endswith('svg') and 'viewBox' in root.attrib
    assert 'width' not in root.attrib and 'height' not in root.attrib
    assert 'currentColor' in text and INK not in text
    assert any(element.text == 'A title' for element in root.iter())
    assert '<metadata' not in text


def test_identifiers_of_two_figures_differ_and_references_stay_whole(figure):
    identifiers = []
    for name in ('first', 'second'):
        root = ElementTree.fromstring(as_svg(figure, name))
        own = {element.attrib['id'] for element in root.iter() if 'id' in element.attrib}
        values = [value for element in root.iter() for value in element.attrib.values()]
        wanted = {value[5:-1] for value in values if value.startswith('url(#')}
        wanted |= {value[1:] for value in values if value.startswith('#') and value[1:].startswith(name)}
        assert wanted and wanted <= own
        identifiers.append(own)
    assert not identifiers[0] & identifiers[1]


def test_the_same_figure_is_the_same_text(figure):
    assert as_svg(figure, 'name') == as_svg(figure, 'name')
