import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import InputError, Problems
from cephalometric.preparation.file_names import FileNames
from cephalometric.preparation.grouping import check_grouping, read_groups
from cephalometric.preparation.sources import Entry, LabelledXrays

NAMES = ('anna/1.png', 'anna/2.png', 'ben/1.png', 'patient3_a.png', 'patient3_b.png')


def xrays_of(names, folder=Path('/films')):
    files = FileNames([folder / name for name in names])
    entries = [Entry(name, None, name) for name in files.names]

    def find(name, base):
        return [files.names.index(found) for found in files.find(name, base)]

    return LabelledXrays(entries, lambda: iter(()), 'image', False, find)


def groups(words, names=NAMES):
    """The groups, and the report, if there is one."""
    problems = Problems()
    found = read_groups(words, xrays_of(names), problems)
    try:
        problems.raise_if_any('bad')
    except InputError as error:
        return found, str(error)
    return found, ''


def test_a_pattern_takes_what_it_fits_or_what_its_parentheses_hold():
    assert groups([r'^[^/]+/|patient\d+'])[0] == ['anna/', 'anna/', 'ben/', 'patient3', 'patient3']
    found, report = groups([r'^(?:([^/]+)/|patient(\d+))'])
    assert (found, report) == (['anna/', 'anna/', 'ben/', '/3', '/3'], '')


def test_a_name_that_the_pattern_does_not_fit_is_a_problem():
    report = groups([r'patient\d+'])[1]
    assert r'images whose names the pattern does not fit (--group patient\d+): anna/1.png, anna/2.png' in report
    assert 'anna/1.png' in groups([r'(x?)'])[1]


def test_a_table_names_images_by_their_paths(tmp_path):
    path = tmp_path / 'patients.csv'
    path.write_text('patient,image\nA,anna/1.png\nA,anna/2.png\nB,ben/1\nC,patient3_a.png\nC,patient3_b.bmp\nD,gone\n')
    assert groups([str(path), 'patient']) == (['A', 'A', 'B', 'C', 'C'], '')


def test_without_a_column_of_images_the_first_one_is_it(tmp_path):
    path = tmp_path / 'cephalogram_machine_mappings.csv'
    path.write_text('cephalogram_id,machine\na,X\nb,Y\n')
    assert groups([str(path), 'machine'], ['a.png', 'b.png']) == (['X', 'Y'], '')
    with pytest.raises(InputError, match='is the one of the images'):
        groups([str(path), 'cephalogram_id'], ['a.png', 'b.png'])


@pytest.mark.parametrize(
    ('rows', 'expected'),
    [
        ('a,X\na,Y\nb,Z\n', 'images in several groups by --group:\n    X, Y: a.png'),
        ('a,X\nb,\n', 'images without a group in the table'),
        ('a,X\n', 'b.png'),
    ],
)
def test_images_without_a_group_or_with_several(tmp_path, rows, expected):
    path = tmp_path / 'patients.csv'
    path.write_text(f'image,patient\n{rows}')
    assert expected in groups([str(path), 'patient'], ['a.png', 'b.png'])[1]


def test_a_row_that_fits_several_images(tmp_path):
    path = tmp_path / 'patients.csv'
    path.write_text('image,patient\n1.png,X\n')
    assert 'fit several images (write their whole paths): 1.png' in groups([str(path), 'patient'], NAMES[:3])[1]


def test_words_that_are_no_grouping(tmp_path):
    path = tmp_path / 'patients(1.csv'
    path.write_text('image,patient,day\na,X,1\n')
    with pytest.raises(InputError, match='a table needs its column too'):
        check_grouping([str(path)])
    plain = path.rename(tmp_path / 'patients.csv')
    with pytest.raises(InputError, match='name the column too'):
        groups([str(plain)])
    with pytest.raises(InputError, match="no column 'Patient ID'; the columns are image, patient, day"):
        groups([str(plain), 'Patient ID'])
    with pytest.raises(InputError, match='3 words'):
        check_grouping([str(plain), 'Patient', 'ID'])
    with pytest.raises(InputError, match=r'nowhere\.csv'):
        groups([str(tmp_path / 'nowhere.csv'), 'patient'])


@given(st.lists(st.from_regex(r'[a-c]{1,2}/[0-9]{1,2}\.png', fullmatch=True), min_size=1, max_size=12, unique=True))
def test_images_of_a_folder_and_no_others_are_a_group(names):
    names = ['other/1.png', *(name for name in names)]
    found, report = groups([r'^[^/]+'], names)
    assert not report and found == [name.split('/')[0] for name in names]


@given(st.text(max_size=8))
def test_any_text_is_a_pattern_or_a_readable_error(text):
    try:
        found, report = groups([text])
    except InputError as error:
        assert str(error).startswith('--group')
    else:
        assert re.compile(text) and len(found) == len(NAMES) and ('' in found) == bool(report)
