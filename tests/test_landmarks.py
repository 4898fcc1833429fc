"""Landmark sets are data: the built-in ones, and a laboratory's own."""

import json
import re
import unicodedata
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.landmarks import (
    LandmarkSet,
    built_in_landmark_sets,
    find_abbreviation,
    landmark_set_from,
    landmark_table,
    load_landmark_set,
)

DOCS = Path(__file__).parents[1] / 'docs' / 'landmark_sets.md'


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


def test_the_points_of_cldetection2024_are_called_by_the_columns_of_its_labels():
    landmarks = load_landmark_set('cldetection2024')
    assert len(landmarks) == 53
    assert (landmarks.abbreviations[0], landmarks.abbreviations[-1]) == ('p1', 'p53')


@pytest.mark.parametrize('name', built_in_landmark_sets())
def test_lines_join_two_different_landmarks_of_the_set(name):
    landmarks = load_landmark_set(name)
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
        ('{"subset_of": "isbi2015", "landmarks": ["S", {}]}', '{}'),
        ('{"subset_of": 3, "landmarks": ["S"]}', 'subset_of'),
        ('{"subset_of": "broken.json", "landmarks": ["S"]}', 'subset of itself'),
        ('{"subset_of": "../here/broken.json", "landmarks": ["S"]}', 'subset of itself'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a", "group": 3}]}', 'group'),
        ('{"landmarks": [{"abbreviation": "", "name": "a"}]}', 'abbreviation'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a", "definition": 3}]}', 'definition'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a", "definition": "b\\nc"}]}', 'one line'),
        ('{"based_on": "isbi2015", "landmarks": ["S", {"name": "a"}]}', 'abbreviation'),
        ('{"based_on": "isbi2015", "landmarks": ["S", "Xyz"]}', "'Xyz'"),
        ('{"based_on": "isbi2015", "subset_of": "isbi2015", "landmarks": ["S"]}', 'leave one of them'),
        ('{"based_on": "broken.json", "landmarks": ["S"]}', 'subset of itself'),
        ('{"title": 3, "landmarks": [{"abbreviation": "S", "name": "a"}]}', 'title'),
        ('{"landmarks": [{"abbreviation": "S", "name": "a"}], "lines": {"S": "S"}}', 'lines'),
    ],
)
def test_a_broken_table_is_named(tmp_path, content, expected):
    path = tmp_path / 'here' / 'broken.json'
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InputError, match=expected) as error:
        load_landmark_set(str(path))
    assert path.name in str(error.value)


FIELDS = ['abbreviation', 'name', 'group', 'definition']
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(['S', 'N', 'isbi2015', 'mine.json', '']) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.dictionaries(st.sampled_from(['title', 'landmarks', 'lines', 'subset_of', 'based_on']), JSON))
def test_any_table_is_a_set_or_a_readable_error(tmp_path, table):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps(table))
    try:
        landmarks = load_landmark_set(str(path))
    except InputError as error:
        assert 'mine.json' in str(error) or 'there is no landmark set' in str(error)
    else:
        assert isinstance(landmarks, LandmarkSet) and len(landmarks) == len(landmarks.names) == len(landmarks.groups)


def test_a_subset_names_its_parent_from_its_own_folder(tmp_path):
    rows = [{'abbreviation': text, 'name': text.lower()} for text in 'ABC']
    (tmp_path / 'all.json').write_text(json.dumps({'landmarks': rows, 'lines': [['A', 'B'], ['B', 'C']]}))
    (tmp_path / 'few.json').write_text(json.dumps({'subset_of': 'all.json', 'landmarks': ['C', 'B']}))
    few = load_landmark_set(str(tmp_path / 'few.json'))
    assert (few.abbreviations, few.lines) == (('C', 'B'), ((1, 0),))


@pytest.mark.parametrize('name', built_in_landmark_sets())
def test_a_table_written_out_is_the_same_set(tmp_path, name):
    landmarks = load_landmark_set(name)
    path = tmp_path / f'{name}.json'
    path.write_text(json.dumps(landmark_table(landmarks)))
    assert load_landmark_set(str(path)) == landmarks
    assert load_landmark_set(str(path)).definitions == landmarks.definitions
    assert 'subset_of' not in landmark_table(landmarks)


def test_the_examples_of_the_documentation_are_landmark_sets(tmp_path):
    examples = re.findall(r'^`(\w+\.json)`.*?```json\n(.*?)```', DOCS.read_text(encoding='utf-8'), re.M | re.S)
    assert len(examples) == 3
    for name, content in examples:
        (tmp_path / name).write_text(content)
    mine, profile, zygion = (load_landmark_set(str(tmp_path / name)) for name, _ in examples)
    assert mine.lines and set(mine.groups) > {'landmark'} and mine.title != 'mine'
    challenge = load_landmark_set('cldetection2023')
    assert set(profile.abbreviations) < set(challenge.abbreviations)
    assert profile.definition(0) == challenge.definition(challenge.find(profile.abbreviations[0]))
    assert mine.definitions[-1] and zygion.abbreviations[-1] == 'Zyg' and zygion.lines == mine.lines


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match='aariz, cldetection2023, cldetection2024, isbi2015'):
        load_landmark_set('cldetection2032')


