"""Tables of a laboratory: analyses and norms of its own, and the message for what is wrong in them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import Person, analyses_for, check_norm_name, load_analyses, load_measurements

MEASUREMENT = {
    'name': 'upper_face_mm', 'title': 'Upper facial height', 'unit': 'mm', 'formula': {'distance': ['N', 'ANS']},
    'sign': 'larger: longer midface', 'definition': 'Nasion to anterior nasal spine.', 'source': 'our laboratory',
}  # fmt: skip
NORM = {'measurement': 'SNA', 'mean': 81, 'sd': 3, 'source': 'our controls'}
ANALYSIS = {
    'name': 'ours',
    'title': 'Ours',
    'source': 'our laboratory',
    'populations': {'our women': {'sex': 'female', 'source': 'our controls'}},
    'groups': [{'title': 'Heights', 'entries': [{'measurement': 'LAFH_mm', 'norms': [{'mean': 65}]}, 'SNA']}],
}


def loaded(folder, **parts):
    path = folder / 'ours.json'
    path.write_text(json.dumps(parts))
    return load_analyses(path)


def entry_of(analysis, name='SNA'):
    return next(entry for entry in analysis.entries if entry.name == name)


def test_a_norm_of_ones_own_takes_the_place_of_the_author_s_norms_and_classes(tmp_path):
    analyses = loaded(tmp_path, norms=[NORM])
    for name in ('steiner', 'tweed', 'eastman', 'mcnamara', 'isbi2015'):
        entry = entry_of(analyses[name])
        assert [norm.source for norm in entry.norms] == ['our controls'] and entry.classes == ()
        assert entry.measurement == entry_of(load_analyses()['steiner']).measurement
    assert entry_of(analyses['steiner'], 'SNB') == entry_of(load_analyses()['steiner'], 'SNB')


def test_it_may_be_for_one_analysis_and_for_each_sex(tmp_path):
    norms = [NORM | {'analysis': 'steiner', 'sex': sex, 'mean': mean} for sex, mean in (('female', 80), ('male', 83))]
    analyses = loaded(tmp_path, norms=norms)
    entry = entry_of(analyses['steiner'])
    assert (entry.norm_for(Person('female')).mean, entry.norm_for(Person('male')).mean) == (80, 83)
    assert entry.norm_for() is None
    assert entry_of(analyses['eastman']) == entry_of(load_analyses()['eastman'])


def test_it_may_bring_classes(tmp_path):
    classes = [{'name': 'small', 'below': 79}, {'name': 'usual'}]
    entry = entry_of(loaded(tmp_path, norms=[NORM | {'classes': classes, 'classes_source': 'us'}])['steiner'])
    assert [part.name for part in entry.classes] == ['small', 'usual'] and entry.classes_source == 'us'


def test_an_analysis_of_ones_own_comes_last_and_may_replace_another(tmp_path):
    analyses = loaded(tmp_path, analyses=[ANALYSIS, ANALYSIS | {'name': 'steiner'}])
    assert list(analyses)[-1] == 'ours' and analyses['steiner'].title == 'Ours'
    entry = entry_of(analyses['ours'], 'LAFH_mm')
    assert (entry.norms[0].name, entry.norms[0].sex) == ('our women', 'female')
    assert entry_of(analyses['ours']).norms == ()


def test_a_measurement_joins_analyses_with_its_norm(tmp_path):
    joining = MEASUREMENT | {'analyses': ['steiner', 'faces'], 'norm': {'mean': 54, 'sd': 3, 'source': 'us'}}
    analyses = loaded(tmp_path, measurements=[joining])
    for name in ('steiner', 'faces'):
        assert entry_of(analyses[name], 'upper_face_mm').norm_for().mean == 54
    assert analyses['steiner'].groups[0] == load_analyses()['steiner'].groups[0]
    alone = loaded(tmp_path, measurements=[MEASUREMENT | {'norm': {'mean': 54, 'source': 'us'}}])
    assert entry_of(alone['own'], 'upper_face_mm').norm_for().mean == 54
    assert 'own' not in loaded(tmp_path, measurements=[MEASUREMENT])


def test_a_replaced_measurement_is_replaced_in_the_analyses_and_keeps_their_norms(tmp_path):
    other = MEASUREMENT | {'name': 'SNA', 'unit': 'deg', 'formula': {'angle': ['S', 'N', 'ANS']}}
    entry = entry_of(loaded(tmp_path, measurements=[other])['steiner'])
    assert entry.measurement.landmarks == ('S', 'N', 'ANS') and entry.norms[0].mean == 82


def test_the_package_s_own_tables_stay_as_they_are(tmp_path):
    before = load_analyses(), load_measurements()
    loaded(tmp_path, norms=[NORM], analyses=[ANALYSIS | {'name': 'steiner'}], measurements=[MEASUREMENT])
    assert (load_analyses(), load_measurements()) == before
    with pytest.raises(TypeError):
        load_analyses()['steiner'] = None


@pytest.mark.parametrize(
    ('parts', 'words'),
    [
        ({}, 'some of the lists measurements, analyses, norms'),
        ({'norm': []}, 'some of the lists'),
        ({'norms': {}}, '"norms" must be a list'),
        ({'norms': [3]}, 'names its "measurement"'),
        ({'norms': [NORM | {'measurement': 'SNX'}]}, 'names its "measurement"'),
        ({'norms': [NORM | {'measurement': []}]}, 'names its "measurement"'),
        ({'norms': [NORM | {'analysis': 'nobody'}]}, "no analysis 'nobody'"),
        ({'norms': [NORM | {'analysis': ['steiner']}]}, 'no analysis'),
        ({'norms': [NORM | {'analysis': 'wits'}]}, 'wits has no such measurement'),
        ({'norms': [NORM | {'sd': -1}]}, 'norm of \'SNA\': "sd" of a norm'),
        ({'norms': [NORM | {'classes': [{'name': 'x'}]}]}, 'belong together'),
        ({'norms': [NORM | {'mean': {'distance': ['S', 'N']}}]}, 'a formula of another unit'),
        ({'analyses': ['ours']}, 'is no JSON object'),
        ({'analyses': [{'name': 'ours'}]}, 'analysis \'ours\': "title" is missing'),
        ({'analyses': [ANALYSIS | {'name': 3}]}, 'its name, title, source and note are texts'),
        ({'analyses': [ANALYSIS | {'groups': 3}]}, '"groups" must be a list'),
        ({'analyses': [ANALYSIS | {'populations': []}]}, '"populations" are a JSON object'),
        ({'analyses': [ANALYSIS | {'groups': [{'title': 'x', 'entries': ['SNX']}]}]}, "no measurement 'SNX'"),
        ({'analyses': [ANALYSIS | {'groups': [{'title': 'x', 'entries': ['SNA', 'SNA']}]}]}, 'there twice'),
        ({'analyses': [ANALYSIS | {'groups': [{'title': 3, 'entries': []}]}]}, 'a title is a text'),
        ({'analyses': [ANALYSIS | {'groups': [{'entries': []}]}]}, '"title" is missing'),
        ({'analyses': [ANALYSIS | {'colour': 'red'}]}, "'colour' is not known"),
        ({'measurements': [MEASUREMENT | {'analyses': [3]}]}, '"analyses" must hold names'),
        ({'measurements': [MEASUREMENT | {'classes': [{'name': 'x'}]}]}, 'belong together'),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_the_file(tmp_path, parts, words):
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, **parts)
    assert words in str(caught.value) and 'ours.json' in str(caught.value) and '\n' not in str(caught.value)


def test_a_name_that_no_norm_has_is_refused_with_those_that_there_are():
    check_norm_name(load_analyses(), None)
    check_norm_name(load_analyses(), 'riedel 1952')
    with pytest.raises(InputError, match=r'--norms .nobody.: no norm has that name; there are .*Riedel 1952'):
        check_norm_name(load_analyses(), 'nobody')


def test_a_set_that_allows_nothing_has_no_analysis():
    assert analyses_for(load_landmark_set('cldetection2024')) == {}
    assert 'wits' not in analyses_for(load_landmark_set('isbi2015'))
    assert list(analyses_for(load_landmark_set('cldetection2023'))) == list(load_analyses())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(['SNA', 'steiner', 'x', '']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['SNA', 'mean', 'angle']), inner),
    max_leaves=5,
)
WHOLE = {
    'measurements': [MEASUREMENT],
    'analyses': [ANALYSIS],
    'norms': [NORM | {'analysis': 'steiner', 'ages': [1, 9]}],
}


def places(content, path=()):
    yield path
    for key, inner in content.items() if isinstance(content, dict) else enumerate(content or ()):
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))
        else:
            yield (*path, key)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([place for place in places(WHOLE) if place]), JSON)
def test_anything_anywhere_in_a_table_is_taken_or_refused_in_one_line(tmp_path_factory, place, content):
    table = json.loads(json.dumps(WHOLE))
    inner = table
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = content
    path = tmp_path_factory.mktemp('table') / 'ours.json'
    path.write_text(json.dumps(table))
    try:
        analyses = load_analyses(path)
    except InputError as error:
        assert 'ours.json' in str(error) and '\n' not in str(error)
    else:
        for analysis in analyses.values():
            for entry in analysis.entries:
                entry.classes_at(entry.norm_for(Person('female', 9)))
