"""The marks that pictures are made of: where they are put, in which colour, and labels apart from each other."""

import numpy as np
import pytest

from cephalometric.reporting.marks import canvas_of, dot, free_place, line, overlap, ring, text, to_bgr

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
    point = np.array([500.0, 500.0])
    for label in ('U1A 1.7', 'A 0.7', 'U6 1.4', 'L6 2.0', 'Po 0.3', 'Co 1.6'):
        free_place(label, point + len(taken), 0.75, 1.0, taken)
    assert not any(overlap(a, b) for index, a in enumerate(taken) for b in taken[:index])
