"""The analyses of the package: whose classes and norms they hold, and that these agree with each other."""

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import Person, assess, load_analyses, load_measurements
from cephalometric.measurements.assessing import class_of
from cephalometric.measurements.norms import CONFIDENCES

ANALYSES = load_analyses()
ENTRIES = [(name, entry) for name, analysis in ANALYSES.items() for entry in analysis.entries]
NORMS = [(name, entry, norm) for name, entry in ENTRIES for norm in entry.norms]


def entry_of(analysis, measurement):
    return next(entry for entry in ANALYSES[analysis].entries if entry.name == measurement)


def test_there_are_the_schools_and_their_measurements():
    expected = {
        'steiner', 'downs', 'ricketts', 'tweed', 'mcnamara', 'jarabak', 'eastman', 'hasund', 'holdaway', 'wits', 'kim',
        'soft_tissue', 'isbi2015', 'cogs', 'incisors', 'michigan',
    }  # fmt: skip
    assert ANALYSES.keys() == expected and next(iter(ANALYSES)) == 'steiner'
    assert {entry.name for _, entry in ENTRIES} == {measurement.name for measurement in load_measurements()}
    assert len(load_measurements()) >= 75


@pytest.mark.parametrize('age', [None, 6, 9, 12, 17, 18, 60])
@pytest.mark.parametrize('sex', [None, 'female', 'male'])
def test_a_value_at_an_author_s_norm_is_in_the_author_s_normal_class(sex, age):
    person, judged = Person(sex, age), 0
    for name, entry, norm in NORMS:
        at_age = norm.at_age(person.age)
        classes, relative, _ = entry.classes_at(at_age)
        borders = [0.0] if relative else [at_age.centre, *(at_age.range or ())]
        for value in borders if classes and (relative or at_age.centre is not None) else ():
            assert class_of(classes, value).is_normal, (name, entry.name, norm.name, value)
            judged += 1
    assert judged > 150


def test_the_benchmark_s_borders_stand_in_its_own_analysis_alone():
    benchmark = {entry.name: entry.classes for entry in ANALYSES['isbi2015'].entries}
    assert all(benchmark.values()) and len(benchmark) == 8
    for name, entry in ENTRIES:
        assert name == 'isbi2015' or not entry.classes or entry.classes != benchmark.get(entry.name), name
    assert not any('Wang' in entry.classes_source for name, entry in ENTRIES if name != 'isbi2015')
    assert not any(entry.norms for entry in ANALYSES['isbi2015'].entries)


def test_a_face_at_steiner_s_ideal_is_normal_in_steiner():
    landmarks = load_landmark_set('isbi2015')
    points = np.full((len(landmarks), 2), np.nan)
    place = landmarks.abbreviations.index
    points[place('S')], points[place('N')], points[place('Me')] = (0, 0), (700, 0), (500, 1100)
    for name, degrees in (('A', 82), ('B', 80)):
        points[place(name)] = 700 - 600 * np.cos(np.deg2rad(degrees)), 600 * np.sin(np.deg2rad(degrees))
    found = assess(points, landmarks, 0.1, ANALYSES['steiner'].available(landmarks))
    classes = {value.measurement.name: value.class_name for value in found.values}
    assert [classes[name] for name in ('SNA', 'SNB', 'ANB')] == ['normal maxilla', 'normal mandible', 'Class I']
    benchmark = assess(points, landmarks, 0.1, ANALYSES['isbi2015'])
    assert {value.measurement.name: value.class_name for value in benchmark.values}['ANB'] == 'Class III'


@pytest.mark.parametrize(
    ('analysis', 'measurement', 'person', 'mean', 'sd'),
    [
        ('steiner', 'interincisal', Person(), 131, 6),
        ('downs', 'interincisal', Person(), 135.4, 5.76),
        ('downs', 'FMA', Person(), 21.9, 3.24),
        ('tweed', 'FMA', Person(), 25, None),
        ('ricketts', 'FMA', Person(None, 9), 26, 4.5),
        ('ricketts', 'facial_angle', Person(None, 9), 87, 3),
        ('ricketts', 'LL_E_mm', Person(), -2, 2),
        ('ricketts', 'LL_E_mm', Person(None, 14), -3, 2),
        ('wits', 'wits', Person('female'), -0.1, 1.77),
        ('wits', 'wits', Person('male'), -1.17, 1.9),
        ('mcnamara', 'Co_A_mm', Person('female'), 91.0, 4.3),
        ('mcnamara', 'Co_Gn_mm', Person('male'), 134.3, 6.8),
        ('michigan', 'S_N_mm', Person('male', 16.5), 83.3, 3.8),
        ('eastman', 'ANB', Person(), 3, 2),
        ('jarabak', 'jarabak_ratio', Person(), 61, None),
    ],
)
def test_each_school_has_its_own_norm(analysis, measurement, person, mean, sd):
    norm = entry_of(analysis, measurement).norm_for(person)
    assert (norm.centre, norm.sd) == (pytest.approx(mean), sd)


