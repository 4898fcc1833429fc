import json
from functools import partial

import numpy as np
import pytest
from films import LANDMARKS, keypoint_content, points, read_annotations, write_keypoints
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.coco_keypoints import read_coco_keypoints
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set

read = partial(read_annotations, read_coco_keypoints)


def test_round_trip(tmp_path):
    expected = points()
    expected['film2'][3] = np.nan
    annotations, report = read(write_keypoints(tmp_path / 'a.json', expected))
    assert not report and set(annotations) == {f'{name}.png' for name in expected}
    for name, points_px in expected.items():
        np.testing.assert_array_equal(annotations[f'{name}.png'].points_px, points_px)
        assert np.isnan(annotations[f'{name}.png'].spacing_mm)


def changed(tmp_path, change):
    content = keypoint_content(points())
    change(content)
    (tmp_path / 'a.json').write_text(json.dumps(content))
    return tmp_path / 'a.json'


def test_spacing_size_hidden_landmarks_and_boxes(tmp_path):
    def change(content):
        content['images'][0] |= {'spacing': 0.1, 'width': 168, 'height': 208}
        content['annotations'][0]['keypoints'][2] = 1
        content['annotations'][0]['keypoints'][5] = 0
        content['categories'].insert(0, {'id': 7, 'name': 'box'})
        content['annotations'].append({'id': 9, 'image_id': 1, 'category_id': 7, 'bbox': [0, 0, 5, 5]})
        content['annotations'].append({'id': 8, 'image_id': 1, 'category_id': 1, 'keypoints': []})

    annotations, report = read(changed(tmp_path, change))
    film = annotations['film1.png']
    assert not report and (film.spacing_mm, film.sizes) == (0.1, {(168, 208)})
    assert film.visible.tolist() == [True, False] + [True] * 17


def test_keypoints_may_be_in_another_order_in_other_letters_or_numbered(tmp_path):
    def turned(content):
        content['categories'][0]['keypoints'] = [name.lower() for name in LANDMARKS.abbreviations[::-1]]

    def numbered(content):
        content['categories'][0]['keypoints'] = [str(k) for k in range(1, 20)]

    annotations, report = read(changed(tmp_path, turned))
    assert not report
    np.testing.assert_array_equal(annotations['film1.png'].points_px, points()['film1'][::-1])
    annotations, report = read(changed(tmp_path, numbered))
    assert not report
    np.testing.assert_array_equal(annotations['film1.png'].points_px, points()['film1'])


def test_keypoints_without_names_are_all_landmarks_of_the_set_in_its_order(tmp_path):
    path = changed(tmp_path, lambda content: content['categories'][0].pop('keypoints'))
    annotations, report = read(path)
    assert not report
    np.testing.assert_array_equal(annotations['film1.png'].points_px, points()['film1'])
    with pytest.raises(InputError, match=r'19 keypoints have no names.*has 38: say --landmarks isbi2015'):
        read_coco_keypoints(path, load_landmark_set('cldetection2023'), Problems())


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda c: c['categories'][0]['keypoints'].__setitem__(0, 'Zyg'), 'outside the landmark set isbi2015'),
        (lambda c: c['categories'][0]['keypoints'].__setitem__(0, 'n'), 'several keypoints'),
        (lambda c: c['annotations'].append(c['annotations'][0]), 'images annotated more than once: film1.png'),
        (lambda c: c['images'][0].update(spacing=-1), '-1: film1.png'),
        (lambda c: c['images'][0].update(width='wide', height=3), '"wide" x 3: film1.png'),
    ],
)
def test_each_problem_is_reported(tmp_path, change, expected):
    assert expected in read(changed(tmp_path, change))[1]


@pytest.mark.parametrize(
    'change',
    [
        lambda c: c.pop('categories'),
        lambda c: c['categories'][0].pop('keypoints') and c['annotations'][0]['keypoints'].append(1),
        lambda c: c['categories'][0].pop('keypoints') and c['annotations'][0].update(category_id=2),
        lambda c: c['categories'].append(c['categories'][0] | {'id': 2}),
        lambda c: c['annotations'][0]['keypoints'].pop(),
        lambda c: c['annotations'][0].update(image_id=77),
        lambda c: c['annotations'][0]['keypoints'].__setitem__(0, None),
        lambda c: c['images'][0].pop('file_name'),
        lambda c: c['images'].append(c['images'][0]),
        lambda c: c.update(images=3),
        lambda c: c['categories'][0].update(skeleton=[[0, 1]]),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, change):
    with pytest.raises(InputError, match=r'a\.json: not a COCO file with keypoints') as caught:
        read(changed(tmp_path, change))
    assert '\n' not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
NUMBERS = st.sampled_from([1, 2])


def entries(**usual):
    """Entries of which any key may be gone or anything."""
    return st.lists(st.fixed_dictionaries({}, optional={k: v | v | JSON for k, v in usual.items()}), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    categories=entries(id=NUMBERS, keypoints=st.just(['S', 'n']), skeleton=st.just([[1, 2]])) | JSON,
    images=entries(id=NUMBERS, file_name=st.sampled_from(['a', 'b']), spacing=st.just(0.1), width=st.just(9)) | JSON,
    annotations=entries(image_id=NUMBERS, category_id=NUMBERS, keypoints=st.just([1, 2, 2, 3, 4, 1])) | JSON,
)
def test_any_structure_is_annotations_or_one_line(tmp_path, categories, images, annotations):
    content = {'categories': categories, 'images': images, 'annotations': annotations}
    (tmp_path / 'a.json').write_text(json.dumps(content))
    try:
        found, _ = read(tmp_path / 'a.json')
    except InputError as error:
        assert 'a.json' in str(error) and '\n' not in str(error)
    else:
        assert all(annotation.points_px.shape == (len(LANDMARKS), 2) for annotation in found.values())
