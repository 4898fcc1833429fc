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
    assert_ramp,
    compress,
    compress_run_lengths,
    data_set,
    lookup_table,
    reader,
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
    return reader(tmp_path)


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


IDENTITY = np.arange(4096)


def table_of(value, vr, descriptor=(4096, 0, 16)):
    item = Dataset()
    if descriptor is not None:
        item.add_new('LUTDescriptor', 'US', list(descriptor))
    if value is not None:
        item.add_new('LUTData', vr, value)
    return Sequence([item])


@pytest.mark.parametrize(
    'table',
    [
        table_of(IDENTITY.tolist(), 'US', (4096, 0, 16)),
        table_of(IDENTITY.tolist(), 'US', (4096, 0, 8)),
        table_of(IDENTITY.tolist(), 'US', (4096, 0, 99)),
        table_of((IDENTITY * 16).tolist(), 'US', (4096, 0, 12)),
        table_of(IDENTITY.astype('<u2').tobytes(), 'OW'),
        table_of((IDENTITY // 16).astype('u1').tobytes(), 'OW', (4096, 0, 8)),
        table_of((IDENTITY // 16).astype('u1').tobytes(), 'OW', (4096, 0, 16)),
        table_of((IDENTITY // 16).astype('u1').tobytes(), 'OB', (4096, 0, 8)),
        table_of((IDENTITY // 16).astype('u1').view('<u2').tolist(), 'US', (4096, 0, 8)),
        table_of((IDENTITY // 16).tolist(), 'US', (4096, 0, 8)),
    ],
)
@pytest.mark.parametrize('sequence', ['VOILUTSequence', 'ModalityLUTSequence'])
def test_tables_of_any_depth_count_as_what_they_hold(only, sequence, table):
    frame = only(data_set(**{sequence: table}))
    assert_ramp(frame.image)
    assert not frame.warnings


@pytest.mark.parametrize('sequence', ['VOILUTSequence', 'ModalityLUTSequence'])
@pytest.mark.parametrize(
    ('table', 'warnings'),
    [
        (Sequence([]), 0),
        (Sequence([Dataset()]), 0),
        (table_of(None, 'US', None), 0),
        (table_of(None, 'US'), 1),
        (table_of([1, 2, 3], 'US', None), 1),
        (table_of([1, 2, 3], 'US', (3, 0)), 1),
        (table_of([7] * 4096, 'US'), 1),
        (table_of(['x', 'y'], 'LO'), 1),
    ],
)
def test_tables_that_cannot_be_used_are_none(only, sequence, table, warnings):
    frame = only(data_set(**{sequence: table}))
    assert_ramp(frame.image)
    assert len(frame.warnings) == warnings and all(sequence in text for text in frame.warnings)


def test_a_table_with_fewer_entries_than_it_says_is_used_as_far_as_it_goes(only):
    frame = only(data_set(VOILUTSequence=table_of(np.arange(0, 65536, 32).tolist(), 'US', (4096, 0, 16))))
    assert 'holds 2048 of the 4096 entries' in frame.warnings[0]
    assert frame.image[0, 0] == 0 and (frame.image[RAMP > 2048] == 255).all()


@pytest.mark.parametrize(('first', 'vr'), [(-2048, 'SS'), (63488, 'US')])
@pytest.mark.parametrize('signed', [True, False])
def test_the_first_value_of_a_table_may_be_written_with_the_other_sign(only, first, vr, signed):
    table = table_of(IDENTITY.tolist(), 'US', (4096, 0, 12))
    table[0].add_new('LUTDescriptor', vr, [4096, first, 12])
    pixels = RAMP.astype(np.int16) - 2048 if signed else RAMP + 61440
    if not signed:
        pixels = (RAMP.astype(int) + 63488).clip(max=65535).astype(np.uint16)
    image = only(data_set(pixels, BitsStored=16, HighBit=15, VOILUTSequence=table)).image
    assert image[0, 0] == 0
    np.testing.assert_allclose(image.ravel()[:500], np.linspace(0, 255, 1200)[:500], atol=2)


@pytest.mark.parametrize(
    ('kind', 'padded', 'vr', 'value'),
    [
        (np.uint16, 65535, 'SS', -1),
        (np.uint16, 65535, 'US', 65535),
        (np.uint16, 65535, 'DS', '-1'),
        (np.int16, -2000, 'US', 63536),
        (np.int16, -2000, 'SS', -2000),
    ],
)
def test_padding_may_be_written_with_the_other_sign(only, kind, padded, vr, value):
    pixels = RAMP.astype(kind)
    pixels[:, :8] = padded
    dataset = data_set(pixels, BitsStored=16, HighBit=15)
    (tags := Dataset()).add_new('PixelPaddingValue', vr, value)
    dataset.update(tags)
    image = only(dataset).image
    assert not image[:, :8].any()
    np.testing.assert_allclose(image[:, 8:], (RAMP / 4095 * 255)[:, 8:], atol=3)


def test_padding_outside_of_the_bits_stored_is_no_white(only):
    pixels = RAMP.copy()
    pixels[:, :8] = 65535
    dataset = data_set(pixels)
    dataset.add_new('PixelPaddingValue', 'US', 65535)
    image = only(dataset).image
    assert not image[:, :8].any() and image[-1, -1] == 255


def test_padding_that_would_leave_nothing_is_none(only):
    dataset = data_set()
    dataset.add_new('PixelPaddingValue', 'US', 0)
    dataset.add_new('PixelPaddingRangeLimit', 'US', 4095)
    frame = only(dataset)
    assert_ramp(frame.image)
    assert 'PixelPaddingValue' in frame.warnings[0]


@pytest.mark.parametrize(
    'tags', [{}, {'RescaleSlope': 1, 'RescaleIntercept': 0}, {'RescaleSlope': 2, 'RescaleIntercept': -5}]
)
def test_8_bits_stay_as_they_are_whatever_their_unit(only, tags):
    pixels = np.random.default_rng(2).integers(50, 90, (30, 40), dtype=np.uint8)
    np.testing.assert_array_equal(only(data_set(pixels, **tags)).image, pixels)


def test_inverse_presentation(only):
    assert_ramp(only(data_set(PresentationLUTShape='INVERSE')).image, 255, 0)
    assert_ramp(only(data_set(PresentationLUTShape='IDENTITY')).image)


@pytest.mark.parametrize(
    ('kind', 'keyword', 'vr'), [('<f4', 'FloatPixelData', 'OF'), ('<f8', 'DoubleFloatPixelData', 'OD')]
)
def test_floats(only, kind, keyword, vr):
    dataset = data_set(PixelData=None, BitsStored=None, HighBit=None, PixelRepresentation=None)
    values = RAMP.astype(kind) / 1000
    values[0, 0] = np.nan
    dataset.add_new(keyword, vr, values.tobytes())
    frame = only(dataset)
    assert_ramp(frame.image)
    assert not frame.warnings


def palette(bits, values, count=256):
    tags = {}
    for colour, order in [('Red', 1), ('Green', -1), ('Blue', 1)]:
        tags[f'{colour}PaletteColorLookupTableDescriptor'] = [count, 0, bits]
        tags[f'{colour}PaletteColorLookupTableData'] = values[::order].tobytes()
    return tags


@pytest.mark.parametrize(
    ('bits', 'values'),
    [
        (8, np.arange(256, dtype='u1')),
        (8, np.arange(256, dtype='<u2')),
        (16, np.arange(256, dtype='u1')),
        (16, np.arange(256, dtype='<u2')),
        (16, np.arange(256, dtype='<u2') * 257),
        (8, np.arange(256, dtype='<u2') * 257),
    ],
)
def test_palettes_of_any_depth(only, bits, values):
    pixels = (np.arange(1200).reshape(30, 40) % 256).astype(np.uint8)
    frame = only(data_set(pixels, PhotometricInterpretation='PALETTE COLOR', **palette(bits, values)))
    np.testing.assert_array_equal(frame.image[..., 0], pixels)
    np.testing.assert_array_equal(frame.image[..., 1], 255 - pixels)


def test_a_palette_that_is_missing_is_named(only):
    frame = only(data_set(PhotometricInterpretation='PALETTE COLOR'))
    assert_ramp(frame.image)
    assert 'palette' in frame.warnings[0]
