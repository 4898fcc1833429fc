"""DICOM files as they come from machines, archives and converters."""

import numpy as np
import pydicom
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom
from cephalometric.xrays.frames import HEAD, is_dicom

RAMP = np.linspace(0, 4095, 1200).reshape(30, 40).astype(np.uint16)
PATIENT = 'Doe^Jane'


def lookup_table(entries, bits):
    table = Dataset()
    table.LUTDescriptor = [len(entries), 0, bits]
    table.add_new('LUTData', 'US', [int(entry) for entry in entries])
    return Sequence([table])


def data_set(pixels=RAMP, **tags):
    """An X-ray of 12 bits, or of the depth of ``pixels``; None takes a tag away."""
    result = Dataset()
    result.PatientName, result.PatientID, result.PatientBirthDate = PATIENT, '4711', '19700101'
    result.SOPClassUID, result.SOPInstanceUID, result.Modality = DigitalXRayImageStorageForPresentation, '1.2.3', 'DX'
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    result.Rows, result.Columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    frames = pixels.ndim - 2 - colour
    if frames:
        result.NumberOfFrames = pixels.shape[0]
    result.SamplesPerPixel = 3 if colour else 1
    if colour:
        result.PlanarConfiguration = 0
    result.PhotometricInterpretation = 'RGB' if colour else 'MONOCHROME2'
    result.BitsAllocated = 8 * pixels.itemsize
    result.BitsStored = 12 if pixels.itemsize == 2 else result.BitsAllocated
    result.HighBit = result.BitsStored - 1
    result.PixelRepresentation = int(pixels.dtype.kind == 'i')
    result.add_new('PixelData', 'OW' if pixels.itemsize > 1 else 'OB', pixels.tobytes())
    for keyword, value in tags.items():
        if value is None:
            del result[keyword]
        else:
            setattr(result, keyword, value)
    return result


def write(path, dataset, syntax=ExplicitVRLittleEndian):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def only(tmp_path):
    """Write a data set and read its only frame."""

    def read(dataset, syntax=ExplicitVRLittleEndian):
        (frame,) = read_dicom(write(tmp_path / 'film.dcm', dataset, syntax))
        assert frame.image.dtype == np.uint8
        return frame

    return read


def assert_ramp(image, start=0, end=255, tolerance=2):
    np.testing.assert_allclose(image.ravel(), np.linspace(start, end, 1200), atol=tolerance)


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


def test_monochrome1_is_inverted_once(only):
    assert_ramp(only(data_set(PhotometricInterpretation='MONOCHROME1', PresentationLUTShape='INVERSE')).image, 255, 0)


def test_8_bits_stay_as_they_are(only):
    pixels = np.random.default_rng(2).integers(50, 90, (30, 40), dtype=np.uint8)
    np.testing.assert_array_equal(only(data_set(pixels)).image, pixels)
    np.testing.assert_array_equal(only(data_set(pixels, PhotometricInterpretation='MONOCHROME1')).image, 255 - pixels)


def test_signed_values(only):
    assert_ramp(only(data_set(RAMP.astype(np.int16) - 2048)).image)


@pytest.mark.parametrize(
    ('function', 'centre', 'width', 'low', 'high'),
    [
        ('LINEAR', 2000, 1001, 1499.5, 2499.5),
        ('LINEAR_EXACT', 2000, 1000, 1500, 2500),
        ('SIGMOID', 2000, 1000, 1500, 2500),
    ],
)
def test_the_first_window_is_used(only, function, centre, width, low, high):
    image = only(
        data_set(WindowCenter=[centre, 9], WindowWidth=[width, 9], VOILUTFunction=function),
    ).image
    assert not image[low > RAMP].any() and (image[high < RAMP] == 255).all()
    inside = (low <= RAMP) & (high >= RAMP)
    np.testing.assert_allclose(image[inside], (RAMP[inside] - low) / (high - low) * 255, atol=1)


def test_the_window_is_in_rescaled_values(only):
    tags = {'RescaleSlope': 0.5, 'RescaleIntercept': -100}
    image = only(data_set(WindowCenter=900, WindowWidth=1001, **tags)).image
    expected = np.clip((RAMP * 0.5 - 100 - 399.5) / 1000, 0, 1) * 255
    np.testing.assert_allclose(image, expected, atol=1)
    assert_ramp(only(data_set(RescaleSlope=-1, RescaleIntercept=4095)).image, 255, 0)


@pytest.mark.parametrize(('centre', 'width'), [(100000, 10), (-5000, 100), (2000, 2)])
def test_a_window_that_shows_nothing_is_not_used_and_named(only, centre, width):
    frame = only(data_set(WindowCenter=centre, WindowWidth=width))
    assert_ramp(frame.image)
    assert 'window' in frame.warnings[0]


@pytest.mark.parametrize('window', [{'WindowCenter': 5}, {'WindowCenter': '', 'WindowWidth': ''}])
def test_half_a_window_is_none(only, window):
    assert_ramp(only(data_set(**window)).image)


def test_lookup_tables_of_modality_and_voi(only):
    table = lookup_table(np.linspace(4095, 0, 4096), 12)
    assert_ramp(only(data_set(VOILUTSequence=table)).image, 255, 0)
    table = lookup_table(np.linspace(65535, 0, 4096), 16)
    table[0].ModalityLUTType = 'US'
    assert_ramp(only(data_set(ModalityLUTSequence=table)).image, 255, 0)


