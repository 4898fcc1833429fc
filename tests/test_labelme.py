import json
from functools import partial

import numpy as np
import pytest
from films import labelme_content, points, read_annotations, write_labelme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.labelme import read_labelme
from cephalometric.errors import InputError

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(['point', 'S']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
read = partial(read_annotations, read_labelme)


def test_round_trip(tmp_path):
    written = points()
    annotations, report = read(write_labelme(tmp_path, written))
    assert not report and set(annotations) == {f'..\\films\\{name}.png' for name in written}
    for name, points_px in written.items():
        np.testing.assert_array_equal(annotations[f'..\\films\\{name}.png'].points_px, points_px)


def shape(**changes):
    return {'label': 'S', 'points': [[1, 2]], 'shape_type': 'point'} | changes


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'shapes': [shape(shape_type='polygon', points=[[1, 2], [3, 4], [5, 6]])]}, 'not a point with a label'),
        ({'shapes': [shape(label='Zyg')]}, '"Zyg": film.json'),
        ({'shapes': [shape(), shape()]}, 'more than once:\n    S: film.json'),
        ({'shapes': [shape(points=[[1, None]])]}, 'S at (1, null): film.json'),
        ({'shapes': [shape(points=[1, 2])]}, 'not a point with a label'),
        ({'shapes': {}}, 'film.json: not a file of labelme'),
        ({'imagePath': None}, 'film.json: not a file of labelme'),
        ({'spacing': 0}, '0: film.json'),
        ({'imageWidth': 'wide'}, '"wide" x 240: film.json'),
        ({'imageHeight': 1.5}, '200 x 1.5: film.json'),
        ({'shapes': [shape(label='pog\u2019'), shape(label="Pog'")]}, "more than once:\n    Pog': film.json"),
    ],
)
def test_each_problem_is_reported(tmp_path, changes, expected):
    (tmp_path / 'film.json').write_text(json.dumps(labelme_content('film', np.zeros((19, 2))) | changes))
    assert expected in read(tmp_path)[1]


def test_a_spacing_may_be_added(tmp_path):
    (tmp_path / 'film.json').write_text(json.dumps({'shapes': [shape()], 'imagePath': 'a.png', 'spacing': 0.1}))
    assert read(tmp_path)[0]['a.png'].spacing_mm == 0.1


def test_what_other_versions_and_systems_write_is_understood(tmp_path):
    content = labelme_content('film', np.arange(38.0).reshape(19, 2))
    for entry in content['shapes']:
        del entry['shape_type']
    content['shapes'][15]['label'] = 'Pog\u2019'
    (tmp_path / 'film.json').write_text(json.dumps(content), encoding='utf-8-sig')
    (tmp_path / '._film.json').write_bytes(b'\0\5\26\7Mac OS X')
    annotations, report = read(tmp_path)
    ((_, annotation),) = annotations.items()
    assert not report and annotation.points_px.ravel().tolist() == list(range(38))
    assert annotation.sizes == {(200, 240)}


def test_a_broken_file_does_not_hide_the_others(tmp_path):
    write_labelme(tmp_path, points())
    (tmp_path / 'film2.json').write_text('{')
    (tmp_path / 'copy.json').write_text((tmp_path / 'film1.json').read_text())
    report = read(tmp_path)[1]
    assert 'film2.json: invalid JSON' in report and 'several JSON files name' in report


def test_a_folder_without_annotations(tmp_path):
    with pytest.raises(InputError, match=r'holds no \.json file'):
        read(tmp_path)
    with pytest.raises(InputError, match='not a folder'):
        read(tmp_path / 'absent')


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes=st.lists(st.fixed_dictionaries({'label': JSON, 'points': JSON, 'shape_type': JSON}) | JSON, max_size=3))
def test_any_shapes_are_points_or_in_the_report(tmp_path, shapes):
    (tmp_path / 'film.json').write_text(json.dumps({'shapes': shapes, 'imagePath': 'a.png'}))
    annotations, report = read(tmp_path)
    assert bool(report) == (annotations['a.png'].visible.sum() < len(shapes))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=JSON
    | st.fixed_dictionaries(
        {},
        optional={
            'shapes': st.lists(JSON, max_size=2) | JSON,
            'imagePath': st.just('a.png') | JSON,
            'imageWidth': st.integers(-2, 9) | JSON,
            'imageHeight': st.just(10**400) | JSON,
            'spacing': st.just(0.1) | JSON,
        },
    )
)
def test_any_file_is_annotations_or_in_the_report(tmp_path, content):
    (tmp_path / 'film.json').write_text(json.dumps(content))
    annotations, report = read(tmp_path)
    assert report or set(annotations) == {content['imagePath']}
