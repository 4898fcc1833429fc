"""Headers of MetaImage files in all the forms that SimpleITK reads."""

import zlib

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.xrays.mha import open_stack
from cephalometric.xrays.mha_header import LONGEST_HEADER, read_header
from cephalometric.xrays.reading import read_xrays

PIXELS = np.random.default_rng(2).integers(0, 256, (2, 3, 5), dtype=np.uint8)

NOISE = st.sampled_from(
    [
        '',
        '   ',
        '\t',
        'Comment = made by hand',
        'Comment = a = b : c',
        '0010|4000 = first line\nsecond line without a sign\nthird',
        '0008|0060 = DX',
        'Name: of a program',
        'AnatomicalOrientation = ??',
        'Empty =',
        'Seq_Frame0000_Timestamp = 1515760436.05',
        '0018|1030 = ' + 'x' * 300,
        'Umlaut = \u00e4\u00f6',
        'ÜKey = value',
        'many = ' + ' '.join(['1.5'] * 60),
    ]
)
END = st.sampled_from(['\n', '\r\n', ' \n', '\n\n'])
SIGN = st.sampled_from([' = ', '=', ' =', '= ', ': ', ':', '  =  '])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    packed=st.sampled_from([None, 'True', 'true', 'T', 't', '1', 'False', 'F', '0']),
    spacing=st.sampled_from([None, '0.1 0.1 1', '0.1  0.1\n1', '1e-1 .1 1', '0.1\n0.1\n1', '0.1\t0.1 1']),
    size=st.sampled_from(['5 3 2', '5  3 2', '5 3\n2', '5\n3\n2', '5 3 2 ']),
    local=st.sampled_from(['LOCAL', 'Local', 'local', 'x.raw', './x.raw']),
    matrix=st.sampled_from([None, '1 0 0 0 1 0 0 0 1', '1 0 0\n0 1 0\n0 0 1']),
)
def test_every_form_is_read(tmp_path, data, packed, spacing, size, local, matrix):
    pixels = PIXELS.tobytes()
    is_packed = bool(packed) and packed[0].lower() in 't1'
    if is_packed:
        pixels = zlib.compress(pixels)
    fields = {
        'ObjectType': 'Image',
        'NDims': '3',
        'BinaryData': 'True',
        'BinaryDataByteOrderMSB': 'False',
        'CompressedData': packed,
        'CompressedDataSize': str(len(pixels)) if is_packed else None,
        'TransformMatrix': matrix,
        'ElementSpacing': spacing,
        'DimSize': size,
        'ElementType': 'MET_UCHAR',
    }
    header = ''
    for key, value in fields.items():
        header += ''.join(line + '\n' for line in data.draw(st.lists(NOISE, max_size=2)) if key != 'ObjectType')
        if value is not None:
            header += key + data.draw(SIGN) + value + data.draw(END)
    content = header.encode() + b'ElementDataFile = ' + local.encode() + b'\n'
    if local.lower() == 'local':
        content += pixels
    else:
        (tmp_path / 'x.raw').write_bytes(pixels)
    path = tmp_path / 'film.mha'
    path.write_bytes(content)
    stack = open_stack(path)
    np.testing.assert_array_equal(np.stack(list(stack)), PIXELS)
    assert stack.pixel_size_mm == ((0.1, 0.1) if spacing else None)


PLAIN = {'ObjectType': 'Image', 'NDims': '3', 'BinaryData': 'True', 'ElementSpacing': '0.1 0.1 1', 'DimSize': '5 3 2'}


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('DimSize = 5 3 2', 'DimSize = 5 3\n2'),
        ('DimSize = 5 3 2', 'DimSize:5 3 2'),
        ('DimSize', '\n\nDimSize'),
        ('DimSize', '  \nDimSize'),
        ('DimSize', '0010|4000 = first line\nsecond line without a sign\nthird\n0008|0060 = DX\nDimSize'),
        ('DimSize', 'Comment = a = b : c\nDimSize'),
        ('DimSize', ''.join(f'Frame{number} = {"x" * 60}\n' for number in range(2000)) + 'DimSize'),
        ('0.1 0.1 1', '0.1\n0.1\n1'),
        ('0.1 0.1 1', '1e-1\t.1 1'),
        ('BinaryData = True', 'BinaryData = T'),
        ('LOCAL', 'local'),
        ('LOCAL', 'Local'),
        ('LOCAL', 'x.raw'),
        ('LOCAL', './x.raw'),
        ('\n', '\r\n'),
        (' = ', '='),
        (' = ', ' : '),
    ],
)
@pytest.mark.parametrize('packed', [None, 'True', 'T', '1'])
def test_simpleitk_finds_the_same(tmp_path, old, new, packed):
    pixels = zlib.compress(PIXELS.tobytes()) if packed else PIXELS.tobytes()
    (tmp_path / 'x.raw').write_bytes(pixels)
    more = {'CompressedData': packed, 'CompressedDataSize': len(pixels)} if packed else {}
    fields = PLAIN | more | {'ElementType': 'MET_UCHAR', 'ElementDataFile': 'LOCAL'}
    header = ''.join(f'{key} = {value}\n' for key, value in fields.items())
    assert old in header
    header = header.replace(old, new)
    path = tmp_path / 'film.mha'
    path.write_bytes(header.encode() + (b'' if 'x.raw' in header else pixels))
    stack, image = open_stack(path), SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), PIXELS)
    np.testing.assert_array_equal(np.stack(list(stack)), PIXELS)
    assert stack.pixel_size_mm == pytest.approx(image.GetSpacing()[:2])


