"""From the values as stored to those that are shown, as the standard has it, in every way that a film may be stored."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_films import (
    COMPRESSORS,
    RAMP,
    compress,
    compress_run_lengths,
    data_set,
    lookup_table,
    write,
    write_with_other_syntax,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cephalometric.errors import InputError
from cephalometric.xrays.dicom import read_dicom


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


UNCOMPRESSED = {
    'implicit': (ImplicitVRLittleEndian, ImplicitVRLittleEndian),
    'explicit': (ExplicitVRLittleEndian, ExplicitVRLittleEndian),
    'big endian': (ExplicitVRBigEndian, ExplicitVRBigEndian),
    'explicit, said to be implicit': (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
    'implicit, said to be explicit': (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
}


@dataclass
class Film:
    """A film in one of the ways to store it, and what it looks like, 0 to 255 as floats."""

    dataset: Dataset
    syntax: str
    reference: np.ndarray


@st.composite
def films(draw, syntaxes):
    syntax = draw(st.sampled_from(syntaxes))
    as_is = syntax in UNCOMPRESSED or syntax == 'RLE'
    bits = draw(st.sampled_from([8, 10, 12, 16]))
    allocated = draw(
        st.sampled_from([size for size in (8, 16, 32) if bits <= size and (size < 32 or syntax in UNCOMPRESSED)])
    )
    signed = draw(st.booleans())
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    dark, bright = sorted(draw(st.lists(st.integers(lowest + 1, highest - 1), min_size=2, max_size=2)))
    bright = min(max(bright, dark + 40), highest - 1)
    dark = max(lowest + 1, min(dark, bright - 40))
    values = np.rint(dark + (bright - dark) * np.sin(np.arange(1200) / 170).reshape(30, 40) ** 2).astype(np.int64)

    padding = np.zeros(values.shape, bool)
    tags = {}
    if draw(st.booleans()):
        padding[:, :6] = True
        values[padding] = draw(st.sampled_from([lowest, highest]))
        tags['PixelPaddingValue'] = int(values[0, 0])
        if draw(st.booleans()):
            tags['PixelPaddingRangeLimit'] = int(values[0, 0])
    photometric = draw(st.sampled_from(['MONOCHROME1', 'MONOCHROME2']))

    # The bits of the values, at the high end if so, and others where there is room.
    high = draw(st.sampled_from([bits - 1, allocated - 1])) if as_is else bits - 1
    shift = high + 1 - bits
    stored = values << shift
    if as_is and draw(st.booleans()):
        others = np.random.default_rng(1).integers(0, 2**allocated, values.shape)
        mask = (2**bits - 1) << shift
        stored = (stored & mask) | (others & ~mask)
    order = '>' if syntax == 'big endian' else '<'
    stored = (stored % 2**allocated).astype(f'{order}u{allocated // 8}')

    shown, black, white = values.astype(float), None, None
    if bits == 8 and not signed:
        black, white = 0, 255
    modality = draw(st.sampled_from(['none', 'identity', 'rescale', 'table']))
    if modality in ('identity', 'rescale'):
        slope, intercept = (1, 0) if modality == 'identity' else draw(st.sampled_from([(0.5, -99), (2, 7.5), (-1, 3)]))
        tags |= {'RescaleSlope': slope, 'RescaleIntercept': intercept}
        shown = shown * slope + intercept
        if white is not None:
            black, white = sorted((intercept, 255 * slope + intercept))
    elif modality == 'table' and bits <= 12:
        entries = np.rint(4095 * np.linspace(0, 1, 2**bits) ** 0.7)
        tags['ModalityLUTSequence'] = lookup_table(entries, 12, lowest, ModalityLUTType='US')
        shown, black, white = entries[values - lowest], None, None

    exposed = shown[~padding]
    interest = draw(st.sampled_from(['none', 'window', 'table', 'shallow table', 'empty']))
    if interest == 'window':
        function = draw(st.sampled_from(['LINEAR', 'LINEAR_EXACT', 'SIGMOID']))
        width = draw(st.floats(0.3, 2)) * np.ptp(exposed) + 2
        centre = exposed.min() + draw(st.floats(0.3, 0.7)) * np.ptp(exposed)
        tags |= {'WindowCenter': f'{centre:.8g}', 'WindowWidth': f'{width:.8g}', 'VOILUTFunction': function}
        if function == 'SIGMOID':
            shown, black, white = 1 / (1 + np.exp(-4 * (shown - centre) / width)), 0, 1
        else:
            centre, width = (centre - 0.5, width - 1) if function == 'LINEAR' else (centre, width)
            black, white = centre - width / 2, centre + width / 2
    elif interest.endswith('table') and np.ptp(shown) < 30000 and np.abs(shown).max() < 32000:
        first = int(np.floor(shown.min()))
        count = int(np.ceil(shown.max())) - first + 1
        depth = draw(st.sampled_from([8, 12, 16])) if interest == 'table' else draw(st.sampled_from([8, 12]))
        entries = np.rint((2**depth - 1) * np.linspace(0, 1, count) ** 1.3)
        tags['VOILUTSequence'] = lookup_table(entries, depth if interest == 'table' else 16, first)
        shown = entries[np.rint(shown).astype(int) - first]
        black, white = (0, 2**depth - 1) if interest == 'table' else (None, None)
    elif interest == 'empty':
        tags |= {'WindowCenter': '', 'WindowWidth': '', 'VOILUTSequence': Sequence([])}

    if white is None:
        black, white = np.percentile(shown[~padding], (0.1, 99.9))
    assume(white > black)
    reference = np.clip((shown - black) / (white - black), 0, 1) * 255
    if photometric == 'MONOCHROME1':
        tags['PresentationLUTShape'] = draw(st.sampled_from(['', 'INVERSE']))
        reference = 255 - reference
    reference[padding] = 0
    dataset = data_set(
        stored,
        BitsStored=bits,
        HighBit=high,
        PixelRepresentation=int(signed),
        PhotometricInterpretation=photometric,
        **tags,
    )
    return Film(dataset, syntax, reference)


def assert_as_reference(path, film):
    (frame,) = read_dicom(path)
    assert np.abs(frame.image - film.reference).max() <= 1, frame.warnings


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(film=films([*UNCOMPRESSED, 'RLE']))
def test_a_film_looks_the_same_however_it_is_stored(tmp_path, film):
    path = tmp_path / 'film.dcm'
    data, declared = UNCOMPRESSED.get(film.syntax, UNCOMPRESSED['explicit'])
    write_with_other_syntax(path, film.dataset, data, declared)
    if film.syntax == 'RLE':
        compress_run_lengths(path)
    assert_as_reference(path, film)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(film=films(list(COMPRESSORS)))
def test_a_film_looks_the_same_however_it_is_compressed(tmp_path, film):
    assert_as_reference(compress(write(tmp_path / 'film.dcm', film.dataset), film.syntax), film)


def as_the_standard_has_it(dataset):
    """What pydicom's functions for the standard's pipeline make of a data set: its first frame, 0 to 255 as floats."""
    pixels = dataset.pixel_array
    colour = dataset.SamplesPerPixel > 1
    if pixels.ndim > 2 + colour:
        pixels = pixels[0]
    if dataset.PhotometricInterpretation == 'PALETTE COLOR':
        return apply_color_lut(pixels, dataset) / 257
    if colour:
        return pixels / (2**dataset.BitsStored - 1) * 255
    padding = pixels == dataset.get('PixelPaddingValue', np.nan)
    values = apply_modality_lut(pixels, dataset)
    shown = apply_voi_lut(values, dataset)
    if dataset.get('WindowWidth'):
        ends = np.array([-(2 ** (dataset.BitsStored - 1)), 2 ** (dataset.BitsStored - 1) - 1])
        ends = ends if dataset.PixelRepresentation else ends + 2 ** (dataset.BitsStored - 1)
        black, white = ends * float(dataset.get('RescaleSlope', 1)) + float(dataset.get('RescaleIntercept', 0))
    else:
        black, white = np.percentile(shown[~padding].astype(float), (0.1, 99.9))
    if dataset.BitsAllocated == 1:
        black, white = 0, 1
    if dataset.BitsStored == 8 and shown is pixels:
        black, white = 0, 255
    shown = np.clip((shown - black) / (white - black), 0, 1) * 255
    shown[padding] = 0
    return shown


EXAMPLES = sorted(Path(get_testdata_file('MR_small.dcm', download=False)).parent.glob('*.dcm'))


@pytest.mark.parametrize('path', EXAMPLES, ids=lambda path: path.name)
def test_the_examples_of_pydicom_look_as_the_standard_has_it(path):
    dataset = pydicom.dcmread(path, force=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            reference = as_the_standard_has_it(dataset)
    except Exception:
        # No image, or damaged: one that the reader understands all the same comes with a warning.
        try:
            assert next(read_dicom(path)).warnings
        except InputError as error:
            assert path.name in str(error) and '\n' not in str(error)
    else:
        assert np.abs(next(read_dicom(path)).image - reference).max() <= 1


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
