"""The synthetic cephalogram: anatomy in order, landmarks where the picture shows them, files as the challenge's."""

import json

import cv2
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.phantom.canvas import centroid, crossing, deepest, smooth
from cephalometric.phantom.phantom_stack import write_challenge_dataset
from cephalometric.phantom.rendering import FORMATS, make_phantom

LANDMARKS = load_landmark_set('cldetection2023')
SMALL = 0.1
seeds = st.integers(0, 2**32 - 1)


def position(phantom, abbreviation):
    """In mm."""
    return phantom.points_px[LANDMARKS.abbreviations.index(abbreviation)] * phantom.spacing_mm


@pytest.fixture(scope='module')
def phantoms():
    return [make_phantom(seed, SMALL) for seed in range(40)]


@settings(max_examples=40)
@given(seeds)
def test_all_landmarks_lie_in_the_picture_and_in_anatomical_order(seed):
    phantom = make_phantom(seed, SMALL)
    assert phantom.image.dtype == np.uint8
    assert phantom.points_px.shape == (len(LANDMARKS), 2)
    size = np.array(phantom.image.shape[::-1])
    assert (phantom.points_px * phantom.spacing_mm >= 4).all()
    assert ((size - 1 - phantom.points_px) * phantom.spacing_mm >= 4).all()

    at = {name: position(phantom, name) for name in LANDMARKS.abbreviations}
    for above_to_below in (
        ['N', 'Or', 'ANS', 'A', 'U1', 'B', 'Pog', 'Me', "Me'"],
        ['Prn', 'Cm', "UL'"],
        ["G'", "N'", 'Prn', 'Sn', "UL'", 'UL', 'LL', "LL'", "Pog'", "Gn'", "Me'"],
        ['S', 'PT', 'Ptm', 'PNS'],
        ['Co', 'Ar', 'Go'],
        ['U1A', 'U1', 'L1A', 'D', 'Me'],
        ['U1A', 'L1', 'L1A'],
    ):
        heights = [at[name][1] for name in above_to_below]
        assert heights == sorted(heights), above_to_below
    for back_to_front in (
        ['Bo', 'Ba', 'Ar', 'PT', 'Or', 'N', "N'", 'Prn'],
        ['Po', 'Co', 'S', 'N', "G'"],
        ['Go', 'C', 'Me', 'Gn', "Gn'"],
        ['PNS', 'U6', 'U1A', 'A', 'Sn'],
        ['PNS', 'L6', 'B', "LL'"],
        ['L1A', 'B'],
    ):
        depths = [at[name][0] for name in back_to_front]
        assert depths == sorted(depths), back_to_front


@settings(max_examples=25)
@given(seeds)
def test_the_distance_from_sella_to_nasion_is_that_of_people(seed):
    phantom = make_phantom(seed, SMALL)
    distance_mm = np.linalg.norm(position(phantom, 'S') - position(phantom, 'N'))
    assert 60 <= distance_mm <= 85


def test_a_seed_makes_one_picture():
    first, second, other = make_phantom(5, SMALL), make_phantom(5, SMALL), make_phantom(6, SMALL)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.points_px, second.points_px)
    assert first.image.shape != other.image.shape or (first.image != other.image).any()
    assert np.abs(first.points_px - other.points_px).max() > 1


@pytest.mark.parametrize('seed', range(4))
def test_size_scale_changes_pixels_and_no_millimetres(seed):
    small, large = make_phantom(seed, 0.1), make_phantom(seed, 0.25)
    assert small.spacing_mm == pytest.approx(2.5 * large.spacing_mm)
    assert small.image.shape[0] == pytest.approx(0.4 * large.image.shape[0], abs=1)
    between_mm = [(phantom.points_px - phantom.points_px[0]) * phantom.spacing_mm for phantom in (small, large)]
    np.testing.assert_allclose(*between_mm, atol=1e-6)
    # The same picture too, seen through larger pixels.
    shrunk = cv2.resize(large.image, small.image.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), small.image.ravel())[0, 1] > 0.97


def test_full_size_pictures_have_the_spacings_and_fit_the_canvas_of_the_challenge():
    phantom = make_phantom(1)
    assert phantom.image.shape == FORMATS[phantom.spacing_mm][::-1]
    assert set(FORMATS) == {0.1, 0.125, 0.096}
    assert all(width <= 2880 and height <= 2400 for width, height in FORMATS.values())


def test_the_spacings_occur_about_equally_often(phantoms):
    _, counts = np.unique([phantom.spacing_mm for phantom in phantoms], return_counts=True)
    assert len(counts) == len(FORMATS) and counts.min() >= 5


def test_pictures_have_no_zeros_so_that_padding_can_be_told_from_them(phantoms):
    assert all(phantom.image.min() >= 1 for phantom in phantoms)