TYPES = ['i1', 'i2', 'u2', 'i4', 'u4', 'f4', 'f8']


@pytest.mark.parametrize('kind', TYPES)
@pytest.mark.parametrize('compressed', [False, True])
def test_grey_of_every_type_is_the_same_film(tmp_path, kind, compressed):
    film = np.add.outer(np.arange(30) * 2, np.arange(40))  # Fits into a signed byte.
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(film.astype(kind)), str(tmp_path / 'film.mha'), compressed)
    assert read_header(tmp_path / 'film.mha', deep=True).pixel_type == np.dtype(kind)
    (xray,) = read_xrays(tmp_path / 'film.mha')
    np.testing.assert_array_equal(xray.image, film)
    deep = film * (1 if kind == 'i1' else 30) - 20
    deep = deep if kind[0] != 'u' else deep + 20
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(deep.astype(kind)), str(tmp_path / 'film.mha'), compressed)
    (xray,) = read_xrays(tmp_path / 'film.mha')
    expected = np.clip((film - 0.2) / (film.max() - 0.4), 0, 1) * 255
    np.testing.assert_allclose(xray.image, expected, atol=3)


def write(path, spacing='', file='LOCAL', pixels=bytes(12), **fields):
    lines = {'NDims': 2, 'DimSize': '4 3', 'ElementType': 'MET_UCHAR'} | fields
    header = ''.join(f'{key} = {value}\n' for key, value in lines.items())
    spacing = f'ElementSpacing = {spacing}\n' if spacing else ''
    path.write_bytes((header + spacing).encode() + f'ElementDataFile = {file}\n'.encode() + pixels)
    return path


@pytest.mark.parametrize('spacing', ['0,1 0,1', '0.1', '0.1 mm', 'unknown', '0.1;0.1', 'x' * 500])
def test_a_spacing_that_cannot_be_used_is_named(tmp_path, spacing):
    (xray,) = read_xrays(write(tmp_path / 'film.mha', spacing))
    assert xray.spacing_mm is None
    (warning,) = xray.warnings
    assert warning.startswith(f'ElementSpacing = {spacing[:60]}') and 'decimal point' in warning and len(warning) < 200
    (xray,) = read_xrays(tmp_path / 'film.mha', 0.125)
    assert xray.spacing_mm == 0.125


@pytest.mark.parametrize(
    'name', ['../x.raw', '/etc/passwd', 'sub/../../x.raw', 'LIST', 'x%03d.raw 1 3 1', '', 'sub', '.', 'x' * 5000]
)
def test_files_elsewhere_are_not_read(tmp_path, name):
    (tmp_path / 'x.raw').write_bytes(bytes(12))
    folder = tmp_path / 'films'
    (folder / 'sub').mkdir(parents=True)
    with pytest.raises(InputError, match='ElementDataFile') as caught:
        open_stack(write(folder / 'film.mhd', file=name))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize('name', ['x.raw', './x.raw', 'sub/x.raw', './sub//x.raw'])
def test_files_beside_the_header_or_below_it(tmp_path, name):
    (tmp_path / 'sub').mkdir()
    (tmp_path / name).write_bytes(bytes(range(12)))
    (image,) = open_stack(write(tmp_path / 'film.mhd', file=name, pixels=b''))
    assert image.tobytes() == bytes(range(12))


def test_long_headers_have_an_end(tmp_path):
    frames = {f'Seq_Frame{number:05d}_Timestamp': number for number in range(50_000)}
    path = write(tmp_path / 'film.mha', **frames)
    assert path.stat().st_size > 1 << 20
    assert len(open_stack(path)) == 1
    path.write_bytes(b'ObjectType = Image\n' + b'a\n' * (LONGEST_HEADER // 2))
    with pytest.raises(InputError, match='not a MetaImage'):
        open_stack(path)


def test_slices_beyond_the_size_of_x_rays_are_refused_before_they_are_unpacked(tmp_path):
    packer = zlib.compressobj(9)
    packed = b''.join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    path = write(tmp_path / 'film.mha', pixels=packed, DimSize='10000 9000', CompressedData='True')
    assert path.stat().st_size < 200_000
    with pytest.raises(InputError, match=r'film\.mha: 10000 x 9000 pixels'):
        open_stack(path)


def test_a_stack_larger_than_the_limit_is_read_slice_by_slice(tmp_path):
    path = tmp_path / 'film.mhd'
    with open(tmp_path / 'film.raw', 'wb') as file:
        file.truncate(2880 * 2400 * 3 * 400)
    write(path, file='film.raw', pixels=b'', NDims=3, DimSize='2880 2400 400', ElementNumberOfChannels=3)
    stack = open_stack(path)
    assert len(stack) == 400 and next(iter(stack)).shape == (2400, 2880, 3)