def test_without_a_sex_there_is_no_norm_where_only_women_and_men_have_one():
    assert entry_of('wits', 'wits').norm_for() is None
    assert entry_of('mcnamara', 'Co_A_mm').norm_for(Person(None, 30)) is None
    assert entry_of('michigan', 'Co_Gn_mm').norm_for(Person('female')) is None
    assert entry_of('michigan', 'Co_Gn_mm').norm_for(Person('female', 17)) is None


def test_jarabak_s_own_ratio_is_chosen_by_its_name():
    entry = entry_of('jarabak', 'jarabak_ratio')
    assert entry.norm_for().range == (59, 63)
    assert entry.norm_for(name='jarabak and fizzell 1972').range == (62, 65)


def test_every_norm_says_whose_it_is_and_how_it_was_checked():
    for name, entry, norm in NORMS:
        assert norm.source and norm.origin and norm.confidence in CONFIDENCES[:-1], (name, entry.name)
        assert 'p.' not in norm.source.split(), (name, entry.name)
    assert all(analysis.source and analysis.title for analysis in ANALYSES.values())


def test_a_norm_that_was_seen_nowhere_claims_no_source_and_numbers_that_were_seen_are_kept():
    how = {(name, entry.name, norm.sex): norm.confidence for name, entry, norm in NORMS}
    several, one, none = CONFIDENCES[2:5]
    assert how['steiner', 'SN_GoGn', 'both'] == how['downs', 'interincisal', 'both'] == several
    assert how['mcnamara', 'Co_Gn_mm', 'female'] == several and how['mcnamara', 'Co_Gn_mm', 'male'] == one
    assert how['mcnamara', 'facial_axis', 'male'] == how['hasund', 'N_angle', 'both'] == none
    # The abstract of the paper has the means to the millimetre, not the decimals.
    assert how['wits', 'wits', 'female'] == none
    assert 'textbook' not in how.values() and 'primary source' not in how.values()


@pytest.mark.parametrize('measurement', ['wits', 'Pog_NB_mm', 'U1_NA', 'U1_NA_mm', 'L1_NB', 'L1_NB_mm'])
def test_what_could_not_be_traced_for_hasund_and_is_another_author_s_has_no_norm(measurement):
    assert not entry_of('hasund', measurement).norms


def test_what_a_set_cannot_measure_is_left_out_with_empty_groups():
    part = ANALYSES['steiner'].available(load_landmark_set('isbi2015'))
    assert 'U1_NA' not in {entry.name for entry in part.entries} and 'Lips' not in {g.title for g in part.groups}
    assert part.measurements[0].name == 'SNA'


# The borders of the benchmark: values below, on, between, on and above them.
@pytest.mark.parametrize(
    ('name', 'low', 'high', 'below', 'between', 'above'),
    [
        ('ANB', 3.2, 5.7, 'Class III', 'Class I', 'Class II'),
        ('SNB', 74.6, 78.7, 'retrognathic mandible', 'normal mandible', 'prognathic mandible'),
        ('SNA', 79.4, 83.2, 'retrognathic maxilla', 'normal maxilla', 'prognathic maxilla'),
        ('ODI', 68.4, 80.5, 'open bite tendency', 'normal', 'deep bite tendency'),
        ('APDI', 77.6, 85.2, 'Class II tendency', 'normal', 'Class III tendency'),
        ('FHI', 0.65, 0.75, 'long face tendency', 'normal', 'short face tendency'),
        ('FMA_ISBI', 26.8, 31.4, 'low angle tendency', 'normal', 'high angle tendency'),
        ('MW', 2, 4.5, 'edge to edge', 'normal', 'large overjet'),
    ],
)
def test_class_borders(name, low, high, below, between, above):
    values = (low - 0.01, low, (low + high) / 2, high, high + 0.01)
    classes = entry_of('isbi2015', name).classes
    assert [class_of(classes, value).name for value in values] == [below, between, between, between, above]


def test_the_incisors_have_a_fourth_class():
    classes = entry_of('isbi2015', 'MW').classes
    assert [class_of(classes, value).name for value in (-0.1, 0)] == ['anterior cross bite', 'edge to edge']
