import zlib
from functools import partial

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.xrays.mha import open_stack, write_stack

KINDS = [(5, 4, 6), (5, 4, 6, 3)]


def random_stack(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def sitk_write(array, path, compressed=False):
    image = SimpleITK.GetImageFromArray(array, isVector=array.shape[-1] == 3)
    SimpleITK.WriteImage(image, str(path), useCompression=compressed)


def header(**changes):
    lines = {
        'ObjectType': 'Image',
        'NDims': '3',
        'DimSize': '3 2 2',
        'ElementType': 'MET_UCHAR',
        'ElementDataFile': 'LOCAL',
    }
    lines.update(changes)
    lines['ElementDataFile'] = lines.pop('ElementDataFile')
    return ''.join(f'{key} = {value}\n' for key, value in lines.items() if value is not None).encode()


@pytest.mark.parametrize('shape', KINDS)
@pytest.mark.parametrize('compressed', [False, True])
@pytest.mark.parametrize('suffix', ['.mha', '.mhd'])
def test_reads_what_simpleitk_writes(tmp_path, shape, compressed, suffix):
    array = random_stack(shape)
    path = tmp_path / f'stack{suffix}'
    sitk_write(array, path, compressed)
    stack = open_stack(path)
    assert (stack.count, stack.height, stack.width, stack.channels) == (5, 4, 6, 3 if len(shape) == 4 else 1)
    assert len(stack) == 5
    assert stack.compressed == compressed
    np.testing.assert_array_equal(np.stack(list(stack)), array)


@pytest.mark.parametrize('shape', KINDS)
@pytest.mark.parametrize('compressed', [False, True])
def test_simpleitk_reads_what_we_write(tmp_path, shape, compressed):
    array = random_stack(shape)
    write_stack(tmp_path / 'stack.mha', iter(array), len(array), compressed)
    image = SimpleITK.ReadImage(str(tmp_path / 'stack.mha'))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), array)
    assert [path.name for path in tmp_path.iterdir()] == ['stack.mha']


@settings(max_examples=30)
@given(
    count=st.integers(1, 4),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    colour=st.booleans(),
    compressed=st.booleans(),
    seed=st.integers(0, 99),
)
def test_round_trip(tmp_path_factory, count, height, width, colour, compressed, seed):
    array = random_stack((count, height, width) + ((3,) if colour else ()), seed)
    path = tmp_path_factory.mktemp('round') / 'stack.mha'
    write_stack(path, list(array), count, compressed)
    np.testing.assert_array_equal(np.stack(list(open_stack(path))), array)


def test_a_compressed_stack_larger_than_a_chunk(tmp_path):
    array = np.concatenate([random_stack((2, 700, 600)), np.zeros((3, 700, 600), np.uint8)])
    write_stack(tmp_path / 'stack.mha', array, 5, compressed=True)
    np.testing.assert_array_equal(np.stack(list(open_stack(tmp_path / 'stack.mha'))), array)


def test_slices_are_copies_of_their_own(tmp_path):
    write_stack(tmp_path / 'stack.mha', random_stack((3, 2, 2)), 3)
    stack = open_stack(tmp_path / 'stack.mha')
    first, second, _ = stack
    first[:] = 0
    assert second.any()
    assert next(iter(stack)).any()


def test_one_image_is_a_stack_of_one_slice(tmp_path):
    array = random_stack((4, 6))
    sitk_write(array, tmp_path / 'image.mha')
    (image,) = open_stack(tmp_path / 'image.mha')
    np.testing.assert_array_equal(image, array)


@pytest.mark.parametrize('skip', [7, -1])
def test_header_size_skips_bytes_of_the_data_file(tmp_path, skip):
    pixels = bytes(range(12))
    (tmp_path / 'stack.raw').write_bytes(b'preface' + pixels)
    (tmp_path / 'stack.mhd').write_bytes(header(HeaderSize=str(skip), ElementDataFile='stack.raw'))
    assert b''.join(image.tobytes() for image in open_stack(tmp_path / 'stack.mhd')) == pixels


