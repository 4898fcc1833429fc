"""Norms: which one is meant for a person, and the message for what is none."""

import pytest

from cephalometric.measurements.formulas import parse_formula
from cephalometric.measurements.norms import (
    CONFIDENCES,
    MeasurementClass,
    Person,
    choose_norm,
    norm_names,
    parse_classes,
    parse_norm,
)

POPULATIONS = {
    'women': {'name': 'women', 'sex': 'female', 'ages': [18, None], 'source': 'somebody', 'n': 20},
    'men': {'name': 'men', 'sex': 'male', 'ages': [18, None], 'source': 'somebody'},
    'all': {'name': 'all', 'source': 'somebody', 'confidence': 'textbook'},
    'girls': {'name': 'girls', 'sex': 'female', 'ages': [6, 12], 'source': 'somebody'},
    'adults': {'name': 'adults', 'ages': [18, None], 'source': 'another'},
}


def norm(population, mean=1, **others):
    return parse_norm({'population': population, 'mean': mean, **others}, POPULATIONS, {})


BY_NAME = {name: norm(name) for name in POPULATIONS}


def chosen(names, person=Person(), name=None):  # noqa: B008
    found = choose_norm([BY_NAME[each] for each in names], person, name)
    return found and found.name


@pytest.mark.parametrize(
    ('names', 'person', 'expected'),
    [
        (['women', 'men'], Person(), None),
        (['women', 'men', 'all'], Person(), 'all'),
        (['all', 'women', 'men'], Person('female'), 'women'),
        (['all', 'women', 'men'], Person('male', 40), 'men'),
        (['all', 'women'], Person('male'), 'all'),
        (['girls', 'women'], Person('female'), 'women'),
        (['girls', 'women'], Person('female', 12.9), 'girls'),
        (['girls', 'women'], Person('female', 13), None),
        (['girls', 'women'], Person('male', 8), None),
        (['girls'], Person(), None),
        (['all', 'girls'], Person('female', 8), 'girls'),
        (['all', 'adults'], Person(None, 30), 'adults'),
        (['adults'], Person(None, 17.9), None),
        ([], Person('female', 8), None),
    ],
)
def test_the_norm_for_a_person(names, person, expected):
    assert chosen(names, person) == expected


def test_a_name_comes_before_others_but_not_before_the_person():
    assert chosen(['all', 'adults'], name='Adults') == 'adults'
    assert chosen(['all', 'adults'], Person(None, 9), 'adults') is None
    assert chosen(['all', 'adults'], name='women') == 'all'


def test_a_mean_that_grows_holds_until_its_age():
    growing = norm('all', 26, growth={'at_age': 9, 'per_year': -0.3, 'until': 18})
    means = [choose_norm([growing], Person(None, age)).mean for age in (None, 9, 12, 18, 60)]
    assert means == pytest.approx([23.3, 26, 25.1, 23.3, 23.3])


def test_a_norm_says_whose_it_is():
    women = norm('women', 91, sd=4.3)
    assert (women.sex, women.ages, women.n, women.confidence) == ('female', (18, None), 20, 'not stated')
    assert parse_norm({'source': 'us', 'range': [52, 55]}, {}, {}).centre == 53.5
    assert parse_norm({'source': 'us', 'range': [52, 55]}, {}, {}).name == 'us'
    assert parse_norm({'mean': 2}, {'all': POPULATIONS['all']}, {}).name == 'all'
    assert norm_names([women, women, norm('men')]) == ('women', 'men')


def test_a_mean_may_be_a_formula():
    known = {'SNA': parse_formula({'angle': ['S', 'N', 'A']}, {})}
    individual = parse_norm({'source': 'x', 'mean': {'sum': [{'times': [0.4, 'SNA']}, -3]}}, {}, known)
    assert individual.mean is None and individual.centre is None
    assert set(individual.formula.landmarks()) == {'S', 'N', 'A'}


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (3, 'a norm is a JSON object'),
        ({'source': 'x'}, 'a number or a formula "mean", or a "range"'),
        ({'mean': 1}, 'needs a "source"'),
        ({'mean': 1, 'source': 'x', 'sd': 0}, '"sd" of a norm is a positive number'),
        ({'mean': True, 'source': 'x'}, 'not a formula'),
        ({'mean': 'nothing', 'source': 'x'}, "no earlier measurement 'nothing'"),
        ({'range': [2, 1], 'source': 'x'}, 'a low and a high number'),
        ({'range': [1], 'source': 'x'}, 'a low and a high number'),
        ({'mean': 5, 'range': [1, 2], 'source': 'x'}, 'outside its "range"'),
        ({'mean': 1, 'source': 'x', 'sex': 'woman'}, 'female, male or both'),
        ({'mean': 1, 'source': 'x', 'ages': 9}, 'a lowest and a highest age'),
        ({'mean': 1, 'source': 'x', 'n': 2.5}, 'a number of people'),
        ({'mean': 1, 'source': 'x', 'confidence': 'sure'}, CONFIDENCES[0]),
        ({'mean': 1, 'source': 'x', 'growth': {'per_year': 1}}, '"growth" needs the numbers'),
        ({'mean': 1, 'population': 'nobody'}, "no population 'nobody'"),
        ({'mean': 1, 'source': 'x', 'median': 1}, "'median' is not known"),
        ({'mean': 1, 'source': 'x', 'origin': 3}, '"origin" of a norm is a text'),
    ],
)
def test_what_is_no_norm_says_why(content, words):
    with pytest.raises(ValueError) as caught:
        parse_norm(content, POPULATIONS, {})
    assert words in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize(('sex', 'age'), [('woman', None), (None, 0), (None, -3), (None, 1000), (None, float('nan'))])
def test_a_person_is_possible(sex, age):
    with pytest.raises(ValueError, match=r'write female or male|give years'):
        Person(sex, age)


def test_classes_end_with_the_normal_one():
    low, normal = parse_classes([{'name': 'low', 'below': 3}, {'name': 'normal'}])
    assert (low.holds(2.9), low.holds(3), normal.holds(3)) == (True, False, True)
    assert normal.is_normal and not low.is_normal and MeasurementClass('x', 1, 5).borders == (1, 5)
    for wrong in ([{'name': 'low', 'below': 3}], [{'name': 'a'}, {'name': 'b'}], [{'below': 3}], 'low'):
        with pytest.raises(ValueError, match='class'):
            parse_classes(wrong)
