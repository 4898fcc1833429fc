"""What errors of landmarks do to measurements and to their classes."""

import numpy as np
import pytest

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import (
    Person,
    analysis_agreement,
    load_analyses,
    load_measurements,
    measurement_errors,
)
from cephalometric.measurements.agreement import class_numbers, in_order

SOME_LANDMARKS = load_landmark_set('isbi2015')
BY_NAME = {measurement.name: measurement for measurement in load_measurements()}
SNA, SNB, ANB, MW = (BY_NAME[name] for name in ('SNA', 'SNB', 'ANB', 'MW'))
CHOSEN = [SNA, SNB, ANB, MW]
BENCHMARK = {'isbi2015': load_analyses()['isbi2015']}


def rates_of(predicted, true, spacings, **options):
    (analysis,) = analysis_agreement(predicted, true, SOME_LANDMARKS, spacings, BENCHMARK, **options)
    return {entry.entry.name: entry for entry in analysis.entries}


def heads(*a_angles, tip_px=30.0):
    """Heads with SNB 78 and the given SNA, 1000 pixels high, the upper incisor in front of the lower one."""
    points = np.full((len(a_angles), len(SOME_LANDMARKS), 2), np.nan)
    place = {name: index for index, name in enumerate(SOME_LANDMARKS.abbreviations)}
    for head, a_angle in zip(points, a_angles, strict=True):
        head[place['S']], head[place['N']], head[place['Me']] = (0, 0), (700, 0), (500, 1000)
        head[place['Po']], head[place['Or']] = (-100, 200), (600, 200)
        for name, degrees in (('A', a_angle), ('B', 78)):
            head[place[name]] = 700 - 600 * np.cos(np.deg2rad(degrees)), 600 * np.sin(np.deg2rad(degrees))
        head[place['L1']], head[place['U1']] = (650, 700), (650 + tip_px, 700)
    return points


def by_name(results):
    return {result.measurement.name: result for result in results}


def test_errors_are_averaged_with_and_without_their_sign():
    true, predicted = heads(80, 80, 80), heads(81, 78, 80)
    errors = by_name(measurement_errors(predicted, true, SOME_LANDMARKS, np.full(3, 0.1), CHOSEN))
    assert errors['SNA'].count == 3
    assert (errors['SNA'].mean_absolute, errors['SNA'].bias) == pytest.approx((1, -1 / 3))
    assert errors['SNA'].sd == pytest.approx(np.std([1, 2, 0]))
    assert errors['ANB'].mean_absolute == pytest.approx(1)
    assert errors['SNB'].mean_absolute == pytest.approx(0, abs=1e-9)


def test_lengths_are_in_millimetres_and_need_a_spacing():
    spacings = np.array([0.1, 0.2, np.nan])
    true, predicted = heads(80, 80, 80), heads(80, 80, 80, tip_px=40.0)
    error = by_name(measurement_errors(predicted, true, SOME_LANDMARKS, spacings, CHOSEN))['MW']
    assert (error.count, error.mean_absolute, error.bias) == pytest.approx((2, 1.5, 1.5))


def test_images_without_the_landmark_do_not_count():
    true = heads(80, 82)
    true[1, SOME_LANDMARKS.abbreviations.index('A')] = np.nan
    errors = by_name(measurement_errors(heads(81, 90), true, SOME_LANDMARKS, np.full(2, 0.1), CHOSEN))
    assert (errors['SNA'].count, errors['SNB'].count) == (1, 2)
    assert errors['SNA'].mean_absolute == pytest.approx(1)
    rates = rates_of(heads(81, 90), true, np.full(2, 0.1))
    assert (rates['SNA'].class_count, rates['SNA'].right_class_percent) == (1, 100)


