import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.prediction.patches import ImagePyramid, PatchFrame

numbers = st.floats(-50, 250)
frames = st.builds(
    PatchFrame,
    centre_px=st.tuples(numbers, numbers).map(np.array),
    step_px=st.floats(0.2, 9),
    size=st.sampled_from([16, 33]),
    angle=st.floats(-3, 3),
)


def spot_image(x: float, y: float, width: int = 200, height: int = 240, sigma: float = 6) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.round(250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / sigma**2)).astype(np.uint8)


def centre_of_mass(patch: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[: patch.shape[0], : patch.shape[1]]
    mass = patch.astype(float)
    return np.array([(mass * columns).sum(), (mass * rows).sum()]) / mass.sum()


@given(frames, numbers, numbers)
def test_points_come_back(frame, x, y):
    assert frame.to_image(frame.to_patch([x, y])) == pytest.approx([x, y], abs=1e-6)


@given(frames)
def test_the_centre_of_the_image_place_is_the_middle_of_the_patch(frame):
    middle = (frame.size - 1) / 2
    assert frame.to_patch(frame.centre_px) == pytest.approx([middle, middle], abs=1e-6)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.7, 5), st.floats(-3, 3))
def test_what_is_seen_in_the_patch_lies_where_the_frame_says(dx, dy, step, angle):
    """Through every halving of the pyramid: an error of half a pixel there would be one of millimetres."""
    image = spot_image(101.3, 118.6)
    frame = PatchFrame(np.array([101.3 + dx, 118.6 + dy]), step, 64, angle)
    seen = frame.to_image(centre_of_mass(frame.cut(ImagePyramid(image))))
    assert seen == pytest.approx([101.3, 118.6], abs=0.25)


def test_a_coarse_patch_is_an_average_of_pixels():
    chequered = np.indices((256, 256)).sum(axis=0) % 2 * np.uint8(200)
    patch = PatchFrame(np.array([127.5, 127.5]), 4.0, 16).cut(ImagePyramid(chequered.astype(np.uint8)))
    assert patch == pytest.approx(100, abs=1)


def test_outside_the_x_ray_it_is_black():
    patch = PatchFrame(np.array([-500.0, 20]), 1.0, 16).cut(ImagePyramid(np.full((64, 64), 9, np.uint8)))
    assert not patch.any()


def test_a_colour_image_is_made_grey():
    colour = np.zeros((80, 80, 3), np.uint8)
    colour[..., 0] = 255  # Blue, as images are BGR.
    assert ImagePyramid(colour).levels[0] == pytest.approx(29, abs=1)