def test_pictures_use_the_grey_scale_and_differ_in_exposure(phantoms):
    spans = [np.percentile(phantom.image, 95) - np.percentile(phantom.image, 5) for phantom in phantoms]
    assert min(spans) > 100
    assert np.std([phantom.image.mean() for phantom in phantoms]) > 5


def test_the_mean_position_is_a_bad_prediction(phantoms):
    points_mm = np.array([phantom.points_px * phantom.spacing_mm for phantom in phantoms])
    errors_mm = np.linalg.norm(points_mm - points_mm.mean(axis=0), axis=2)
    assert 11 < errors_mm.mean() < 20
    assert errors_mm.mean(axis=0).min() > 9


# Bright minus dark: the first sample lies in the direction (x, y) of the landmark, the second opposite, both 2 mm away.
@pytest.mark.parametrize(
    ('abbreviation', 'x', 'y', 'least_grey', 'least_share'),
    [
        ('Prn', -1, 0, 8, 1.0),
        ("Pog'", -1, 0, 8, 1.0),
        ("Me'", 0, -1, 5, 0.95),
        ("G'", -1, 0, 5, 0.95),
        ('UL', -1, 0, 8, 0.95),
        ('LL', -1, 0, 8, 0.95),
        ("LL'", -1, 0, 8, 0.95),
        ('Sn', -0.7, -0.7, 8, 0.95),
        ('Pog', -1, 0, 20, 1.0),
        ('Me', 0, -1, 20, 1.0),
        ('Gn', -0.7, -0.7, 20, 1.0),
        ('B', -1, 0, 20, 0.95),
        ('A', -1, 0, 15, 0.95),
        ('ANS', -1, 0.3, 20, 0.95),
        ('Go', 0.7, -0.7, 20, 0.9),
        ('U1', -0.5, -0.9, 20, 0.75),
        ('Bo', 0, -1, 10, 0.95),
        ('N', -0.7, -0.7, 20, 0.9),
        ('Ptm', -0.2, 1, 10, 0.9),
    ],
)
def test_the_picture_has_an_edge_where_the_landmark_says(larger_phantoms, abbreviation, x, y, least_grey, least_share):
    direction = np.array([x, y]) / np.hypot(x, y)
    contrasts = []
    for image, phantom in larger_phantoms:
        there = position(phantom, abbreviation)
        inside, outside = (np.round((there + mm * direction) / phantom.spacing_mm).astype(int) for mm in (2, -2))
        contrasts.append(image[inside[1], inside[0]] - image[outside[1], outside[0]])
    assert np.mean(np.array(contrasts) > least_grey) >= least_share, sorted(contrasts)[:5]


@pytest.fixture(scope='module')
def larger_phantoms():
    made = [make_phantom(100 + seed, 0.25) for seed in range(24)]
    return [(cv2.GaussianBlur(phantom.image.astype(np.float32), (0, 0), 1), phantom) for phantom in made]


def test_another_landmark_set_picks_its_landmarks():
    whole, part = make_phantom(3, SMALL), make_phantom(3, SMALL, landmark_set='isbi2015')
    abbreviations = load_landmark_set('isbi2015').abbreviations
    rows = [LANDMARKS.abbreviations.index(name) for name in abbreviations]
    np.testing.assert_array_equal(part.points_px, whole.points_px[rows])


def test_a_landmark_that_the_phantom_does_not_know_is_named(tmp_path):
    table = {'landmarks': [{'abbreviation': 'S', 'name': 'sella'}, {'abbreviation': 'Xi', 'name': 'xi point'}]}
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps(table))
    with pytest.raises(InputError, match="no landmark 'Xi'"):
        make_phantom(0, SMALL, landmark_set=str(path))


@pytest.mark.parametrize('compressed', [False, True])
def test_the_stack_holds_the_phantoms_with_zero_padding(tmp_path, compressed):
    write_challenge_dataset(tmp_path / 'new' / 'folder', 3, size_scale=SMALL, compressed=compressed)
    folder = tmp_path / 'new' / 'folder'
    assert sorted(path.name for path in folder.iterdir()) == ['train-gt.json', 'train_stack.mha']
    stack = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(folder / 'train_stack.mha')))
    assert stack.shape == (3, 240, 288, 3) and stack.dtype == np.uint8
    assert (stack == stack[..., :1]).all()
    table = json.loads((folder / 'train-gt.json').read_text())
    for number, slice_ in enumerate(stack, start=1):
        rows = [point for point in table['points'] if point['point'][2] == number]
        height = np.flatnonzero(slice_[:, 0, 0])[-1] + 1
        width = np.flatnonzero(slice_[0, :, 0])[-1] + 1
        assert (slice_[:height, :width] > 0).all()
        assert not slice_[height:].any() and not slice_[:, width:].any()
        spacing_mm = float(rows[0]['scale'])
        assert (width, height) == tuple(round(size * SMALL) for size in FORMATS[round(spacing_mm * SMALL, 6)])


