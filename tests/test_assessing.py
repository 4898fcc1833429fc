"""Values against norms: deviations, classes, and when a class is undecided."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from second_measurements import HEAD, second_values

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import Person, assess, assess_all, load_analyses
from cephalometric.measurements.assessing import class_of

LANDMARKS = load_landmark_set('cldetection2023')
ANALYSES = load_analyses()
POINTS = np.array([HEAD[name] for name in LANDMARKS.abbreviations], float) * 10
VALUES = second_values(HEAD)
EXPECTED_MM = np.full(len(LANDMARKS), 1.0)


def of(analysis, points=POINTS, **options):
    options = {'expected_error_mm': EXPECTED_MM, **options}
    found = assess(points, LANDMARKS, options.pop('spacing_mm', 0.1), analysis, **options)
    return {value.measurement.name: value for value in found.values}


def test_a_value_has_its_norm_its_deviation_and_its_class():
    value = of(ANALYSES['steiner'])['SNA']
    assert value.value == pytest.approx(VALUES['SNA'])
    assert (value.mean, value.sd, value.norm.name) == (82, 3.9, 'Riedel 1952')
    assert value.deviation_sd == pytest.approx((VALUES['SNA'] - 82) / 3.9)
    assert (value.class_name, value.is_normal, value.flagged) == ('normal maxilla', True, None)
    assert value.standard_error > 0 and value.undecided is False


def test_groups_and_order_are_those_of_the_analysis():
    found = assess(POINTS, LANDMARKS, 0.1, ANALYSES['downs'])
    assert [group.title for group in found.groups] == ['Skeletal pattern', 'Denture pattern']
    assert [value.measurement.name for value in found.values] == [e.name for e in ANALYSES['downs'].entries]


def test_a_class_closer_to_its_border_than_the_standard_error_is_undecided():
    """ANB is 3.65, and Steiner's Class I ends at 4."""
    anb = of(ANALYSES['steiner'], expected_error_mm=EXPECTED_MM)['ANB']
    assert (anb.class_name, anb.undecided) == ('Class I', True) and anb.standard_error > 0.35
    sure = of(ANALYSES['steiner'], expected_error_mm=0.2 * EXPECTED_MM)['ANB']
    assert (sure.class_name, sure.undecided) == ('Class I', False) and sure.standard_error < 0.35
    unknown = of(ANALYSES['steiner'], expected_error_mm=None)['ANB']
    assert (unknown.class_name, unknown.undecided, unknown.standard_error) == ('Class I', None, None)


def test_undecided_is_what_a_simulation_calls_undecided():
    """As many films fall on the other side of the border as a normal error of that size says."""
    anb = of(ANALYSES['steiner'])['ANB']
    share = (4 - anb.value) / anb.standard_error
    rng = np.random.default_rng(0)
    films = POINTS + 10 / np.sqrt(np.pi / 2) * rng.standard_normal((4000, *POINTS.shape))
    found = assess_all(films, LANDMARKS, np.full(4000, 0.1), replace(ANALYSES['steiner'], groups=only('ANB')))
    beyond = np.mean([result.values[0].class_name == 'Class II' for result in found])
    assert beyond == pytest.approx(0.5 * (1 - math.erf(share / 2**0.5)), abs=0.03)


def same(first, second):
    numbers = [
        [value.value, *(np.nan if number is None else number for number in (value.standard_error, value.deviation_sd))]
        for value in (first, second)
    ]
    words = [(value.norm, value.class_name, value.undecided, value.flagged) for value in (first, second)]
    return words[0] == words[1] and np.allclose(*numbers, equal_nan=True)


def only(name):
    group = ANALYSES['steiner'].groups[0]
    return (replace(group, entries=tuple(entry for entry in group.entries if entry.name == name)),)


def test_an_individual_norm_follows_from_the_head_itself():
    anb = of(ANALYSES['hasund'])['ANB']
    mean = -35.16 + 0.4 * VALUES['SNA'] + 0.2 * VALUES['SN_GoMe']
    assert anb.mean == pytest.approx(mean)
    assert anb.deviation_sd == pytest.approx((VALUES['ANB'] - mean) / 1)
    assert anb.class_name == ('Class I' if abs(VALUES['ANB'] - mean) <= 1 else 'Class III')
    without = POINTS.copy()
    without[LANDMARKS.abbreviations.index('Go')] = np.nan
    anb = of(ANALYSES['hasund'], without)['ANB']
    assert np.isfinite(anb.value) and anb.norm is None and anb.class_name is None and anb.mean is None


