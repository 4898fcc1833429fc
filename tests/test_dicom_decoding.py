"""Compressed frames are unpacked in a process of their own, which may die."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_films import COMPRESSORS, RAMP, compress, data_set, write
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom
from cephalometric.xrays.dicom_decoding import decode_frame, read_codestream
from cephalometric.xrays.dicom_header import Header
from cephalometric.xrays.dicom_layout import read_layout

COLOURED = Path(get_testdata_file('SC_rgb_jpeg_gdcm.dcm', download=False))


def decode(path, index=0):
    with open(path, 'rb') as file:
        data_set = pydicom.dcmread(file, stop_before_pixels=True)
        layout = read_layout(path, file, Header(data_set), data_set.file_meta.TransferSyntaxUID)
        return decode_frame(file, layout, index)[0]


@pytest.mark.parametrize(
    'name', ['SC_rgb_jpeg_gdcm.dcm', 'MR_small_jp2klossless.dcm', 'MR_small_RLE.dcm', 'MR_small.dcm']
)
def test_the_same_pixels_come_as_in_this_process(name):
    path = Path(get_testdata_file(name, download=False))
    here, there = pixel_array(path, index=0), decode(path)
    assert here.dtype == there.dtype and here.shape == there.shape and (here == there).all()


@pytest.mark.parametrize(('position', 'value'), [(2, 179), (22, 163), (17, 85)])
def test_damage_on_which_gdcm_ends_its_process_costs_that_file_only(tmp_path, position, value):
    content = bytearray(COLOURED.read_bytes())
    content[content.index(b'\xff\xd8\xff') + position] = value
    (tmp_path / 'film.dcm').write_bytes(content)
    with pytest.raises(InputError, match=r'film\.dcm: cannot be decoded.*JPEG Lossless'):
        list(read_dicom(tmp_path / 'film.dcm'))


def test_a_frame_that_is_not_there():
    with pytest.raises(ValueError, match='index'):
        decode(COLOURED, 3)


@pytest.mark.parametrize('name', COMPRESSORS)
def test_a_codestream_tells_its_size_and_depth(tmp_path, name):
    dataset = pydicom.dcmread(compress(write(tmp_path / 'film.dcm', data_set()), name))
    stream = read_codestream(next(generate_frames(dataset.PixelData)))
    assert (stream.columns, stream.rows, stream.samples) == (40, 30, 1)
    assert stream.precision in (12, 16)


@pytest.mark.parametrize('content', [b'', b'\xff\xd8', b'\xff\xd8\xff\xe0\0\2', b'\xff\x4f', bytes(50)])
def test_what_is_no_codestream_is_none(content):
    with pytest.raises(ValueError, match='neither JPEG'):
        read_codestream(content)


@pytest.mark.parametrize('name', COMPRESSORS)
@pytest.mark.parametrize('tags', [{'Rows': 300}, {'Rows': 15}, {'Columns': 20}])
def test_compressed_frames_of_another_size_than_the_header_says_are_refused(tmp_path, name, tags):
    path = compress(write(tmp_path / 'film.dcm', data_set()), name)
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    with pytest.raises(InputError, match=r'film\.dcm: cannot be decoded'):
        list(read_dicom(path))


@pytest.mark.parametrize('name', COMPRESSORS)
@pytest.mark.parametrize('shift', [0, 4])
def test_bits_that_are_not_stored_are_no_grey_levels_when_compressed_either(tmp_path, name, shift):
    (sound,) = read_dicom(write(tmp_path / 'sound.dcm', data_set()))
    others = np.random.default_rng(1).integers(0, 16, RAMP.shape).astype(np.uint16) << (0 if shift else 12)
    path = write(tmp_path / 'film.dcm', data_set(RAMP << shift | others, BitsStored=16, HighBit=15))
    dataset = pydicom.dcmread(compress(path, name))
    dataset.BitsStored, dataset.HighBit = 12, 11 + shift
    dataset.save_as(path)
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)


@pytest.mark.parametrize(
    ('name', 'declared'),
    [
        ('JPEG lossless', ExplicitVRLittleEndian),
        ('JPEG-LS', ExplicitVRLittleEndian),
        ('JPEG 2000', ExplicitVRLittleEndian),
        ('JPEG lossless', JPEG2000Lossless),
        ('JPEG 2000', JPEGLSLossless),
    ],
)
def test_compressed_as_the_data_are_and_not_as_the_header_says(tmp_path, name, declared):
    (sound,) = read_dicom(write(tmp_path / 'sound.dcm', data_set()))
    path = compress(write(tmp_path / 'film.dcm', data_set()), name)
    content = path.read_bytes()
    old = pydicom.dcmread(path).file_meta.TransferSyntaxUID.encode()
    old += b'\0' * (len(old) % 2)
    path.write_bytes(content.replace(old, declared.encode().ljust(len(old), b'\0')))
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)


def test_uncompressed_where_the_header_says_compressed(tmp_path):
    (sound,) = read_dicom(write(tmp_path / 'sound.dcm', data_set()))
    path = tmp_path / 'film.dcm'
    dataset = data_set()
    write(path, dataset)
    path.write_bytes(path.read_bytes().replace(b'1.2.840.10008.1.2.1\0', b'1.2.840.10008.1.2.5\0'))
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)
    assert 'TransferSyntaxUID' in frame.warnings[0]


def test_run_lengths_that_unpack_to_more_are_refused(tmp_path):
    dataset = data_set()
    dataset.PixelData = encapsulate([bytes(100_000)])
    dataset['PixelData'].is_undefined_length = True
    with pytest.raises(InputError, match=r'film\.dcm: cannot be decoded.*RLE'):
        list(read_dicom(write(tmp_path / 'film.dcm', dataset, RLELossless)))