@pytest.mark.parametrize('prime', "'\u2018\u2019\u201b\u2032\u02b9\u02bc\u00b4`\uff07")
@pytest.mark.parametrize('name', built_in_landmark_sets())
def test_every_landmark_is_found_as_people_type_it(name, prime):
    landmarks = load_landmark_set(name)
    for index, text in enumerate(landmarks.abbreviations):
        for typed in (text, text.upper(), text.lower(), f' {text} '):
            assert landmarks.find(typed.replace("'", prime)) == index


def test_a_text_that_may_be_several_landmarks_is_none():
    assert find_abbreviation('s', ['S', 'N']) == 'S'
    assert find_abbreviation('S', ['S', 's']) == 'S' and find_abbreviation('\uff33', ['S', 's']) == 'S'
    assert find_abbreviation('GO', ['Go', 'gO']) is None
    assert find_abbreviation('sella', ['S', 'N']) is None
    for form in ('NFC', 'NFD'):
        assert find_abbreviation(unicodedata.normalize(form, 'M\u00fc'), ['M\u00fc', 'Mu']) == 'M\u00fc'
        assert find_abbreviation('M\u00fc', [unicodedata.normalize(form, 'm\u00fc')])


@given(st.text(max_size=6), st.lists(st.text(max_size=6), max_size=4))
def test_what_is_found_is_an_abbreviation_and_an_equal_one_goes_first(text, abbreviations):
    found = find_abbreviation(text, abbreviations)
    assert found is None or found in abbreviations
    assert text not in abbreviations or found == text


def test_a_table_with_a_byte_order_mark(tmp_path):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({'landmarks': [{'abbreviation': 'S', 'name': 'sella'}]}), encoding='utf-8-sig')
    assert load_landmark_set(str(path)).abbreviations == ('S',)


def test_a_name_that_no_file_can_have():
    with pytest.raises(InputError, match='there is no landmark set'):
        load_landmark_set('a' * 5000)


@pytest.mark.parametrize('name', sorted(set(built_in_landmark_sets()) - {'cldetection2024'}))
def test_every_landmark_that_has_a_name_has_a_definition_of_one_line(name):
    landmarks = load_landmark_set(name)
    assert len(set(landmarks.definitions)) == len(landmarks) == len(landmarks.definitions)
    for definition in landmarks.definitions:
        assert 10 < len(definition) <= 100 and definition.isprintable() and definition[0].isupper()
        assert not definition.endswith('.')
    # Points that the challenge has not named have no place that anybody knows of.
    assert load_landmark_set('cldetection2024').definitions == ()
    assert load_landmark_set('cldetection2024').definition(3) == ''


def test_what_the_challenges_own_table_says_is_in_the_definitions():
    landmarks = load_landmark_set('cldetection2023')

    def of(name):
        return landmarks.definition(landmarks.find(name)).lower()

    assert all('mesial contact point' in of(name) and 'first molar' in of(name) for name in ('U6', 'L6'))
    assert all(of(name).startswith('border of the') for name in ("UL'", "LL'"))
    assert of('Ptm').startswith('lowest point') and of('D').startswith('centre')
    assert of('Gn').startswith('midway between pogonion and menton')
    isbi = load_landmark_set('isbi2015')
    assert isbi.definitions == landmarks.definitions[:19]


def test_definitions_do_not_make_another_set_and_files_without_them_are_read():
    landmarks = load_landmark_set('isbi2015')
    fields = asdict(landmarks)
    assert landmark_set_from(json.loads(json.dumps(fields))).definitions == landmarks.definitions
    del fields['definitions']
    earlier = landmark_set_from(fields)
    assert earlier == landmarks and earlier.definitions == landmarks.definitions
    assert replace(landmarks, definitions=()) == landmarks
    for change in ({'name': 'mine'}, {'names': ['x', *fields['names'][1:]]}):
        assert landmark_set_from(fields | change).definitions == ()
    for broken in (['x'], 'x', [3] * 19, [None] * 19, 3):
        with pytest.raises((TypeError, ValueError)):
            landmark_set_from(fields | {'definitions': broken})


def test_a_set_takes_landmarks_from_another_and_adds_its_own(tmp_path):
    path = tmp_path / 'more.json'
    own = [{'abbreviation': 'Zyg', 'name': 'zygion', 'definition': 'Outermost point of the arch'}]
    own += [{'abbreviation': 'N', 'name': 'nasion of ours'}]
    path.write_text(json.dumps({'based_on': 'isbi2015', 'landmarks': ['S', *own]}))
    landmarks, isbi = load_landmark_set(str(path)), load_landmark_set('isbi2015')
    assert landmarks.abbreviations == ('S', 'Zyg', 'N') and landmarks.lines == ((0, 2),)
    assert landmarks.definitions == (isbi.definition(0), 'Outermost point of the arch', '')


def test_the_page_about_landmark_sets_says_where_every_landmark_lies():
    rows = set(DOCS.read_text(encoding='utf-8').splitlines())
    for name in ('cldetection2023', 'aariz'):
        landmarks = load_landmark_set(name)
        for k, abbreviation in enumerate(landmarks.abbreviations):
            row = f'| {k + 1} | `{abbreviation}` | {landmarks.names[k]} | {landmarks.definition(k)} |'
            assert row in rows, f'{DOCS} lacks: {row}'