def test_gzip_data_are_read_as_metaio_does(tmp_path):
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(bytes(range(12))) + packer.flush()
    (tmp_path / 'stack.mha').write_bytes(header(CompressedData='True') + packed)
    assert b''.join(image.tobytes() for image in open_stack(tmp_path / 'stack.mha')) == bytes(range(12))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'ElementType': 'MET_SHORT'}, 'wrong pixel type.*MET_SHORT'),
        ({'ElementType': None}, 'wrong pixel type.*missing'),
        ({'ElementNumberOfChannels': '2'}, 'wrong pixel type.*2 channels'),
        ({'ElementNumberOfChannels': '1 2'}, 'ElementNumberOfChannels = 1 2'),
        ({'NDims': '4', 'DimSize': '3 2 2 1'}, 'not an image stack'),
        ({'NDims': '2'}, 'not an image stack'),
        ({'DimSize': '3 2 0'}, 'not an image stack'),
        ({'DimSize': None}, 'not an image stack'),
        ({'DimSize': '3 2 two'}, 'DimSize = 3 2 two'),
        ({'BinaryData': 'False'}, 'BinaryData = False'),
        ({'CompressedData': 'perhaps'}, 'CompressedData = perhaps'),
        ({'HeaderSize': '-1', 'CompressedData': 'True'}, 'HeaderSize = -1'),
        ({'HeaderSize': '1000'}, 'truncated'),
        ({'ElementDataFile': 'LIST'}, 'ElementDataFile = LIST'),
        ({'ElementDataFile': 'absent.raw'}, 'ElementDataFile = absent.raw'),
        ({'ElementDataFile': '../outside.raw'}, 'ElementDataFile = ../outside.raw'),
        ({'ElementDataFile': ''}, 'ElementDataFile = '),
        ({'DimSize': '99999999 99999999 99999999', 'CompressedData': 'True'}, 'truncated'),
    ],
)
def test_an_unusable_header_is_named(tmp_path, changes, message):
    (tmp_path / 'outside.raw').write_bytes(bytes(100))
    folder = tmp_path / 'inside'
    folder.mkdir()
    (folder / 'stack.mha').write_bytes(header(**changes) + bytes(100))
    with pytest.raises(InputError, match=message) as caught:
        open_stack(folder / 'stack.mha')
    assert 'stack.mha' in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'\x89PNG\r\n\x1a\n' + bytes(1000), b'a = b\n' * 20000, b'NDims = 3\n'])
def test_other_files_are_not_stacks(tmp_path, content):
    (tmp_path / 'other.mha').write_bytes(content)
    with pytest.raises(InputError, match='not a MetaImage'):
        open_stack(tmp_path / 'other.mha')


HEADER_VALUES = st.text(max_size=4) | st.sampled_from(
    ['3', '0', '-1', '3 2 2', 'True', 'MET_UCHAR', 'LOCAL', 'x' * 5000, '9' * 5000, '..', '\0', 'stack.mha']
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            ['NDims', 'DimSize', 'ElementType', 'ElementNumberOfChannels', 'BinaryData', 'CompressedData']
            + ['CompressedDataSize', 'HeaderSize', 'ElementDataFile']
        ),
        HEADER_VALUES,
        max_size=3,
    ),
    st.binary(max_size=40),
)
def test_whatever_the_header_says_the_stack_is_read_or_refused(tmp_path, changes, pixels):
    path = tmp_path / 'stack.mha'
    path.write_bytes(header(**changes) + pixels)
    try:
        stack = open_stack(path)
        slices = list(stack)
    except InputError as error:
        assert 'stack.mha' in str(error)
    else:
        assert [image.shape for image in slices] == [stack.slice_shape] * len(stack)


@pytest.mark.parametrize('name', ['absent.mha', '.'])
def test_missing_files_and_folders(tmp_path, name):
    with pytest.raises(InputError, match='cannot be read'):
        open_stack(tmp_path / name)


def test_truncated_uncompressed_data_are_found_before_reading(tmp_path):
    path = tmp_path / 'stack.mha'
    write_stack(path, random_stack((5, 4, 6)), 5)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r'truncated.* 120 bytes.* 119 are there'):
        open_stack(path)


