"""Checksums of files."""

import pytest

from cephalometric.errors import InputError
from cephalometric.formats.checksum import sha256


def test_it_is_the_published_one(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'abc')
    # The example of FIPS 180-2, appendix B.1.
    assert sha256(path) == 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match='missing file cannot be read'):
        sha256(tmp_path / 'missing file')
