"""The sheet that pages and drawings are drawn on: what stands where, as PDF and as pixels."""

import numpy as np
import pypdfium2
import pytest

from cephalometric.errors import InputError
from cephalometric.reporting.paper import (
    Paper,
    Style,
    all_to_pixels,
    check_size_name,
    to_pixels,
    words_width,
    write_pdf,
)

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@pytest.fixture
def paper():
    return Paper(100, 60, 25.4 / 72)


def pixels(paper):
    return to_pixels(paper.pdf(), 1.0)


def test_units_are_counted_from_the_upper_left_corner(paper):
    paper.box(10, 20, 30, 5, RED, None)
    picture = pixels(paper)
    assert picture.shape == (60, 100, 3)
    red = (picture == (0, 0, 255)).all(axis=2)
    assert np.argwhere(red).min(axis=0).tolist() == [20, 10] and np.argwhere(red).max(axis=0).tolist() == [24, 39]


def test_the_same_drawing_is_the_same_file():
    def draw():
        paper = Paper(210, 297, title='x')
        paper.words('SNA 82.0°', (10, 10), 4)
        return paper.pdf()

    assert draw() == draw()


def test_lines_dots_arcs_and_words_leave_ink_where_they_are(paper):
    paper.line((5, 5), (95, 5), Style(BLUE, 2))
    paper.arc((50, 30), 10, 0, 90, Style(RED, 2))
    paper.dot((20, 40), 5, RED, Style(BLUE, 1))
    picture = pixels(paper).astype(int)
    assert picture[5, 50].tolist() == [255, 0, 0]
    assert picture[40, 20].tolist() == [0, 0, 255]
    lower_right = np.array([50, 30]) + 10 * np.sqrt(0.5)
    x, y = lower_right.astype(int)
    assert picture[y, x, 2] > 200 > picture[y, x, 0], 'angles run clockwise from the right'
    assert (picture[20, 43] == 255).all()


@pytest.mark.parametrize(('align', 'left'), [('left', 50), ('middle', 50 - 0.5), ('right', 50 - 1.0)])
def test_words_stand_as_they_are_aligned(align, left):
    paper = Paper(200, 60, 25.4 / 72)
    size, words = 20, 'HHH'
    length = words_width(words, size)
    begin = left if align == 'left' else 50 + (left - 50) * length
    paper.words(words, (50, 40), size, align=align)
    ink = np.argwhere(pixels(paper).min(axis=2) < 128)
    # Letters have a little air on both sides.
    assert abs(ink[:, 1].min() - begin) < 5 and abs(ink[:, 1].max() - begin - length) < 5
    assert ink[:, 0].max() <= 40 and ink[:, 0].min() > 40 - size


def test_letters_of_the_field_are_there_and_control_characters_are_not():
    paper = Paper(200, 60)
    paper.words('Pog′ −3.2° ± 1\n\x00', (10, 20), 5)
    document = pypdfium2.PdfDocument(paper.pdf())
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert text.strip() == 'Pog′ −3.2° ± 1'


def test_a_rim_is_behind_the_letters_and_ends_with_them(paper):
    paper.box(0, 0, 100, 60, (0.5, 0.5, 0.5), None)
    paper.words('II', (20, 40), 30, (1, 1, 1), rim=(0, 0, 0))
    paper.words('I', (70, 40), 30, (1, 1, 1))
    picture = pixels(paper)
    assert picture.max() == 255 and picture.min() < 60
    assert picture[:, 70:].min() > 100


def test_a_picture_fills_its_place_and_keeps_its_colours(paper):
    image = np.zeros((60, 50, 3), np.uint8)
    image[..., 0] = 200
    paper.picture(image, 50, 0, 50, 60)
    picture = pixels(paper).astype(int)
    assert abs(picture[30, 75] - (0, 0, 200)).max() < 6
    assert (picture[30, 40] == 255).all()


def test_nothing_goes_beyond_its_frame(paper):
    with paper.keep_inside(10, 10, 20, 20):
        paper.box(0, 0, 100, 60, RED, None)
    paper.box(90, 50, 5, 5, BLUE, None)
    picture = pixels(paper)
    red = np.argwhere((picture == (0, 0, 255)).all(axis=2))
    assert red.min() >= 10 and red.max() <= 30
    assert (picture[52, 92] == (255, 0, 0)).all()


def test_each_sheet_is_a_picture(paper):
    paper.box(0, 0, 10, 10, RED, None)
    paper.new_sheet()
    paper.box(0, 0, 10, 10, BLUE, None)
    first, second = all_to_pixels(paper.pdf(), 1.0)
    assert first[5, 5].tolist() == [0, 0, 255] and second[5, 5].tolist() == [255, 0, 0]


def test_sizes_and_files_that_are_not_there_are_named(tmp_path):
    assert check_size_name('A4') == (210, 297)
    with pytest.raises(InputError, match=r'A5.*A4, Letter'):
        check_size_name('A5')
    with pytest.raises(InputError, match='does not exist'):
        write_pdf(tmp_path / 'no' / 'x.pdf', b'')