@pytest.mark.parametrize('lost', [1, 4, 40])
def test_truncated_compressed_data_are_found_while_reading(tmp_path, lost):
    path = tmp_path / 'stack.mha'
    packed = zlib.compress(random_stack((2, 30, 30)).tobytes())[:-lost]
    path.write_bytes(header(DimSize='30 30 2', CompressedData='True') + packed)
    stack = open_stack(path)
    with pytest.raises(InputError, match='truncated'):
        list(stack)


@pytest.mark.parametrize(
    'write',
    [lambda array, path: write_stack(path, array, len(array), compressed=True), partial(sitk_write, compressed=True)],
)
def test_a_stack_with_less_than_its_compressed_size_is_found_before_reading(tmp_path, write):
    path = tmp_path / 'stack.mha'
    write(random_stack((5, 30, 30)), path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match='truncated'):
        open_stack(path)


def test_the_slice_where_compressed_data_end_is_named(tmp_path):
    path = tmp_path / 'stack.mha'
    packed = zlib.compress(random_stack((4, 300, 300)).tobytes())
    path.write_bytes(header(DimSize='300 300 4', CompressedData='True') + packed[: int(len(packed) * 0.6)])
    with pytest.raises(InputError, match='slice 3 of 4'):
        list(open_stack(path))


def test_damaged_compressed_data_are_named(tmp_path):
    path = tmp_path / 'stack.mha'
    write_stack(path, random_stack((4, 30, 30)), 4, compressed=True)
    content = bytearray(path.read_bytes())
    content[-2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match='damaged'):
        list(open_stack(path))


def test_a_failed_writing_keeps_the_old_file(tmp_path):
    path = tmp_path / 'stack.mha'
    path.write_bytes(b'old')
    with pytest.raises(ValueError, match='2 slices came, 3 were promised'):
        write_stack(path, random_stack((2, 4, 6)), 3)
    with pytest.raises(ValueError, match='slice 2'):
        write_stack(path, [random_stack((4, 6)), random_stack((4, 7))], 2)
    with pytest.raises(ValueError, match='at least one'):
        write_stack(path, [], 0)
    assert [file.name for file in tmp_path.iterdir()] == ['stack.mha']
    assert path.read_bytes() == b'old'


def test_writing_into_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match='does not exist'):
        write_stack(tmp_path / 'absent' / 'stack.mha', random_stack((2, 4, 6)), 2)


@pytest.mark.parametrize('kind', [np.int16, np.uint16])
@pytest.mark.parametrize('compressed', [False, True])
def test_16_bits_are_read_when_they_are_asked_for(tmp_path, kind, compressed):
    array = np.random.default_rng(1).integers(-1000 if kind == np.int16 else 0, 30000, (3, 4, 6)).astype(kind)
    sitk_write(array, tmp_path / 'stack.mha', compressed)
    with pytest.raises(InputError, match='wrong pixel type'):
        open_stack(tmp_path / 'stack.mha')
    stack = open_stack(tmp_path / 'stack.mha', deep=True)
    assert stack.pixel_type == kind
    np.testing.assert_array_equal(np.stack(list(stack)), array)


@pytest.mark.parametrize('key', ['BinaryDataByteOrderMSB', 'ElementByteOrderMSB'])
def test_16_bits_the_other_way_round(tmp_path, key):
    array = np.arange(12, dtype='>i2')
    (tmp_path / 'stack.mha').write_bytes(header(**{key: 'True', 'ElementType': 'MET_SHORT'}) + array.tobytes())
    slices = list(open_stack(tmp_path / 'stack.mha', deep=True))
    np.testing.assert_array_equal(np.stack(slices).ravel(), array)


@pytest.mark.parametrize(
    ('text', 'expected'), [(None, None), ('0.1 0.2 1', (0.2, 0.1)), ('0.1', None), ('0.1 mm', None), ('', None)]
)
def test_the_size_of_a_pixel_is_what_the_header_says(tmp_path, text, expected):
    (tmp_path / 'stack.mha').write_bytes(header(ElementSpacing=text) + bytes(12))
    assert open_stack(tmp_path / 'stack.mha').pixel_size_mm == expected
