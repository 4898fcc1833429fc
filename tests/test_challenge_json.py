import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.annotations.challenge_json import read_annotations, write_result
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set

LANDMARKS = load_landmark_set('isbi2015')
SCHEMA = json.loads((Path(__file__).parent / 'result_schema.json').read_text())


def entry(name=1, point=(10, 20, 1), scale='0.1'):
    return {'name': name, 'point': list(point), 'scale': scale}


def read(tmp_path, points):
    path = tmp_path / 'train-gt.json'
    path.write_text(json.dumps({'points': points}))
    problems = Problems()
    return read_annotations(path, LANDMARKS, problems), problems


def report_of(problems):
    with pytest.raises(InputError) as caught:
        problems.raise_if_any('bad')
    return str(caught.value)


def test_points_land_in_the_order_of_the_set(tmp_path):
    annotations, problems = read(
        tmp_path, [entry(3, (5, 6, 2), 0.125), entry('1', (7.5, 8, 2), '0.125'), entry(19, (1, 2, 1))]
    )
    assert problems.count == 0
    assert sorted(annotations) == [1, 2]
    np.testing.assert_array_equal(annotations[2].points_px[[0, 2]], [[7.5, 8], [5, 6]])
    assert np.flatnonzero(annotations[2].visible).tolist() == [0, 2]
    assert np.flatnonzero(annotations[1].visible).tolist() == [18]
    assert (annotations[1].spacing_mm, annotations[2].spacing_mm) == (0.1, 0.125)


@pytest.mark.parametrize(
    ('points', 'message'),
    [
        ([entry(20)], r'names outside the landmark set isbi2015 \(1 to 19;.*\):\s+20: slice 1'),
        ([entry(0)], r'names outside .*\s+0: slice 1'),
        ([entry('sella')], r'names outside .*\s+"sella": slice 1'),
        ([entry(True)], r'names outside .*\s+true: slice 1'),
        ([entry(1.5)], r'names outside .*\s+1.5: slice 1'),
        ([{'point': [1, 2, 1], 'scale': 0.1}], r'names outside .*\s+null: slice 1'),
        ([entry(), entry('1')], r'more than once:\s+S \(1\): slice 1'),
        ([entry(point=(1, 2))], r'three finite numbers.*\s+entry 1'),
        ([entry(point=(1, 2, 1.5))], r'three finite numbers.*\s+entry 1'),
        ([entry(point=(1, math.nan, 1))], r'three finite numbers.*\s+entry 1'),
        ([entry(point=(1, 10**400, 1))], r'three finite numbers.*\s+entry 1'),
        ([entry(point=('1', 2, 1))], r'three finite numbers.*\s+entry 1'),
        ([entry(), 'point'], r'three finite numbers.*\s+entry 2: "point"'),
        ([entry(scale=None)], r'without a "scale".*: slice 1'),
        ([{'name': 1, 'point': [1, 2, 1]}], r'without a "scale".*: slice 1'),
        ([entry(scale='0')], r'not a positive number.*\s+"0": slice 1'),
        ([entry(scale=-0.1)], r'not a positive number.*\s+-0.1: slice 1'),
        ([entry(scale='wide')], r'not a positive number.*\s+"wide": slice 1'),
        ([entry(scale=math.inf)], r'not a positive number.*\s+Infinity: slice 1'),
        ([entry(), entry(2, scale=0.2)], r'differing scales within an image:\s+0.1, 0.2: slice 1'),
    ],
)
def test_each_problem_is_reported_with_its_value(tmp_path, points, message):
    _, problems = read(tmp_path, points)
    assert problems.count == 1
    with pytest.raises(InputError, match=message):
        problems.raise_if_any('bad')


