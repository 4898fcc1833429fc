"""The table of measurements: what the package brings, and what a laboratory adds."""

import json

import pytest

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import load_measurements, measurements_for

MEASUREMENTS = {measurement.name: measurement for measurement in load_measurements()}
OWN = {
    'name': 'upper_face_mm',
    'title': 'Upper facial height',
    'unit': 'mm',
    'formula': {'distance': ['N', 'ANS']},
    'sign': 'larger: longer midface',
    'definition': 'Distance nasion to anterior nasal spine.',
    'source': 'our laboratory',
}


def load_own(folder, *entries):
    path = folder / 'ours.json'
    path.write_text(json.dumps({'measurements': entries}))
    return {measurement.name: measurement for measurement in load_measurements(path)}


def test_the_package_brings_the_usual_measurements():
    expected = {
        'SNA', 'SNB', 'ANB', 'FMA', 'FMIA', 'IMPA', 'wits', 'facial_angle', 'convexity', 'Y_axis', 'SN_GoGn',
        'interincisal', 'U1_NA', 'U1_NA_mm', 'L1_NB', 'L1_NB_mm', 'overjet', 'overbite', 'UL_E_mm', 'LL_E_mm',
        'jarabak_ratio', 'ODI', 'APDI', 'FHI', 'FMA_ISBI', 'MW',
    }  # fmt: skip
    assert MEASUREMENTS.keys() >= expected


def test_all_of_them_can_be_measured_on_the_large_set():
    assert measurements_for(load_landmark_set('cldetection2023')) == tuple(MEASUREMENTS.values())


def test_what_a_set_lacks_is_left_out_and_named():
    small = load_landmark_set('isbi2015')
    assert MEASUREMENTS['wits'] not in measurements_for(small)
    assert set(MEASUREMENTS['wits'].missing_landmarks(small)) == {'U6', 'L6'}
    assert MEASUREMENTS['SNA'].missing_landmarks(small) == ()


def test_a_laboratory_adds_a_measurement_as_one_entry(tmp_path):
    loaded = load_own(tmp_path, OWN)
    assert [name for name in loaded if name not in MEASUREMENTS] == ['upper_face_mm']
    assert loaded['upper_face_mm'].landmarks == ('N', 'ANS')
    assert loaded['upper_face_mm'].words == ('below the norm', 'normal', 'above the norm')


def test_an_entry_of_the_same_name_takes_the_place(tmp_path):
    loaded = load_own(tmp_path, OWN | {'name': 'SNA', 'unit': 'deg', 'formula': 'SNA', 'title': 'Our SNA'})
    assert list(loaded) == list(MEASUREMENTS)
    assert loaded['SNA'].formula == MEASUREMENTS['SNA'].formula and loaded['SNA'].title == 'Our SNA'


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'unit': 'deg'}, '"unit" is \'deg\', but the formula fits mm'),
        ({'unit': 'inch'}, '"unit" is \'inch\''),
        ({'formula': {'ratio': [{'distance': ['S', 'N']}, {'distance': ['S', 'N']}]}}, 'fits % or ratio'),
        ({'formula': 'nothing'}, "no earlier measurement 'nothing'"),
        ({'norms': {}}, '"norms" must be a list'),
        ({'median': 3}, "'median' is not known"),
        ({'words': ['low', 'high']}, '"words" are three texts'),
        ({'formula': {'times': ['x', {'distance': ['S', 'N']}]}}, '"times" takes a number, not'),
        ({'formula': {'distance': [{'crossing': ['S', 'N']}, 'A']}}, 'is not a line'),
        ({'formula': {'distance': [{'foot': ['S']}, 'A']}}, '"foot" takes 2 arguments'),
        ({'title': 5}, '"title" must be a text'),
        ({'norm': {'mean': 1}}, 'needs a "source"'),
        ({'norm': {'mean': 1, 'sd': 0, 'source': 'x'}}, '"sd" of a norm'),
        ({'norm': {'mean': True, 'sd': 1, 'source': 'x'}}, 'is not a formula'),
        ({'classes': [{'below': 3}], 'classes_source': 'x'}, 'a class has a "name"'),
        ({'classes': [{'name': 'small', 'below': '3'}], 'classes_source': 'x'}, 'a class has a "name"'),
        ({'classes': 'small', 'classes_source': 'x'}, '"classes" must be a list'),
        ({'classes': [{'name': 'small', 'below': 3}]}, 'belong together'),
        ({'analyses': [3]}, '"analyses" must hold names'),
    ],
)
def test_an_entry_that_is_wrong_says_where_and_why(tmp_path, change, words):
    with pytest.raises(InputError) as caught:
        load_own(tmp_path, OWN | change)
    assert words in str(caught.value)
    assert 'ours.json' in str(caught.value) and 'upper_face_mm' in str(caught.value)


def test_missing_keys_twins_and_things_that_are_no_entry(tmp_path):
    with pytest.raises(InputError, match='"sign" is missing'):
        load_own(tmp_path, {key: OWN[key] for key in OWN if key != 'sign'})
    with pytest.raises(InputError, match='there twice'):
        load_own(tmp_path, OWN, OWN)
    with pytest.raises(InputError, match='an entry is a JSON object'):
        load_own(tmp_path, 'SNA')


@pytest.mark.parametrize(
    'text', ['{', '[]', '{"measurements": 3}', '"text"', '\ud800'.encode('utf-8', 'surrogatepass')]
)
def test_a_file_that_is_no_table_is_named(tmp_path, text):
    path = tmp_path / 'ours.json'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r'ours\.json'):
        load_measurements(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r'nowhere\.json cannot be read'):
        load_measurements(tmp_path / 'nowhere.json')
