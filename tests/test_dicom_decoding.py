"""Compressed frames are unpacked in a process of their own, which may die."""

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array
from pydicom.uid import JPEGBaseline8Bit

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom
from cephalometric.xrays.dicom_decoding import decode_frame

COLOURED = get_testdata_file('SC_rgb_jpeg_gdcm.dcm', download=False)


@pytest.mark.parametrize(
    'name', ['SC_rgb_jpeg_gdcm.dcm', 'MR_small_jp2klossless.dcm', 'MR_small_RLE.dcm', 'MR_small.dcm']
)
def test_the_same_pixels_come_as_in_this_process(name):
    path = Path(get_testdata_file(name, download=False))
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    here, there = pixel_array(path, index=0), decode_frame(path, syntax, 0)
    assert here.dtype == there.dtype and here.shape == there.shape and (here == there).all()


@pytest.mark.parametrize(('position', 'value'), [(2, 179), (22, 163), (17, 85)])
def test_damage_on_which_gdcm_ends_its_process_costs_that_file_only(tmp_path, position, value):
    content = bytearray(Path(COLOURED).read_bytes())
    content[content.index(b'\xff\xd8\xff') + position] = value
    (tmp_path / 'film.dcm').write_bytes(content)
    with pytest.raises(InputError, match=r'film\.dcm: cannot be decoded.*JPEG Lossless'):
        list(read_dicom(tmp_path / 'film.dcm'))


def test_a_frame_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match='JPEG Baseline'):
        decode_frame(Path(COLOURED), JPEGBaseline8Bit, 3)
    with pytest.raises(ValueError, match='JPEG Baseline'):
        decode_frame(tmp_path / 'absent.dcm', JPEGBaseline8Bit, 0)