def test_equal_scales_as_text_and_number_do_not_differ(tmp_path):
    _, problems = read(tmp_path, [entry(scale='0.10'), entry(2, scale=0.1)])
    assert problems.count == 0


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'{"points": [', 'invalid JSON'),
        (b'\xff\xfe', 'invalid JSON'),
        (b'[' * 100000, 'invalid JSON'),
        (b'[]', 'not an annotation file'),
        (b'{"points": {}}', 'not an annotation file'),
    ],
)
def test_files_that_are_no_annotations(tmp_path, content, message):
    (tmp_path / 'gt.json').write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_annotations(tmp_path / 'gt.json', LANDMARKS, Problems())
    assert 'gt.json' in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match='cannot be read'):
        read_annotations(tmp_path / 'gt.json', LANDMARKS, Problems())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries({}, optional=dict.fromkeys(('name', 'point', 'scale'), JSON_VALUES))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JSON_VALUES | ENTRIES, max_size=4))
def test_whatever_is_in_the_file_is_read_or_reported(tmp_path, points):
    annotations, problems = read(tmp_path, points)
    usable = sum(annotation.visible.sum() for annotation in annotations.values())
    assert usable + problems.count >= len(points)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON_VALUES | st.fixed_dictionaries({'points': JSON_VALUES | st.lists(ENTRIES, max_size=2)}))
def test_any_content_is_annotations_or_one_line(tmp_path, content):
    (tmp_path / 'gt.json').write_text(json.dumps(content), encoding='utf-8-sig')
    try:
        annotations = read_annotations(tmp_path / 'gt.json', LANDMARKS, Problems())
    except InputError as error:
        assert 'gt.json' in str(error) and '\n' not in str(error)
    else:
        assert all(annotation.points_px.shape == (len(LANDMARKS), 2) for annotation in annotations.values())


def test_a_result_follows_the_schema(tmp_path):
    points = np.random.default_rng(1).uniform(-5, 2000, (3, 19, 2)).astype(np.float32)
    write_result(tmp_path / 'result.json', iter(points))
    result = json.loads((tmp_path / 'result.json').read_text())
    jsonschema.validate(result, SCHEMA)
    assert len(result['points']) == 3 * 19
    assert result['points'][19] == {'name': '1', 'point': [*map(float, points[1, 0]), 2]}
    assert result['points'][-1]['name'] == '19'


def test_a_result_with_probabilities_follows_the_schema(tmp_path):
    write_result(tmp_path / 'result.json', np.zeros((2, 3, 2)), np.array([[0, 0.5, 1], [1, 1, 1]]))
    result = json.loads((tmp_path / 'result.json').read_text())
    jsonschema.validate(result, SCHEMA)
    assert [point['probability'] for point in result['points']] == [0, 0.5, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ('points', 'probabilities'),
    [
        (np.full((1, 2, 2), np.nan), None),
        (np.full((1, 2, 2), np.inf), None),
        (np.zeros((1, 2, 2)), [[0.5, 1.5]]),
        (np.zeros((1, 2, 2)), [[0.5, np.nan]]),
        (np.zeros((1, 2, 2)), [[0.5]]),
        (np.zeros((2, 2, 2)), [[0.5, 0.5]]),
    ],
)
def test_values_that_no_result_may_hold(tmp_path, points, probabilities):
    (tmp_path / 'result.json').write_text('old')
    with pytest.raises(ValueError):
        write_result(tmp_path / 'result.json', points, probabilities)
    assert [path.name for path in tmp_path.iterdir()] == ['result.json']
    assert (tmp_path / 'result.json').read_text() == 'old'


def test_a_missing_output_folder_is_found_before_the_first_slice(tmp_path):
    slices = iter(np.zeros((2, 3, 2)))
    with pytest.raises(InputError, match='does not exist'):
        write_result(tmp_path / 'absent' / 'result.json', slices)
    assert len(list(slices)) == 2


def test_an_error_while_predicting_keeps_the_old_result(tmp_path):
    def predictions():
        yield np.zeros((3, 2))
        raise InputError('truncated')

    (tmp_path / 'result.json').write_text('old')
    with pytest.raises(InputError, match='truncated'):
        write_result(tmp_path / 'result.json', predictions())
    assert (tmp_path / 'result.json').read_text() == 'old'


def test_the_report_of_one_file_names_every_problem(tmp_path):
    _, problems = read(tmp_path, [entry(20), entry(2, scale=None), entry(3), entry(3), {}])
    report = report_of(problems)
    for text in ('bad (4 problems)', 'outside the landmark set', 'without a "scale"', 'more than once', 'entry 5'):
        assert text in report
