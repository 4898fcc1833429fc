"""What a header says in numbers and codes; nothing else of it is handed on."""

import pytest
from dicom_films import data_set, elements, file_of, lookup_table, with_values, write
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from cephalometric.xrays.dicom_header import QUOTABLE, Header


@pytest.fixture
def header(tmp_path):
    """Write a film with these attributes and read its header."""

    def read(**values):
        return Header(dcmread(with_values(write(tmp_path / 'film.dcm', data_set()), values)))

    return read


@pytest.mark.parametrize(
    ('vr', 'value', 'numbers'),
    [
        ('DS', b'0.5\\1.5', [0.5, 1.5]),
        ('DS', b'0,5\\1,5 ', [0.5, 1.5]),
        ('DS', b'0.5,1.5', [0.5, 1.5]),
        ('DS', b'1e-1', [0.1]),
        ('DS', b'.5 mm', [0.5]),
        ('DS', b'0.5\\wide', [0.5, None]),
        ('DS', b'0.5\\', [0.5, None]),
        ('DS', b'1e999', [None]),
        ('DS', b'', []),
        ('US', b'\5\0\6\0', [5, 6]),
        ('UN', b'7', [7]),
        ('OB', b'7', [7]),
        ('PN', b'Doe^Jane', [None]),
        ('SQ', b'', []),
    ],
)
def test_numbers_of_any_type(header, vr, value, numbers):
    read = header(WindowCenter=(vr, value))
    assert read.numbers('WindowCenter') == numbers
    assert read.remarks == []


@pytest.mark.parametrize(('value', 'number'), [(b'12', 12), (b'0', None), (b'17', None), (b'1.5', None), (b'x', None)])
def test_a_number_in_its_range_or_a_remark(header, value, number):
    read = header(WindowCenter=('DS', value))
    assert read.whole('WindowCenter', 'it is left out', 1, 16) == number
    assert len(read.remarks) == (number is None)
    assert number or (
        read.remarks[0].startswith(('WindowCenter = ', 'WindowCenter (no number)'))
        and read.remarks[0].endswith(': it is left out')
    )


def test_absent_and_empty_are_none_without_a_remark(header):
    read = header(WindowCenter=('DS', b''))
    for keyword in ('WindowCenter', 'WindowWidth'):
        assert read.number(keyword, 'it is left out') is None
    assert read.remarks == [] and read.code('VOILUTFunction') == ''


def test_codes_are_compared_without_case_and_padding(header):
    assert header(VOILUTFunction=('CS', b' linear\0')).code('VOILUTFunction') == 'LINEAR'
    assert header(VOILUTFunction=('US', b'\1\0')).code('VOILUTFunction') == ''


@given(st.text(max_size=60))
def test_what_is_quoted_has_no_words(text):
    if QUOTABLE.fullmatch(text):
        assert sum(letter.isalpha() for letter in text) < len(text)
        assert '\n' not in text


@pytest.mark.parametrize('vr', ['DS', 'LO', 'PN', 'UN', 'OB', 'DA', 'UI', 'SQ', 'ZZ'])
def test_no_name_gets_into_a_remark(header, vr):
    read = header(WindowCenter=(vr, b'Doe^Jane 4711'))
    assert read.number('WindowCenter', 'it is left out') is None
    assert len(read.remarks) <= 1 and 'Doe' not in str(read.remarks)


def test_items_share_the_remarks_of_their_header(header):
    read = Header(data_set(VOILUTSequence=lookup_table([1, 2], 8)))
    (item,) = read.items('VOILUTSequence')
    item.remark('LUTDescriptor', 'it is left out')
    assert read.remarks == ['LUTDescriptor = 2\\0\\8 cannot be used: it is left out']
    assert read.items('WindowCenter') == [] == header().items('VOILUTSequence')


def macro(sequence, **values):
    item, group = Dataset(), Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    setattr(group, sequence, Sequence([item]))
    return group


def test_a_frame_has_what_the_file_says_then_what_is_said_of_it_then_of_all():
    shared = macro('FrameVOILUTSequence', WindowCenter=10, WindowWidth=20)
    own = macro('FrameVOILUTSequence', WindowCenter=30)
    read = Header(
        data_set(
            SharedFunctionalGroupsSequence=Sequence([shared]),
            PerFrameFunctionalGroupsSequence=Sequence([Dataset(), own]),
        )
    )
    assert read.of_frame(0).numbers('WindowCenter') == [10]
    assert read.of_frame(1).numbers('WindowCenter') == [30]
    assert read.of_frame(1).numbers('WindowWidth') == [20]
    assert read.of_frame(5).numbers('WindowCenter') == [10]
    read.of_frame(0).remark('WindowCenter', 'it is left out')
    assert read.remarks == []


def test_what_pydicom_cannot_read_is_unreadable_and_no_error(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set())
    path.write_bytes(file_of(elements(path) | {0x00281050: ('US', b'\1')}, ExplicitVRLittleEndian))
    read = Header(dcmread(path))
    assert read.number('WindowCenter', 'it is left out') in (None, 1)
