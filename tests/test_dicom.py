"""DICOM files as they come from machines, archives and converters."""

import zlib

import numpy as np
import pydicom
import pytest
import SimpleITK
from dicom_films import PATIENT, RAMP, assert_ramp, data_set, elements, file_of, reader, with_values, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from cephalometric.errors import InputError
from cephalometric.xrays import dicom_layout
from cephalometric.xrays.dicom import ATTRIBUTES, read_dicom
from cephalometric.xrays.frames import HEAD, is_dicom


@pytest.fixture
def only(tmp_path):
    return reader(tmp_path)


@pytest.mark.parametrize('syntax', [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_12_bits_without_a_window_are_spread_over_8(only, syntax):
    frame = only(data_set(), syntax)
    assert_ramp(frame.image)
    assert (frame.count, frame.spacing_mm, frame.warnings) == (1, None, ())


def test_big_endian(tmp_path):
    dataset = data_set(RAMP.astype('>u2'))
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.save_as(tmp_path / 'film.dcm', enforce_file_format=True)
    assert_ramp(next(read_dicom(tmp_path / 'film.dcm')).image)


@pytest.mark.parametrize('syntax', [ExplicitVRLittleEndian, RLELossless])
def test_frames_come_one_after_another(tmp_path, syntax):
    dataset = data_set(np.stack([RAMP, RAMP[::-1], RAMP]))
    path = write(tmp_path / 'film.dcm', dataset)
    if syntax == RLELossless:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    frames = list(read_dicom(path))
    assert [frame.count for frame in frames] == [3, 3, 3]
    np.testing.assert_array_equal(frames[1].image, frames[0].image[::-1])


def test_other_kinds_of_images_and_burned_in_text_are_reported(only):
    assert 'Modality' in only(data_set(Modality='CT')).warnings[0]
    assert 'burned' in only(data_set(BurnedInAnnotation='YES')).warnings[0]


def test_nothing_about_the_patient_is_handed_on(only):
    frame = only(data_set(Modality='CT', PixelSpacing=[5, 5], BurnedInAnnotation='YES'))
    assert len(frame.warnings) == 3
    for secret in ('Doe', 'Jane', '4711', '1970'):
        assert secret not in repr(frame)


@pytest.mark.parametrize(('implicit', 'little_endian'), [(True, True), (False, True), (False, False)])
def test_without_preamble(tmp_path, implicit, little_endian):
    path = tmp_path / 'IM0001'
    pixels = RAMP if little_endian else RAMP.astype('>u2')
    data_set(pixels).save_as(path, implicit_vr=implicit, little_endian=little_endian)
    assert is_dicom(path.read_bytes()[:HEAD])
    (frame,) = read_dicom(path)
    assert_ramp(frame.image)


@pytest.mark.parametrize('compressor', ['JPEG', 'JPEG2000'])
def test_lossless_compression_as_gdcm_writes_it(tmp_path, compressor):
    path = tmp_path / 'film.dcm'
    writer = SimpleITK.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    writer.Execute(SimpleITK.GetImageFromArray(RAMP[None]))
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed
    (frame,) = read_dicom(path)
    assert_ramp(frame.image)


@pytest.mark.parametrize(
    ('compressed', 'plain'),
    [
        ('MR_small_jp2klossless.dcm', 'MR_small.dcm'),
        ('MR_small_jpeg_ls_lossless.dcm', 'MR_small.dcm'),
        ('MR_small_RLE.dcm', 'MR_small.dcm'),
        ('MR_small_bigendian.dcm', 'MR_small.dcm'),
    ],
)
def test_pydicoms_own_examples(compressed, plain):
    one, other = (next(read_dicom(get_testdata_file(name, download=False))) for name in (compressed, plain))
    np.testing.assert_array_equal(one.image, other.image)


def test_a_jpeg_in_colour():
    (frame,) = read_dicom(get_testdata_file('SC_rgb_jpeg_dcmtk.dcm', download=False))
    assert frame.image[5, 50, 0] > 240 and frame.image[5, 50, 1:].max() < 10
    assert frame.image[25, 50, 1] > 240


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('rtplan.dcm', 'without an image .RT Plan Storage'),
        ('reportsi.dcm', 'without an image'),
        ('MR_truncated.dcm', 'cannot be decoded'),
        ('JPEG-lossy.dcm', 'JPEG Extended'),
    ],
)
def test_what_cannot_be_shown_is_named(name, message):
    with pytest.raises(InputError, match=message) as caught:
        list(read_dicom(get_testdata_file(name, download=False)))
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ('tags', 'message'),
    [
        ({'Rows': 60000, 'Columns': 60000}, '60000 x 60000 pixels'),
        ({'Rows': 31}, 'cannot be decoded'),
        ({'Rows': 0}, 'without an image'),
        ({'PixelData': None}, 'cannot be decoded.*pixels are missing'),
        ({'PixelData': bytes(99)}, 'cannot be decoded.*incomplete: 100 bytes'),
        ({'PhotometricInterpretation': 'HSV'}, 'PhotometricInterpretation'),
    ],
)
def test_damaged_headers_are_named(tmp_path, tags, message):
    path = write(tmp_path / 'film.dcm', data_set(**tags))
    with pytest.raises(InputError, match=rf'film\.dcm: .*{message}'):
        list(read_dicom(path))