def test_an_individual_norm_is_undecided_by_the_error_of_the_difference(tmp_path):
    """A mean that is the measurement itself: their difference is 0 without any error, however unsure both are."""
    norm = {'measurement': 'ANB', 'analysis': 'steiner', 'mean': 'ANB', 'sd': 0.001, 'source': 'us'}
    (tmp_path / 'ours.json').write_text(json.dumps({'norms': [norm]}))
    anb = of(load_analyses(tmp_path / 'ours.json')['steiner'])['ANB']
    assert anb.standard_error > 0.3 and (anb.class_name, anb.undecided) == ('Class I', False)


def test_a_range_is_the_border_where_the_author_gives_one():
    tweed = of(ANALYSES['tweed'])
    assert (tweed['FMA'].class_name, tweed['FMA'].deviation_sd) == ('normal angle', None)
    assert tweed['FMA'].range == (20, 30) and tweed['FMA'].class_source == "within the norm's range"
    assert tweed['FMIA'].class_name == 'proclined' and tweed['FMIA'].is_normal is False
    assert tweed['PFH_Tweed_mm'].class_name is None and tweed['PFH_Tweed_mm'].mean == 45


def test_sex_age_and_name_choose():
    assert of(ANALYSES['wits'])['wits'].norm is None and of(ANALYSES['wits'])['wits'].class_name is None
    women, men = (of(ANALYSES['wits'], person=Person(sex))['wits'] for sex in ('female', 'male'))
    assert women.deviation_sd == pytest.approx((7 + 0.1) / 1.77) and men.mean == -1.17
    grown = of(ANALYSES['ricketts'])['FMA'], of(ANALYSES['ricketts'], person=Person(None, 9))['FMA']
    assert [value.mean for value in grown] == pytest.approx([23.3, 26])
    assert of(ANALYSES['jarabak'])['jarabak_ratio'].class_name == 'hypodivergent'
    named = of(ANALYSES['jarabak'], norms='Jarabak and Fizzell 1972')['jarabak_ratio']
    assert named.class_name == 'neutral'


def test_many_films_of_different_people_are_assessed_at_once():
    other = POINTS.copy()
    other[LANDMARKS.abbreviations.index('Co')] = np.nan
    films, people = np.stack([POINTS, POINTS, other, POINTS * (-1, 1)]), [Person('female'), Person('male')] * 2
    spacings, expected = np.array([0.1, np.nan, 0.1, 0.1]), np.tile(EXPECTED_MM, (4, 1))
    flags = np.zeros((4, len(LANDMARKS)), bool)
    flags[2, LANDMARKS.abbreviations.index('Po')] = True
    together = assess_all(
        films, LANDMARKS, spacings, ANALYSES['mcnamara'], people, expected_errors_mm=expected, flagged=flags
    )
    for n, result in enumerate(together):
        alone = assess(
            films[n],
            LANDMARKS,
            None if np.isnan(spacings[n]) else spacings[n],
            ANALYSES['mcnamara'],
            person=people[n],
            expected_error_mm=EXPECTED_MM,
            flagged=flags[n],
        )
        assert [same(*pair) for pair in zip(alone.values, result.values, strict=True)] == [True] * 11
    by_name = [{value.measurement.name: value for value in result.values} for result in together]
    assert by_name[0]['Co_A_mm'].mean == 91.0 and by_name[1]['SNA'].standard_error is None
    assert np.isnan(by_name[1]['Co_A_mm'].value) and by_name[1]['Co_A_mm'].flagged is None
    assert np.isnan(by_name[2]['Co_A_mm'].value) and by_name[2]['FMA'].flagged and not by_name[2]['SNA'].flagged


def test_nothing_is_in_no_class():
    classes = ANALYSES['isbi2015'].entries[0].classes
    assert class_of(classes, float('nan')) is None and class_of((), 3.0) is None
    assert class_of(classes, 3.2).name == 'Class I'
