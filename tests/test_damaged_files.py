"""Damaged, forged and packed files of every kind: read or refused in one line, in little memory."""

import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from test_reading import GREY, save, write_dicom, write_itk

from cephalometric.errors import InputError
from cephalometric.xrays.mha import write_stack
from cephalometric.xrays.reading import read_xrays

# What a header may say of a size, wherever it stands in it.
SIZES = [0, 1, 255, 4095, 30_000, 65_535, 10**6, 2**31 - 1, 2**32 - 1]
READ_ALL = """
import pathlib, resource, sys
from cephalometric.errors import InputError
from cephalometric.xrays.reading import read_xrays
import cv2
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        for xray in read_xrays(path):
            assert xray.image.dtype.name == 'uint8' and xray.image.ndim in (2, 3), path
    except InputError as error:
        assert chr(10) not in str(error) and path.name in str(error), error
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def bombs(folder):
    """Small files that unpack to as much as the limit allows, or to more."""
    packer = zlib.compressobj(9)
    packed = b''.join(packer.compress(bytes(10_000_000)) for _ in range(20)) + packer.flush()

    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    for name, rows, columns, depth, colours in [('a', 60, 80, 8, 0), ('b', 60, 80, 16, 6), ('c', 1000, 1200, 16, 2)]:
        header = struct.pack('>IIBBBBB', columns, rows, depth, colours, 0, 0, 0)
        content = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', packed) + chunk(b'IEND', b'')
        (folder / f'{name}.png').write_bytes(content)
    for name, size in [('a', '80 60 1'), ('b', '80 60 100'), ('c', '4000 3000 5')]:
        header = f'NDims = 3\nDimSize = {size}\nElementType = MET_UCHAR\nCompressedData = True\n'
        (folder / f'{name}.mha').write_bytes(header.encode() + b'ElementDataFile = LOCAL\n' + packed)
    with tifffile.TiffWriter(folder / 'a.tif') as writer:
        writer.write(np.zeros((2000, 3000), np.uint16), photometric='minisblack', compression='zlib')


def peak_of_reading(folder):
    """Megabytes by which a process grows that reads all files of a folder."""
    done = subprocess.run([sys.executable, '-c', READ_ALL, folder], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout.split()[-1]) / 1000


def test_packed_pixels_are_unpacked_only_as_far_as_the_header_says(tmp_path):
    bombs(tmp_path)
    assert peak_of_reading(tmp_path) < 150


def test_forged_sizes_never_ask_for_gigabytes(tmp_path, originals):
    random = np.random.default_rng(1)
    folder = tmp_path / 'damaged'
    folder.mkdir()
    for number in range(250):
        content = bytearray(originals[random.integers(len(originals))])
        for _ in range(random.integers(1, 4)):
            order, width = random.choice(['<', '>']), random.choice(['H', 'I'])
            size = SIZES[random.integers(len(SIZES))]
            value = struct.pack(order + width, size % (2**16 if width == 'H' else 2**32))
            place = random.integers(min(len(content), 300))
            content[place : place + len(value)] = value
        (folder / f'{number:03d}').write_bytes(content)
    assert peak_of_reading(folder) < 1000


@pytest.fixture
def originals(tmp_path):
    """One file of each kind, as bytes."""
    folder = tmp_path / 'whole'
    for name in ('a.png', 'a.jpg', 'a.bmp'):
        save(folder / name)
    Image.fromarray(GREY.astype(np.uint16) * 200).save(folder / 'deep.tif', compression='tiff_lzw')
    Image.fromarray(GREY).save(folder / 'a.webp', lossless=True)
    deep = GREY.astype(np.uint16) * 200
    Image.fromarray(deep).save(folder / 'deep.png')
    cv2.imwrite(str(folder / 'colours.png'), np.stack([deep] * 4, axis=2))
    cv2.imwrite(str(folder / 'colours.tif'), np.stack([deep] * 3, axis=2))
    cv2.imwrite(str(folder / 'float.tif'), GREY / 3)
    tifffile.imwrite(folder / 'big.tif', deep, bigtiff=True, compression='zlib', tile=(16, 16))
    tifffile.imwrite(folder / 'white.tif', deep, byteorder='>', photometric='miniswhite', rowsperstrip=4)
    write_stack(folder / 'packed.mha', [GREY, GREY], 2, compressed=True)
    Image.fromarray(GREY).save(folder / 'pages.tif', save_all=True, append_images=[Image.fromarray(GREY)])
    write_itk(folder / 'a.mha', GREY, (0.1, 0.1))
    write_dicom(folder / 'a.dcm', np.stack([GREY, GREY]))
    return [path.read_bytes() for path in sorted(folder.iterdir())]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_of_every_kind_are_read_or_refused(tmp_path, originals, data):
    content = bytearray(data.draw(st.sampled_from(originals)))
    anywhere = st.integers(0, 200) | st.integers(0, len(content) - 1)
    for position, value in data.draw(st.lists(st.tuples(anywhere, st.integers(0, 255)), max_size=8)):
        content[position] = value
    path = tmp_path / 'damaged'
    path.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    try:
        xrays = list(read_xrays(path))
    except InputError as error:
        assert 'damaged' in str(error) and '\n' not in str(error)
    else:
        assert all(xray.image.dtype == np.uint8 and xray.image.ndim in (2, 3) for xray in xrays)