def test_the_annotations_are_in_the_form_of_the_challenge(tmp_path):
    write_challenge_dataset(tmp_path, 2, size_scale=SMALL)
    text = (tmp_path / 'train-gt.json').read_text()
    table = json.loads(text)
    assert list(table) == ['name', 'type', 'points', 'version']
    assert table['name'] == 'Orthodontic landmarks' and table['type'] == 'Multiple points'
    assert table['version'] == {'major': 1, 'minor': 0}
    numbers = [(point['point'][2], point['name']) for point in table['points']]
    assert numbers == [(z, name) for z in (1, 2) for name in range(1, len(LANDMARKS) + 1)]
    for point in table['points']:
        assert list(point) == ['name', 'point', 'scale']
        assert all(type(value) is int for value in point['point']) and type(point['name']) is int
        assert type(point['scale']) is str and float(point['scale']) > 0


def test_the_19_of_another_set_are_numbered_from_1(tmp_path):
    write_challenge_dataset(tmp_path, 1, size_scale=SMALL, landmark_set='isbi2015')
    points = json.loads((tmp_path / 'train-gt.json').read_text())['points']
    assert [point['name'] for point in points] == list(range(1, len(load_landmark_set('isbi2015')) + 1))


def test_the_same_seed_gives_the_same_bytes_and_a_longer_set_the_same_beginning(tmp_path):
    for name, count, seed in (('a', 2, 7), ('b', 2, 7), ('long', 3, 7), ('other', 2, 8)):
        write_challenge_dataset(tmp_path / name, count, seed=seed, size_scale=SMALL)
    stacks, tables = (
        {name: (tmp_path / name / file).read_bytes() for name in ('a', 'b', 'long', 'other')}
        for file in ('train_stack.mha', 'train-gt.json')
    )
    assert stacks['a'] == stacks['b'] and tables['a'] == tables['b']
    assert stacks['a'] != stacks['other'] and tables['a'] != tables['other']
    pixels = 2 * 240 * 288 * 3
    short, long = stacks['a'][-pixels:], stacks['long'][-pixels * 3 // 2 :]
    assert long.startswith(short)
    long_points = json.loads(tables['long'])['points']
    assert json.loads(tables['a'])['points'] == long_points[: 2 * len(LANDMARKS)]


@pytest.mark.parametrize('name', ['train_stack.mha', 'train-gt.json'])
def test_existing_files_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text('mine')
    with pytest.raises(InputError, match=name):
        write_challenge_dataset(tmp_path, 1, size_scale=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == 'mine'


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'count': 0}, '1 or more'),
        ({'count': 1, 'size_scale': 0}, 'size_scale 0'),
        ({'count': 1, 'size_scale': 1.5}, 'size_scale 1.5'),
        ({'count': 1, 'seed': -1}, 'seed -1'),
        ({'count': 1, 'size_scale': SMALL, 'canvas': (100, 100)}, 'too small'),
        ({'count': 1, 'size_scale': SMALL, 'landmark_set': 'nobody'}, 'no landmark set'),
    ],
)
def test_values_that_cannot_be_used_leave_no_file(tmp_path, values, message):
    with pytest.raises(InputError, match=message):
        write_challenge_dataset(tmp_path, **values)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / 'taken').write_text('')
    with pytest.raises(InputError, match='taken'):
        write_challenge_dataset(tmp_path / 'taken', 1, size_scale=SMALL)


def test_curves_pass_through_their_controls_and_stretches_end_at_names():
    curve = smooth(((0, 0), (10, 0, 'a'), (10, 10), (0, 10, 'b')), closed=True)
    np.testing.assert_allclose(curve.at('a'), (10, 0))
    np.testing.assert_allclose(curve.between('a', 'b')[[0, -1]], [(10, 0), (0, 10)])
    opened = smooth(((0, 0), (5, 5), (10, 0)), closed=False).points
    np.testing.assert_allclose(opened[[0, -1]], [(0, 0), (10, 0)])


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.5, 30), st.floats(0.5, 30))
def test_the_centroid_of_a_rectangle_is_its_middle(x, y, width, height):
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    np.testing.assert_allclose(centroid(corners), (x + width / 2, y + height / 2), atol=1e-6)


def test_deepest_and_crossing():
    notch = np.array([[0.0, 0], [1, 1], [3, 4], [5, 1], [6, 0]])
    np.testing.assert_allclose(deepest(notch), (3, 4))
    steps = np.linspace(0, 10, 101)[:, None]
    np.testing.assert_allclose(crossing(steps * (1, 1), (10 - steps) * (1, 0) + steps * (0, 1)), (5, 5), atol=0.01)
