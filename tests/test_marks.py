"""The marks that pictures are made of: where they are put, in which colour, and labels apart from each other."""

import numpy as np
import pytest

from cephalometric.reporting.marks import (
    BANNER_COLOUR,
    banner,
    canvas_of,
    dot,
    free_place,
    is_in,
    line,
    overlap,
    ring,
    text,
    to_bgr,
    word_list,
)

COLOUR = (10, 200, 120)


@pytest.fixture
def canvas():
    return np.full((600, 600, 3), 90, np.uint8)


def test_a_dot_is_filled_and_a_ring_is_open(canvas):
    dot(canvas, np.array([100.0, 100.0]), COLOUR, 1)
    ring(canvas, np.array([300.0, 100.0]), COLOUR, 1, 40)
    assert canvas[100, 100].tolist() == list(COLOUR)
    assert canvas[100, 300].tolist() == [90] * 3
    assert canvas[100, 340].tolist() == list(COLOUR)


def test_a_line_goes_from_point_to_point(canvas):
    line(canvas, np.array([100.0, 200.0]), np.array([300.0, 400.0]), COLOUR, 1)
    assert canvas[300, 200].tolist() == list(COLOUR)
    assert canvas[300, 300].tolist() == [90] * 3


def test_text_shows_on_white_and_on_black():
    for shade, other in ((255, 0), (0, 255)):
        canvas = np.full((60, 200, 3), shade, np.uint8)
        text(canvas, 'Gn', np.array([10, 50]), 1.5, (255, 255, 255))
        assert (canvas == other).all(axis=2).any()


def test_a_canvas_is_a_colour_copy_with_marks_in_proportion():
    image = np.full((1200, 900), 7, np.uint8)
    canvas, size = canvas_of(image)
    assert canvas.shape == (1200, 900, 3) and size == 0.5
    canvas[:] = 0
    again, _ = canvas_of(canvas)
    again[:] = 9
    assert (image == 7).all() and (canvas == 0).all()


def test_red_of_rgb_is_red_in_bgr_and_grey_stays_grey():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    assert to_bgr(red)[0, 0].tolist() == [0, 0, 200]
    assert to_bgr(red[..., 0]).shape == (2, 2)


def test_labels_of_neighbours_do_not_cover_each_other():
    taken = []
    canvas = np.zeros((1000, 1000, 3), np.uint8)
    point = np.array([500.0, 500.0])
    for label in ('U1A 1.7', 'A 0.7', 'U6 1.4', 'L6 2.0', 'Po 0.3', 'Co 1.6'):
        free_place(canvas, label, point + len(taken), 0.75, 10, taken)
    assert not any(overlap(a, b) for index, a in enumerate(taken) for b in taken[:index])


@pytest.mark.parametrize('point', [(2, 2), (597, 2), (2, 597), (597, 597)])
def test_labels_stay_within_the_picture(canvas, point):
    taken = []
    for _ in range(3):
        free_place(canvas, 'Pog 3.4 mm?', np.array(point, float), 0.75, 10, taken)
    for left, top, right, bottom in taken:
        assert min(left, top) >= 0 and max(right, bottom) <= 600


def changed(canvas, colour):
    return (canvas != colour).any(axis=2)


@pytest.mark.parametrize('words', ['short', 'a reason ' * 30, 'one_word_' * 20])
@pytest.mark.parametrize('size', [0.4, 1.0])
def test_a_banner_is_solid_over_the_whole_width_and_holds_all_its_words(canvas, words, size):
    *_, bottom = banner(canvas, words, size)
    bar, rest = canvas[: int(bottom)], canvas[int(bottom) :]
    assert 15 < bottom < 450 and (rest == 90).all()
    written = changed(bar, BANNER_COLOUR)
    assert written.any() and not written[:2].any() and not written[-2:].any()
    if ' ' in words:
        assert not written[:, -2:].any()


def test_lines_that_are_too_long_get_smaller_instead_of_being_cut(canvas):
    canvas[:] = 0
    field = word_list(canvas, [('word ' * 40, 1.2, COLOUR), ('word', 1.0, COLOUR)], 50, 1.0)
    rows, columns = np.nonzero(canvas.any(axis=2))
    assert columns.max() < field[2] < 600 and rows.min() > 50 and rows.max() < field[3]
    assert is_in(np.array([10.0, 60.0]), [field]) and not is_in(np.array([10.0, 40.0]), [field])


def test_what_lies_above_the_picture_lies_beneath_the_banner(canvas):
    assert is_in(np.array([300.0, -40.0]), [banner(canvas, 'words', 1.0)])