def test_the_frames_before_the_damage_come(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set(np.stack([RAMP, RAMP, RAMP])))
    path.write_bytes(path.read_bytes()[:-100])
    frames = read_dicom(path)
    assert_ramp(next(frames).image)
    assert_ramp(next(frames).image)
    with pytest.raises(InputError, match=r'film\.dcm: cannot be decoded'):
        next(frames)


def test_a_video_is_named(tmp_path):
    dataset = data_set(PixelData=encapsulate([bytes(100)]))
    dataset['PixelData'].is_undefined_length = True
    with pytest.raises(InputError, match=r'film\.dcm: .*MPEG2.*export it uncompressed'):
        list(read_dicom(write(tmp_path / 'film.dcm', dataset, MPEG2MPML)))


def test_an_unknown_transfer_syntax_is_named(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set())
    path.write_bytes(path.read_bytes().replace(b'1.2.840.10008.1.2.1', b'1.2.840.10008.1.2.9'))
    with pytest.raises(InputError, match='an unknown kind: export it uncompressed'):
        list(read_dicom(path))


def test_files_that_are_deflated_as_a_whole_are_unpacked_no_further_than_x_rays_go(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set(), DeflatedExplicitVRLittleEndian)
    assert_ramp(next(read_dicom(path)).image)
    content = path.read_bytes()
    start = 144 + int.from_bytes(content[140:144], 'little')
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    compressor.compress(b'')
    megabyte = compressor.compress(bytes(10**6)) + compressor.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(content[:start] + megabyte * 500)
    with pytest.raises(InputError, match=r'film\.dcm: .*longer'):
        list(read_dicom(path))


IMAGE = [tag_for_keyword(keyword) for keyword in dicom_layout.ATTRIBUTES]
TAGS = sorted(map(tag_for_keyword, ATTRIBUTES))
TYPES = st.sampled_from(
    [
        *[
            'AE',
            'AS',
            'AT',
            'CS',
            'DA',
            'DS',
            'DT',
            'FD',
            'FL',
            'IS',
            'LO',
            'OB',
            'OD',
            'OW',
            'PN',
            'SH',
            'SL',
            'SQ',
            'SS',
            'SV',
            'TM',
            'UI',
            'UL',
            'UN',
            'US',
            'UT',
            'ZZ',
        ]
    ]
)
NUMBERS = [
    '0',
    '1',
    '2',
    '-1',
    '0,5',
    '0.5',
    '1e999',
    'nan',
    '12',
    '16',
    '65535',
    '99999999999',
    '1\\2',
    '40,5\\60',
    'IDENTITY',
    'MONOCHROME9',
    'Doe^Jane',
]
VALUES = (
    st.sampled_from([number.encode() for number in NUMBERS])
    | st.integers(0, 2**16 - 1).map(lambda number: number.to_bytes(2, 'little'))
    | st.binary(max_size=40)
    | st.just(b'')
)
ODD = st.dictionaries(st.sampled_from(TAGS), st.none() | st.tuples(TYPES, VALUES) | VALUES, min_size=1, max_size=4)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd=ODD, syntax=st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian]), implicit=st.booleans())
def test_whatever_an_attribute_holds_the_film_is_read_or_refused_in_one_line(tmp_path, odd, syntax, implicit):
    path = tmp_path / 'film.dcm'
    parts = elements(write(path, data_set(WindowCenter=2000, WindowWidth=3000, RescaleSlope=2, RescaleIntercept=0)))
    for tag, change in odd.items():
        vr = parts[tag][0] if tag in parts else dictionary_VR(tag).split()[0]
        if change is None:
            parts.pop(tag, None)
        else:
            parts[tag] = change if isinstance(change, tuple) else (vr, change)
    path.write_bytes(file_of(parts, syntax, implicit))
    try:
        frames = list(read_dicom(path))
    except InputError as error:
        assert 'film.dcm' in str(error) and '\n' not in str(error) and 'Doe' not in str(error)
        assert odd.keys() & {*IMAGE}  # what is not about how pixels are stored costs no film
        return
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert all('\n' not in warning and 'Doe' not in warning for warning in frame.warnings)
    if not odd.keys() & {*IMAGE}:
        assert [frame.image.shape for frame in frames] == [RAMP.shape]


