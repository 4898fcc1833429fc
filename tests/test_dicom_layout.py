"""Where pixels lie and what their bits mean, from the data and from what the header says of them."""

import numpy as np
import pytest
from dicom_films import RAMP, data_set, elements, file_of, with_values, write
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom
from cephalometric.xrays.dicom_header import Header
from cephalometric.xrays.dicom_layout import read_layout


@pytest.fixture
def layout(tmp_path):
    """Write a film with these attributes and read its layout and the remarks."""

    def read(pixels=RAMP, values=(), **tags):
        path = with_values(write(tmp_path / 'film.dcm', data_set(pixels, **tags)), dict(values))
        with open(path, 'rb') as file:
            header = Header(dcmread(file, stop_before_pixels=True))
            return read_layout(path, file, header, ExplicitVRLittleEndian), header.remarks

    return read


def short(number):
    return 'US', number.to_bytes(2, 'little')


def test_a_sound_file(layout):
    found, remarks = layout()
    assert (found.rows, found.columns, found.frames, found.samples) == (30, 40, 1, 1)
    assert (found.bits_allocated, found.bits_stored, found.high_bit, found.signed) == (16, 12, 11, False)
    assert (found.length, found.frame_bytes, found.keyword, found.vr) == (2400, 2400, 'PixelData', 'OW')
    assert remarks == []


@pytest.mark.parametrize(
    ('data', 'declared'),
    [
        (ImplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ExplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRBigEndian, ExplicitVRBigEndian),
    ],
)
@pytest.mark.parametrize('shape', [(30, 40), (89, 251), (97, 173)])
def test_pixels_are_found_by_what_is_there(tmp_path, data, declared, shape):
    """The length of 89 x 251 pixels is, as bytes, two letters."""
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    path = write(tmp_path / 'film.dcm', data_set(pixels))
    little = data != ExplicitVRBigEndian
    parts = elements(write(tmp_path / 'film.dcm', data_set(pixels), data))
    path.write_bytes(file_of(parts, declared, data.is_implicit_VR, little))
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, pixels)
    assert ['TransferSyntaxUID' in text for text in frame.warnings] == [True] * (data != declared)


@pytest.mark.parametrize('vr', ['OB', 'OW', 'OF', 'UN', 'OD', 'UT'])
def test_the_type_of_the_pixels_does_not_matter(tmp_path, vr):
    path = write(tmp_path / 'film.dcm', data_set())
    (sound,) = read_dicom(path)
    parts = elements(path)
    parts[tag_for_keyword('PixelData')] = (vr, parts[tag_for_keyword('PixelData')][1])
    path.write_bytes(file_of(parts, ExplicitVRLittleEndian))
    np.testing.assert_array_equal(next(read_dicom(path)).image, sound.image)


@pytest.mark.parametrize(
    ('values', 'bits', 'named'),
    [
        ({'BitsAllocated': short(8)}, (16, 12, 11), ['BitsAllocated']),
        ({'BitsAllocated': short(12)}, (16, 12, 11), ['BitsAllocated']),
        ({'BitsAllocated': ('US', b'')}, (16, 12, 11), []),
        ({'BitsStored': ('US', b'')}, (16, 12, 11), ['BitsStored']),
        ({'BitsStored': short(20)}, (16, 12, 11), ['BitsStored']),
        ({'BitsStored': ('US', b''), 'HighBit': ('US', b'')}, (16, 16, 15), ['BitsStored']),
        ({'HighBit': short(15)}, (16, 12, 15), []),
        ({'HighBit': short(16)}, (16, 12, 11), ['HighBit']),
        ({'HighBit': short(5)}, (16, 12, 11), ['HighBit']),
        ({'BitsStored': ('DS', b'12'), 'BitsAllocated': ('IS', b'16')}, (16, 12, 11), []),
    ],
)
def test_bits_that_cannot_be_are_taken_from_what_can(layout, values, bits, named):
    found, remarks = layout(values=values)
    assert (found.bits_allocated, found.bits_stored, found.high_bit) == bits
    assert [remark.split(' ')[0] for remark in remarks] == named


@pytest.mark.parametrize(
    ('values', 'expected', 'named'),
    [
        ({'PhotometricInterpretation': ('CS', b'monochrome1')}, (1, 'MONOCHROME1'), []),
        ({'PhotometricInterpretation': ('CS', b'GREY')}, (1, 'MONOCHROME2'), ['PhotometricInterpretation']),
        ({'PhotometricInterpretation': ('CS', b'')}, (1, 'MONOCHROME2'), ['PhotometricInterpretation']),
        ({'SamplesPerPixel': ('US', b'')}, (1, 'MONOCHROME2'), []),
        ({'SamplesPerPixel': short(3)}, (1, 'MONOCHROME2'), ['SamplesPerPixel']),
        ({'SamplesPerPixel': short(99)}, (1, 'MONOCHROME2'), ['SamplesPerPixel']),
    ],
)
def test_what_values_mean(layout, values, expected, named):
    found, remarks = layout(values=values)
    assert (found.samples, found.photometric) == expected
    assert [remark.split(' ')[0] for remark in remarks] == named


def test_colours_whose_header_says_one_value(layout):
    colours = np.zeros((30, 40, 3), np.uint8)
    found, remarks = layout(colours, {'SamplesPerPixel': short(1)})
    assert (found.samples, found.photometric) == (3, 'RGB') and 'SamplesPerPixel' in remarks[0]
    found, remarks = layout(colours, {'PlanarConfiguration': short(9)})
    assert found.planar == 0 and 'PlanarConfiguration' in remarks[0]


def test_more_pixels_than_the_header_says_are_told(layout):
    found, remarks = layout(values={'Rows': short(20)})
    assert found.rows == 20 and 'more pixels' in remarks[0]


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'Rows': ('US', b'')}, 'without an image'),
        ({'Columns': ('LO', b'wide')}, 'without an image'),
        ({'Rows': short(60000), 'Columns': short(60000)}, '80 million'),
        ({'Rows': short(31)}, 'incomplete: 2400 bytes'),
        ({'BitsAllocated': short(12), 'Rows': short(29)}, 'BitsAllocated = 12'),
        ({'SamplesPerPixel': short(4)}, 'PhotometricInterpretation'),
        ({'PhotometricInterpretation': ('CS', b'CMYK')}, 'PhotometricInterpretation'),
    ],
)
def test_what_cannot_be_read_is_one_line(layout, values, message):
    with pytest.raises(InputError, match=rf'film\.dcm: .*{message}') as caught:
        layout(values=values)
    assert '\n' not in str(caught.value)


def test_the_memory_of_all_values_counts(tmp_path, layout):
    with pytest.raises(InputError, match='MB of memory'):
        layout(
            values={'Rows': short(8000), 'Columns': short(8000), 'BitsAllocated': short(64), 'BitsStored': short(64)}
        )
