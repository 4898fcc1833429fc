"""Landmark sets are data: the built-in ones, and a laboratory's own."""

import json

import pytest

from cephalometric.errors import InputError
from cephalometric.landmarks import built_in_landmark_sets, load_landmark_set


def test_the_challenge_set_is_the_challenges():
    landmarks = load_landmark_set('cldetection2023')
    assert len(landmarks) == 38
    assert landmarks.abbreviations[:4] == ('S', 'N', 'Or', 'Po')
    assert landmarks.names[26] == 'basion' and landmarks.abbreviations[26] == 'Ba'
    assert len(set(landmarks.abbreviations)) == len(landmarks)


def test_isbi_is_the_first_19_of_the_challenge_with_the_lines_between_them():
    isbi, challenge = load_landmark_set('isbi2015'), load_landmark_set('cldetection2023')
    assert isbi.abbreviations == challenge.abbreviations[:19]
    assert isbi.names == challenge.names[:19] and isbi.groups == challenge.groups[:19]
    assert set(isbi.lines) == {line for line in challenge.lines if max(line) < 19}


@pytest.mark.parametrize('name', built_in_landmark_sets())
def test_lines_join_two_different_landmarks_of_the_set(name):
    landmarks = load_landmark_set(name)
    assert landmarks.lines
    assert all(a != b and {a, b} <= set(range(len(landmarks))) for a, b in landmarks.lines)


def test_a_set_of_ones_own_is_a_json_file(tmp_path):
    path = tmp_path / 'mine.json'
    rows = [{'abbreviation': 'S', 'name': 'sella'}, {'abbreviation': 'N', 'name': 'nasion', 'group': 'base'}]
    path.write_text(json.dumps({'landmarks': rows, 'lines': [['S', 'N']]}))
    landmarks = load_landmark_set(str(path))
    assert (landmarks.name, len(landmarks), landmarks.lines) == ('mine', 2, ((0, 1),))


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ('{', 'not a landmark set'),
        ('[]', 'non-empty list'),
        ('{"landmarks": []}', 'non-empty list'),
        ('{"landmarks": [{"name": "sella"}]}', 'abbreviation'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a"}, {"abbreviation": "S", "name": "b"}]}', 'more than once'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a"}], "lines": [["S", "X"]]}', 'pairs'),
        ('{"subset_of": "isbi2015", "landmarks": ["S", "Xyz"]}', "'Xyz'"),
    ],
)
def test_a_broken_table_is_named(tmp_path, content, expected):
    path = tmp_path / 'broken.json'
    path.write_text(content)
    with pytest.raises(InputError, match=expected) as error:
        load_landmark_set(str(path))
    assert str(path) in str(error.value)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match='cldetection2023, isbi2015'):
        load_landmark_set('cldetection2032')