@pytest.mark.parametrize('photometric', ['MONOCHROME1', 'MONOCHROME2'])
def test_padding_is_black_and_no_part_of_the_range(only, photometric):
    pixels = RAMP // 4 + 1000
    pixels[:, :5] = 4000
    pixels[:, 5:8] = 3990
    dataset = data_set(pixels, PhotometricInterpretation=photometric)
    dataset.add_new('PixelPaddingValue', 'US', 4000)
    dataset.add_new('PixelPaddingRangeLimit', 'US', 3990)
    image = only(dataset).image
    assert not image[:, :8].any()
    assert image[:, 8:].min() < 3 and image[:, 8:].max() > 252


def test_colours_and_palettes(only):
    pixels = np.random.default_rng(2).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(only(data_set(pixels)).image, pixels)
    dataset = data_set(
        np.arange(1200, dtype=np.uint16).reshape(30, 40).astype(np.uint8), PhotometricInterpretation='PALETTE COLOR'
    )
    for colour, values in [('Red', range(256)), ('Green', range(255, -1, -1)), ('Blue', [7] * 256)]:
        setattr(dataset, f'{colour}PaletteColorLookupTableDescriptor', [256, 0, 8])
        setattr(dataset, f'{colour}PaletteColorLookupTableData', bytes(values))
    assert only(dataset).image[0, 5].tolist() == [5, 250, 7]


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


@pytest.mark.parametrize(
    ('tags', 'spacing_mm', 'warning'),
    [
        ({'PixelSpacing': [0.1, 0.1]}, 0.1, None),
        ({'PixelSpacing': [0.09, 0.09], 'ImagerPixelSpacing': [0.1, 0.1]}, 0.09, None),
        ({'ImagerPixelSpacing': [0.11, 0.11], 'EstimatedRadiographicMagnificationFactor': 1.1}, 0.1, 'divided'),
        (
            {'ImagerPixelSpacing': [0.11, 0.11], 'DistanceSourceToDetector': 1650, 'DistanceSourceToPatient': 1500},
            0.1,
            'divided',
        ),
        ({'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, 'not corrected'),
        ({'ImagerPixelSpacing': [0.11, 0.11], 'EstimatedRadiographicMagnificationFactor': 0}, 0.11, 'not corrected'),
        ({'ImagerPixelSpacing': [0.11, 0.11], 'EstimatedRadiographicMagnificationFactor': 110}, 0.11, 'not corrected'),
        ({'PixelSpacing': [0.11, 0.11], 'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, 'not corrected'),
        (
            {
                'PixelSpacing': [0.11, 0.11],
                'ImagerPixelSpacing': [0.11, 0.11],
                'PixelSpacingCalibrationType': 'FIDUCIAL',
                'EstimatedRadiographicMagnificationFactor': 1.1,
            },
            0.11,
            None,
        ),
        ({'NominalScannedPixelSpacing': [0.127, 0.127]}, 0.127, 'not corrected'),
        ({'PixelSpacing': [1, 1]}, None, None),
        ({'PixelSpacing': [0, 0]}, None, 'not used'),
        ({'PixelSpacing': ''}, None, None),
        ({'PixelAspectRatio': [1, 1]}, None, None),
        ({}, None, None),
    ],
)
def test_spacing(only, tags, spacing_mm, warning):
    frame = only(data_set(**tags))
    assert frame.spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm))
    assert [warning in text for text in frame.warnings] == ([True] if warning else [])


def test_the_spacing_of_enhanced_files(only):
    measures, group = Dataset(), Dataset()
    measures.PixelSpacing = [0.125, 0.125]
    group.PixelMeasuresSequence = Sequence([measures])
    assert only(data_set(SharedFunctionalGroupsSequence=Sequence([group]))).spacing_mm == 0.125


@pytest.mark.parametrize(
    'tags', [{'PixelSpacing': [0.1, 0.2]}, {'ImagerPixelSpacing': [0.2, 0.1]}, {'PixelAspectRatio': [1, 2]}]
)
def test_pixels_that_are_not_square_are_refused(only, tags):
    with pytest.raises(InputError, match=r'film\.dcm: .*not square'):
        only(data_set(**tags))


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
        ('image_dfl.dcm', 'deflated'),
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
        ({'NumberOfFrames': -2}, 'without an image'),
        ({'NumberOfFrames': 2}, 'cannot be decoded'),
        ({'PixelData': None}, 'cannot be decoded'),
        ({'BitsStored': None}, 'cannot be decoded'),
        ({'PhotometricInterpretation': 'HSV'}, 'PhotometricInterpretation'),
    ],
)
def test_damaged_headers_are_named(tmp_path, tags, message):
    path = write(tmp_path / 'film.dcm', data_set(**tags))
    with pytest.raises(InputError, match=rf'film\.dcm: .*{message}'):
        list(read_dicom(path))


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


def test_deflated_files_are_refused_before_they_are_unpacked(tmp_path):
    path = write(tmp_path / 'film.dcm', data_set(), DeflatedExplicitVRLittleEndian)
    with pytest.raises(InputError, match='deflated'):
        list(read_dicom(path))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
