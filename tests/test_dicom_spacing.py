"""Which spacing a DICOM header says; whatever it is, the pixels are read."""

import numpy as np
import pytest
from dicom_films import RAMP, data_set, with_values, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom
from cephalometric.xrays.dicom_spacing import ATTRIBUTES
from cephalometric.xrays.reading import read_xrays


def with_spacing_in(group, *spacings):
    groups = []
    for spacing in spacings:
        measures, item = Dataset(), Dataset()
        measures.PixelSpacing = [spacing, spacing]
        item.PixelMeasuresSequence = Sequence([measures])
        groups.append(item)
    return {group: Sequence(groups)}


@pytest.mark.parametrize(
    ('tags', 'spacing_mm', 'warnings'),
    [
        ({'PixelSpacing': [0.1, 0.1]}, 0.1, []),
        ({'PixelSpacing': [0.09, 0.09], 'ImagerPixelSpacing': [0.1, 0.1]}, 0.09, []),
        ({'ImagerPixelSpacing': [0.11, 0.11], 'EstimatedRadiographicMagnificationFactor': 1.1}, 0.1, ['divided']),
        (
            {'ImagerPixelSpacing': [0.11, 0.11], 'DistanceSourceToDetector': 1650, 'DistanceSourceToPatient': 1500},
            0.1,
            ['divided'],
        ),
        ({'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, ['not corrected']),
        ({'ImagerPixelSpacing': [0.11, 0.11], 'EstimatedRadiographicMagnificationFactor': 0}, 0.11, ['not corrected']),
        ({'ImagerPixelSpacing': [0.11] * 2, 'EstimatedRadiographicMagnificationFactor': 110}, 0.11, ['not corrected']),
        ({'PixelSpacing': [0.11, 0.11], 'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, ['not corrected']),
        (
            {
                'PixelSpacing': [0.11, 0.11],
                'ImagerPixelSpacing': [0.11, 0.11],
                'PixelSpacingCalibrationType': 'FIDUCIAL',
                'EstimatedRadiographicMagnificationFactor': 1.1,
            },
            0.11,
            [],
        ),
        ({'NominalScannedPixelSpacing': [0.127, 0.127]}, 0.127, ['not corrected']),
        ({'PixelSpacing': [1, 1]}, None, []),
        ({'PixelSpacing': [1, 1], 'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, ['not corrected']),
        ({'PixelSpacing': [5, 5], 'ImagerPixelSpacing': [0.11, 0.11]}, 0.11, ['PixelSpacing = 5', 'not corrected']),
        ({'PixelSpacing': ''}, None, []),
        ({'PixelAspectRatio': [1, 1]}, None, []),
        (with_spacing_in('SharedFunctionalGroupsSequence', 0.125), 0.125, []),
        (with_spacing_in('PerFrameFunctionalGroupsSequence', 0.125), 0.125, []),
        ({}, None, []),
    ],
)
def test_spacing(tmp_path, tags, spacing_mm, warnings):
    (frame,) = read_dicom(write(tmp_path / 'film.dcm', data_set(**tags)))
    assert frame.spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm))
    assert len(frame.warnings) == len(warnings)
    assert all(text in warning for text, warning in zip(warnings, frame.warnings, strict=True))


def test_each_frame_has_its_own_spacing(tmp_path):
    tags = with_spacing_in('PerFrameFunctionalGroupsSequence', 0.125, 0.25)
    frames = read_dicom(write(tmp_path / 'film.dcm', data_set(np.stack([RAMP, RAMP, RAMP]), **tags)))
    assert [frame.spacing_mm for frame in frames] == [0.125, 0.25, None]


@pytest.mark.parametrize(
    ('vr', 'value', 'spacing_mm'),
    [
        ('DS', b'0,123\\0,123', 0.123),
        ('DS', b'0.123,0.123', 0.123),
        ('DS', b'0.123;0.123', 0.123),
        ('DS', b'0.123 mm\\0.123 mm', 0.123),
        ('LO', b'0.123\\0.123', 0.123),
        ('UN', b'0.123\\0.123', 0.123),
        ('OB', b'0.123\\0.123', 0.123),
        ('FD', np.array([0.123, 0.123]).tobytes(), 0.123),
        ('DS', b'0.123', None),
        ('DS', b'0,123', None),
        ('DS', b'0.1\\0.1\\0.1', None),
        ('DS', b'0\\0', None),
        ('DS', b'-0.1\\-0.1', None),
        ('DS', b'nan\\nan', None),
        ('DS', b'inf\\inf', None),
        ('DS', b'0.123\\', None),
        ('DS', b'123 um\\123 um', None),
        ('DS', b'unknown', None),
        ('US', b'\x01', None),
        ('SQ', b'', None),
    ],
)
def test_odd_spacings_are_read_or_named_and_the_film_is_read(tmp_path, vr, value, spacing_mm):
    path = write(tmp_path / 'film.dcm', data_set())
    (sound,) = read_dicom(path)
    with_values(path, {'PixelSpacing': (vr, value)})
    (frame,) = read_dicom(path)
    np.testing.assert_array_equal(frame.image, sound.image)
    assert frame.spacing_mm == spacing_mm
    if value and spacing_mm is None:
        (warning,) = frame.warnings
        assert warning.startswith('PixelSpacing ') and '--spacing' in warning
    (xray,) = read_xrays(path, spacing_mm=0.1)
    assert xray.spacing_mm == 0.1


SPELLINGS = st.sampled_from(
    ['0.1', '0,1', '.1', '1E-1', '+0.1', '0.1mm', ' 0.1', '0', '-1', '', 'x', '1e999', 'NaN', '9' * 30]
)
VALUES = st.lists(SPELLINGS, max_size=3).map(lambda texts: '\\'.join(texts).encode()) | st.binary(max_size=12)
TYPES = st.sampled_from(
    ['DS', 'IS', 'LO', 'UN', 'OB', 'OW', 'FD', 'FL', 'US', 'SL', 'PN', 'UI', 'SQ', 'AT', 'TM', 'ZZ']
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(ATTRIBUTES), st.tuples(TYPES, VALUES), max_size=4))
def test_whatever_is_said_of_spacing_the_asked_one_works_on_the_same_pixels(tmp_path, odd):
    path = with_values(write(tmp_path / 'film.dcm', data_set()), odd)
    (xray,) = read_xrays(path, spacing_mm=0.1)
    assert xray.spacing_mm == 0.1
    assert xray.image.shape == RAMP.shape and xray.image.min() == 0 and xray.image.max() == 255
    assert all('\n' not in warning for warning in xray.warnings)


@pytest.mark.parametrize(
    'tags', [{'PixelSpacing': [0.1, 0.2]}, {'ImagerPixelSpacing': [0.2, 0.1]}, {'PixelAspectRatio': [1, 2]}]
)
def test_pixels_that_are_not_square_are_refused_unless_a_spacing_is_asked_for(tmp_path, tags):
    path = write(tmp_path / 'film.dcm', data_set(**tags))
    with pytest.raises(InputError, match=r'film\.dcm: .*not square.*--spacing'):
        list(read_xrays(path))
    (xray,) = read_xrays(path, spacing_mm=0.1)
    assert xray.spacing_mm == 0.1 and 'not square' in xray.warnings[0]