def test_without_any_value_there_is_no_mean():
    nothing = np.full((2, len(SOME_LANDMARKS), 2), np.nan)
    error = measurement_errors(nothing, heads(80, 80), SOME_LANDMARKS, np.full(2, 0.1), [SNA])[0]
    rate = rates_of(nothing, heads(80, 80), np.full(2, 0.1))['SNA']
    assert error.count == rate.class_count == 0
    assert np.isnan([error.mean_absolute, error.sd, error.bias, rate.right_class_percent]).all()


def test_the_share_of_images_that_keep_their_class():
    true = heads(79, 80, 83, 85)  # retrognathic, normal, normal, prognathic
    predicted = heads(78, 83, 83.5, 80)
    rates = rates_of(predicted, true, np.full(4, 0.1))
    assert rates['SNA'].right_class_percent == 50
    assert rates['SNB'].right_class_percent == 100
    assert (rates['SNA'].class_count, rates['MW'].right_class_percent) == (4, 100)


def test_by_default_everything_that_the_set_allows_is_compared():
    true = heads(80, 82)
    names = by_name(measurement_errors(true, true, SOME_LANDMARKS, np.full(2, 0.1)))
    assert 'SNA' in names and 'wits' not in names


def test_confusion_has_true_classes_in_rows_from_low_to_high():
    true, predicted = heads(79, 80, 83, 85), heads(78, 83, 83.5, 80)
    rate = rates_of(predicted, true, np.full(4, 0.1))['SNA']
    assert rate.classes == ('retrognathic maxilla', 'normal maxilla', 'prognathic maxilla')
    assert rate.confusion.tolist() == [[1, 0, 0], [0, 1, 1], [0, 1, 0]]
    assert rate.error.mean_absolute == pytest.approx((1 + 3 + 0.5 + 5) / 4)


def test_classes_with_several_low_borders_are_in_order_too():
    classes = BENCHMARK['isbi2015'].entries[-1].classes
    assert [part.name for part in in_order(classes)] == [
        'anterior cross bite',
        'edge to edge',
        'normal',
        'large overjet',
    ]
    numbers = class_numbers(classes, np.array([-1, 1, 3, 9, np.nan]))
    assert [classes[n].name if n >= 0 else None for n in numbers] == [
        'anterior cross bite',
        'edge to edge',
        'normal',
        'large overjet',
        None,
    ]


def test_every_analysis_that_the_set_allows_is_compared_with_its_own_classes():
    true, predicted = heads(81, 87), heads(84, 83)
    found = {a.analysis.name: a for a in analysis_agreement(predicted, true, SOME_LANDMARKS, np.full(2, 0.1))}
    assert {'steiner', 'isbi2015', 'eastman'} <= found.keys() and 'wits' not in found
    steiner = {entry.entry.name: entry for entry in found['steiner'].entries}
    assert steiner['ANB'].classes == ('Class III', 'Class I', 'Class II')
    assert steiner['ANB'].confusion.tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert steiner['ANB'].right_class_percent == 50


def test_classes_follow_the_person_whose_norms_are_used():
    mcnamara = {'mcnamara': load_analyses()['mcnamara'].available(SOME_LANDMARKS)}
    data = heads(80), heads(80), SOME_LANDMARKS, np.full(1, 0.1), mcnamara
    (nobody,), (women,) = analysis_agreement(*data), analysis_agreement(*data, person=Person('female'))
    assert nobody.entries[0].classes == () and np.isnan(nobody.entries[0].right_class_percent)
    assert women.entries[0].right_class_percent == 100


def test_an_angle_across_the_turn_is_not_off_by_a_whole_circle():
    landmarks = load_landmark_set('cldetection2023')
    points = np.full((2, 1, len(landmarks), 2), np.nan)
    for row, rise in zip(points, (0.1, -0.1), strict=True):
        for name, place in {'Po': (0, 0), 'Or': (90, 0), 'PNS': (90, rise), 'ANS': (0, 0)}.items():
            row[0, landmarks.abbreviations.index(name)] = place
    (error,) = measurement_errors(*points, landmarks, np.ones(1), [BY_NAME['palatal_plane']])
    assert error.mean_absolute < 1