@pytest.mark.parametrize(
    ('keyword', 'vr', 'value'),
    [
        ('WindowCenter', 'DS', b'middle'),
        ('WindowWidth', 'DS', b'0'),
        ('RescaleSlope', 'DS', b'0'),
        ('RescaleSlope', 'DS', b'1e999'),
        ('RescaleIntercept', 'DS', b'none'),
        ('VOILUTSequence', 'LO', b'table'),
        ('ModalityLUTSequence', 'UN', b'table'),
        ('PixelPaddingValue', 'LO', b'dark'),
        ('NumberOfFrames', 'IS', b'one'),
        ('NumberOfFrames', 'IS', b'-2'),
        ('NumberOfFrames', 'IS', b'2'),
        ('SamplesPerPixel', 'US', b'\x09\0'),
        ('SamplesPerPixel', 'US', b'\3\0'),
        ('PhotometricInterpretation', 'CS', b'GREY'),
        ('BitsAllocated', 'US', b''),
        ('BitsAllocated', 'US', b'\x08\0'),
        ('BitsAllocated', 'US', b'\x20\0'),
        ('BitsStored', 'US', b''),
        ('BitsStored', 'US', b'\x63\0'),
        ('HighBit', 'US', b'\1\0'),
        ('PixelRepresentation', 'US', b'\7\0'),
        ('PixelSpacing', 'DS', b'wide'),
    ],
)
def test_what_cannot_be_used_is_named_and_the_film_looks_as_without_it(tmp_path, keyword, vr, value):
    path = write(tmp_path / 'film.dcm', data_set(RescaleSlope=1, RescaleIntercept=0))
    (sound,) = read_dicom(path)
    with_values(path, {keyword: (vr, value)})
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)
    if keyword != 'BitsAllocated' or value:
        assert any(keyword in warning for warning in frame.warnings)


def test_an_unknown_function_of_the_window_is_taken_for_linear(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set(WindowCenter='2000.5', WindowWidth='1001'))
    (sound,) = read_dicom(path)
    (frame,) = read_dicom(with_values(path, {'VOILUTFunction': ('CS', b'CURVED')}))
    np.testing.assert_array_equal(frame.image, sound.image)
    assert frame.warnings == ('VOILUTFunction cannot be used: LINEAR is taken',)


def test_a_decimal_comma_in_the_window_is_understood(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set(WindowCenter='2000.5', WindowWidth='1001'))
    (sound,) = read_dicom(path)
    with_values(path, {'WindowCenter': ('DS', b'2000,5'), 'WindowWidth': ('DS', b'1001,0')})
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)
    assert not frame.warnings


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=12),
    st.integers(100, 3600),
)
def test_damaged_files_are_read_or_refused(tmp_path, changes, length):
    path = tmp_path / 'damaged.dcm'
    write(
        path, data_set(WindowCenter=2000, WindowWidth=3000, PixelSpacing=[0.1, 0.1], RescaleSlope=2, RescaleIntercept=0)
    )
    content = bytearray(path.read_bytes())[:length]
    for position, value in changes:
        if position < len(content):
            content[position] = value
    path.write_bytes(content)
    try:
        frames = list(read_dicom(path))
    except InputError as error:
        assert 'damaged.dcm' in str(error) and PATIENT not in str(error)
    else:
        assert all(frame.image.dtype == np.uint8 for frame in frames)


def test_a_name_that_another_attribute_swallows_is_not_handed_on(tmp_path, caplog):
    path = write(tmp_path / 'film.dcm', data_set(Rows=0))
    content = bytearray(path.read_bytes())
    length = content.index(b'UI', content.index(b'\x08\x00\x16\x00')) + 2
    content[length : length + 2] = (content.index(b'Doe^Jane') + 8 - length - 2).to_bytes(2, 'little')
    path.write_bytes(content)
    with pytest.raises(InputError, match='unknown kind') as caught:
        list(read_dicom(path))
    assert 'Doe' not in str(caught.value) and 'Doe' not in caplog.text
