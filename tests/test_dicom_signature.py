import subprocess
import sys

import pytest

from cephalometric.formats.dicom_signature import is_dicom


def test_the_preamble_and_its_absence():
    assert is_dicom(bytes(128) + b'DICM')
    assert is_dicom(b'\x08\0\x05\0CS' + bytes(200))


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'\x89PNG\r\n\x1a\n',
        b'ObjectType = Image',
        b'II*\0',
        bytes(200),
        b'\x08\0\x10\0\x18\0\x20\0',
        b'text ' * 50,
    ],
)
def test_other_files_are_not_taken_for_dicom(content):
    assert not is_dicom(content)


def test_other_x_rays_are_read_without_the_dicom_libraries():
    code = 'import sys, cephalometric.formats.xrays; sys.exit("pydicom" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
