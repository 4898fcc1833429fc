"""X-rays of all kinds, found, named and read."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from cephalometric.errors import InputError
from cephalometric.names import printable
from cephalometric.xrays.mha import write_stack
from cephalometric.xrays.reading import find_xrays, read_xrays
from cephalometric.xrays.xray_names import name_xrays

GREY = np.random.default_rng(5).integers(0, 256, (30, 40), dtype=np.uint8)


def write_dicom(path, pixels=GREY, **tags):
    dataset = Dataset()
    dataset.PatientName = 'Doe^Jane'
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, '1.2.3'
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, 'MONOCHROME2', 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


def write_itk(path, array, spacing=None):
    image = SimpleITK.GetImageFromArray(array)
    if spacing:
        image.SetSpacing(spacing)
    SimpleITK.WriteImage(image, str(path))


def save(path, array=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def only(path, spacing_mm=None):
    (xray,) = read_xrays(path, spacing_mm)
    assert xray.image.dtype == np.uint8 and xray.path == path and xray.slice is None
    return xray


def test_a_picture(tmp_path):
    xray = only(save(tmp_path / 'film.png'))
    np.testing.assert_array_equal(xray.image, GREY)
    assert (xray.spacing_mm, xray.name, xray.warnings) == (None, 'film', ())


@pytest.mark.parametrize('suffix', ['png', 'tif', 'bmp', 'mha', 'dcm'])
def test_what_a_file_is_its_content_says(tmp_path, suffix):
    path = tmp_path / f'film.{suffix}'
    if suffix == 'dcm':
        write_dicom(path)
    elif suffix == 'mha':
        write_itk(path, GREY)
    else:
        save(path)
    for name in ('film', 'film.jpg', '1.2.840.10008'):
        np.testing.assert_array_equal(only(path.rename(tmp_path / name)).image, GREY)
        path = tmp_path / name


def test_dicom_carries_its_spacing_and_no_patient(tmp_path):
    write_dicom(tmp_path / 'IM0001', PixelSpacing=[0.1, 0.1])
    xray = only(tmp_path / 'IM0001')
    assert (xray.spacing_mm, xray.name, xray.warnings) == (0.1, 'IM0001', ())
    assert 'Doe' not in repr(xray)


def test_the_spacing_asked_for_is_used_and_a_contradiction_is_reported(tmp_path):
    write_dicom(tmp_path / 'film.dcm', PixelSpacing=[0.1, 0.1])
    assert only(tmp_path / 'film.dcm', 0.102).warnings == ()
    xray = only(tmp_path / 'film.dcm', 0.2)
    assert xray.spacing_mm == 0.2
    assert '0.2 mm' in xray.warnings[0] and '0.1 mm' in xray.warnings[0]
    assert only(save(tmp_path / 'film.png'), 0.125).spacing_mm == 0.125
    with pytest.raises(InputError, match='spacing 0 mm'):
        next(read_xrays(tmp_path / 'film.png', 0))


@pytest.mark.parametrize(('spacing', 'expected'), [(None, None), ((1, 1), None), ((0.1, 0.1), 0.1)])
def test_the_spacing_of_a_metaimage(tmp_path, spacing, expected):
    write_itk(tmp_path / 'film.mha', GREY, spacing)
    assert only(tmp_path / 'film.mha').spacing_mm == expected


def test_a_metaimage_with_odd_spacing(tmp_path):
    write_itk(tmp_path / 'film.mha', GREY, (0.1, 0.2))
    with pytest.raises(InputError, match=r'film\.mha: ElementSpacing .height, width. = 0.2 0.1.*not square'):
        only(tmp_path / 'film.mha')
    write_itk(tmp_path / 'film.mha', GREY, (7, 7))
    assert 'not used' in only(tmp_path / 'film.mha').warnings[0]


@pytest.mark.parametrize('kind', [np.uint16, np.int16])
def test_a_metaimage_of_16_bits(tmp_path, kind):
    ramp = np.linspace(-1000 if kind == np.int16 else 0, 4095, 1200).reshape(30, 40).astype(kind)
    write_itk(tmp_path / 'film.mha', ramp)
    np.testing.assert_allclose(only(tmp_path / 'film.mha').image.ravel(), np.linspace(0, 255, 1200), atol=2)


def test_slices_are_numbered_and_grey_stacks_in_rgb_become_grey(tmp_path):
    slices = np.random.default_rng(6).integers(0, 256, (3, 30, 40), dtype=np.uint8)
    write_stack(tmp_path / 'stack.mha', np.repeat(slices[..., None], 3, axis=3), 3)
    xrays = list(read_xrays(tmp_path / 'stack.mha'))
    assert [xray.name for xray in xrays] == ['stack_001', 'stack_002', 'stack_003']
    assert [xray.slice for xray in xrays] == [1, 2, 3]
    assert [xray.spacing_mm for xray in xrays] == [None] * 3
    np.testing.assert_array_equal([xray.image for xray in xrays], slices)
    assert [xray.name for xray in read_xrays(tmp_path / 'stack.mha', name='mine')][2] == 'mine_003'


def test_frames_and_pages_are_numbered_too(tmp_path):
    write_dicom(tmp_path / 'film.dcm', np.stack([GREY, 255 - GREY]))
    Image.fromarray(GREY).save(tmp_path / 'pages.tif', save_all=True, append_images=[Image.fromarray(255 - GREY)])
    for name in ('film.dcm', 'pages.tif'):
        first, second = read_xrays(tmp_path / name)
        np.testing.assert_array_equal(255 - first.image, second.image)
        assert (first.slice, second.name) == (1, name[:-4] + '_002')


def test_what_comes_before_the_damage_of_a_stack_is_read(tmp_path):
    path = tmp_path / 'stack.mha'
    write_stack(path, np.random.default_rng(6).integers(0, 256, (4, 300, 300), dtype=np.uint8), 4, compressed=True)
    content = bytearray(path.read_bytes())
    content[-2] ^= 0xFF
    path.write_bytes(content)
    read = []
    with pytest.raises(InputError, match='damaged'):
        read.extend(xray.slice for xray in read_xrays(path))
    xrays = read_xrays(path)
    assert [next(xrays).slice for _ in range(3)] == [1, 2, 3]


def test_colours_are_kept_and_reported_but_not_those_that_nobody_sees(tmp_path):
    tinted = np.stack([GREY, GREY, np.minimum(GREY, 250)], axis=2)
    xray = only(save(tmp_path / 'film.png', tinted))
    np.testing.assert_array_equal(xray.image, tinted)
    assert xray.warnings == ()
    tinted[3, 4] = 255, 0, 0
    assert 'coloured' in only(save(tmp_path / 'film.png', tinted)).warnings[0]


@pytest.mark.parametrize(
    ('name', 'content', 'message'),
    [
        ('empty.png', b'', 'is empty'),
        ('notes.png', b'no picture at all', 'not an X-ray file.*no pictu.*DICOM can be read'),
        ('report.pdf', b'%PDF-1.4', 'not an X-ray file'),
        ('half.png', b'\x89PNG\r\n\x1a\n', 'half.png'),
        ('bare.dcm', bytes(128) + b'DICM', 'without an image'),
        ('film.mha', b'no header', 'not a MetaImage'),
        ('big.mha', b'NDims = 2\nDimSize = 90000 90000\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n', 'big.mha'),
    ],
)
def test_other_files_are_refused_with_their_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        next(read_xrays(tmp_path / name))
    assert name in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / 'folder.mha').mkdir()
    os.mkfifo(tmp_path / 'pipe.png')
    for name, message in [('folder.mha', 'is a folder'), ('pipe.png', 'neither'), ('absent.png', 'cannot be read')]:
        with pytest.raises(InputError, match=rf'{name}.*{message}'):
            next(read_xrays(tmp_path / name))


def test_files_folders_and_globs_in_natural_order(tmp_path):
    for name in ('film10.png', 'film2.PNG', 'film1.jpg', '.hidden.png', 'sub/film3.png'):
        save(tmp_path / name)
    for name in ('notes.txt', 'film1.raw', 'results.csv'):
        (tmp_path / name).write_text('text')
    write_dicom(tmp_path / '1.2.840.7')
    write_dicom(tmp_path / 'DICOMDIR')

    def names(*inputs):
        return [str(path.relative_to(tmp_path)) for path in find_xrays([str(item) for item in inputs])]

    assert names(tmp_path) == ['1.2.840.7', 'film1.jpg', 'film2.PNG', 'film10.png']
    assert names(tmp_path / '*.png') == ['film10.png']
    assert names(tmp_path / '**' / '*.png') == ['film10.png', 'sub/film3.png']
    assert names(tmp_path / '**' / '*') == ['1.2.840.7', 'film1.jpg', 'film2.PNG', 'film10.png', 'sub/film3.png']
    assert names(tmp_path / 'film10.png', tmp_path, tmp_path / 'film2.PNG') == names(tmp_path)
    assert names(tmp_path / 'notes.txt') == ['notes.txt']


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    save(tmp_path / 'film[1].png')
    assert find_xrays([str(tmp_path / 'film[1].png')]) == [tmp_path / 'film[1].png']


@pytest.mark.parametrize('name', ['absent.png', 'empty', '*.png', 'empty/**/*', 'nul\0'])
def test_inputs_that_find_nothing_are_named(tmp_path, name):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(InputError, match=r'no such file|no X-ray found|cannot be read') as caught:
        find_xrays([str(tmp_path / name)])
    assert printable(name) in str(caught.value)


@pytest.mark.parametrize(
    ('paths', 'names'),
    [
        (['a/film.png', 'a/other.png'], ['film', 'other']),
        (['a/film.png', 'a/film.dcm'], ['film_png', 'film_dcm']),
        (['a/film.png', 'a/FILM.png'], ['a_film_png', 'a_FILM_png-2']),
        (['a/film.png', 'b/film.png', 'b/other.png'], ['a_film_png', 'b_film_png', 'other']),
        (['x/a/film.png', 'y/a/film.png'], ['x_a_film_png', 'y_a_film_png']),
        (['a/1.2.3', 'a/1.2.4'], ['1.2.3', '1.2.4']),
        (['a/stack.mha', 'a/stack_001.png'], ['stack', 'stack_001_png']),
        (['a/film.png', 'a/film_1.png'], ['film', 'film_1']),
    ],
)
def test_names(paths, names):
    assert name_xrays([Path(path) for path in paths]) == names


PART = st.sampled_from(['film', 'Film', 'film_001', 'film_002', 'film_png', 'a', 'a_film'])
SUFFIX = st.sampled_from(['.png', '.PNG', '.mha', '.dcm', '', '.3'])


@settings(max_examples=200)
@given(st.lists(st.tuples(PART, PART, PART, SUFFIX), min_size=1, max_size=8, unique=True))
def test_outputs_never_overwrite_each_other(parts):
    paths = [Path(one, two, name + suffix) for one, two, name, suffix in parts]
    outputs = []
    for path, name in zip(paths, name_xrays(paths), strict=True):
        assert '/' not in name and name
        several = path.suffix.lower() != '.png'
        outputs += [f'{name}_{n:03d}'.casefold() for n in range(1, 4)] if several else [name.casefold()]
    assert len(set(outputs)) == len(outputs)


@pytest.mark.parametrize('suffix', ['jpg', 'jpeg', 'jpe', 'jfif', 'JFIF', 'webp', 'png', 'bmp', 'tif', 'tiff'])
def test_folders_give_the_pictures_of_every_suffix(tmp_path, suffix):
    kind = {'webp': 'WEBP', 'png': 'PNG', 'bmp': 'BMP', 'tif': 'TIFF', 'tiff': 'TIFF'}.get(suffix, 'JPEG')
    Image.fromarray(np.full((30, 40), 90, np.uint8)).save(tmp_path / f'film.{suffix}', format=kind)
    (tmp_path / f'._film.{suffix}').write_bytes(b'\0\5\26\7')
    (path,) = find_xrays([tmp_path])
    xray = only(path)
    assert xray.name == 'film'
    np.testing.assert_allclose(xray.image, 90, atol=2)


def test_names_that_begin_with_a_dot_are_passed_over(tmp_path):
    save(tmp_path / 'film.png')
    write_dicom(tmp_path / 'IM1')
    for name in ('._film.png', '._IM1', '.hidden/film2.png', 'sub/._film3.png'):
        save(tmp_path / 'x.png').rename((tmp_path / 'x.png').with_name('y'))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / 'y').rename(tmp_path / name)
    assert [path.name for path in find_xrays([tmp_path], recursive=True)] == ['film.png', 'IM1']
    assert [path.name for path in find_xrays([str(tmp_path / '**' / '*')])] == ['film.png', 'IM1']


def test_a_folder_without_x_rays_says_what_it_holds(tmp_path):
    for name in ('a.heic', 'b.HEIC', 'c.nrrd', '._d.png', 'readme'):
        (tmp_path / name).write_bytes(b'x')
    with pytest.raises(InputError, match=r'no X-ray found \(it holds 2 \.heic, 1 \.nrrd, 1 without suffix\)'):
        find_xrays([tmp_path])
