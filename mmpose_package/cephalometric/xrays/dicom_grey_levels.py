"""The grey levels of a DICOM frame: from the values as stored to those that are shown (DICOM PS3.4, N.2).

Modality, then values of interest, then presentation. What these say in a way that cannot be used is left out, and
named.
"""

from dataclasses import dataclass

import numpy as np

from cephalometric.xrays.dicom_header import Header
from cephalometric.xrays.dicom_layout import PALETTE, Layout
from cephalometric.xrays.frames import robust_range, to_uint8

PALETTES = [f'{colour}PaletteColorLookupTable' for colour in ('Red', 'Green', 'Blue')]
ATTRIBUTES = [
    *('PixelPaddingValue', 'PixelPaddingRangeLimit', 'PresentationLUTShape'),
    *('RescaleSlope', 'RescaleIntercept', 'ModalityLUTSequence'),
    *('WindowCenter', 'WindowWidth', 'VOILUTFunction', 'VOILUTSequence'),
    *(f'{palette}{part}' for palette in PALETTES for part in ('Descriptor', 'Data')),
]
LEAST_SHOWN = 0.01
SPREAD = 'the grey levels are spread over their range instead'
AS_STORED = 'the values are taken as they are stored'
KEPT = 'padding is shown as it is stored'


@dataclass(frozen=True)
class Table:
    """A lookup table.

    Attributes:
        entries: What values become, uint16.
        first: The value that becomes the first of them. Lower ones become the first, higher ones the last.
        bits: The depth of the entries that the file declares.
    """

    entries: np.ndarray
    first: int
    bits: int

    @property
    def as_declared(self) -> bool:
        """Whether the entries use the depth that is declared, and no more."""
        return 2 ** (self.bits - 1) <= self.entries.max() < 2**self.bits

    def look_up(self, values: np.ndarray) -> np.ndarray:
        """What these values become."""
        last = len(self.entries) - 1
        if values.dtype.kind == 'f':
            values = np.rint(np.nan_to_num(values, nan=self.first, posinf=2**31, neginf=-(2**31)))
        return self.entries[np.clip(values.astype(np.float64) - self.first, 0, last).astype(np.int32)]


def stored_values(raw: np.ndarray, layout: Layout) -> np.ndarray:
    """The bits that are grey levels, as numbers; the others may be overlays."""
    if raw.dtype.kind == 'f' or layout.bits_allocated == 1:
        return raw
    raw = raw.astype(raw.dtype.newbyteorder('='), copy=False)
    values = raw.view(f'u{raw.itemsize}') >> (layout.high_bit + 1 - layout.bits_stored)
    if layout.bits_stored < 8 * raw.itemsize:
        values &= 2**layout.bits_stored - 1
    if not layout.signed:
        return values
    sign = 2 ** (layout.bits_stored - 1)
    return ((values ^ sign) - sign).view(f'i{raw.itemsize}')


def show(raw: np.ndarray, layout: Layout, header: Header) -> np.ndarray:
    """A frame as it is to be shown.

    Without a usable window or table of the values of interest, 8 bits stay as they are, and more are mapped from
    between their 0.1 and 99.9 percentiles.

    Args:
        raw: Its values, shape (H, W) or (H, W, 3).
        layout: What their bits mean.
        header: Of the frame. It gets a remark for each attribute that cannot be used.

    Returns:
        uint8, shape (H, W), or (H, W, 3) in RGB order.
    """
    values = stored_values(raw, layout)
    if values.ndim == 3:
        return to_uint8(values, 0, 2**layout.bits_stored - 1)
    if layout.photometric == PALETTE:
        if (coloured := _coloured(values, header)) is not None:
            return coloured
        header.remarks.append('its palette cannot be used: its numbers are shown as grey levels')
    padding = _padding(raw, values, layout, header)
    image = _of_interest(*_modality(values, layout, header), padding, header)
    # MONOCHROME1 files say INVERSE as well, which is the same and not to be applied on top.
    if layout.photometric == 'MONOCHROME1' or header.code('PresentationLUTShape') == 'INVERSE':
        image = 255 - image
    image[padding] = 0
    return image


def _padding(raw: np.ndarray, values: np.ndarray, layout: Layout, header: Header) -> np.ndarray:
    """Where a pixel was never exposed, bool. The values are those before the modality's rescaling."""
    nowhere = np.zeros(values.shape, bool)
    value = header.number('PixelPaddingValue', KEPT, -(2**31), 2**32 - 1)
    if value is None:
        return nowhere
    limit = header.number('PixelPaddingRangeLimit', 'padding is PixelPaddingValue alone', -(2**31), 2**32 - 1)
    ends = [_as_stored(end, layout) for end in (value, value if limit is None else limit)]
    stored_in_full = layout.bits_stored < layout.bits_allocated and min(ends) >= 2**layout.bits_stored
    pixels = raw.view(f'u{raw.itemsize}') if stored_in_full and raw.dtype.kind in 'iu' else values
    padding = (pixels >= min(ends)) & (pixels <= max(ends))
    if padding.mean() > 1 - LEAST_SHOWN:
        header.remark('PixelPaddingValue', 'next to nothing of the image would be left')
        return nowhere
    return padding


def _as_stored(value: float, layout: Layout) -> float:
    """A padding value in the range of the pixels: of another sign, the same bits are meant."""
    if layout.signed:
        return value - 2**layout.bits_allocated if value >= 2 ** (layout.bits_allocated - 1) else value
    return value if value >= 0 else value % 2**layout.bits_stored


def _modality(values: np.ndarray, layout: Layout, header: Header) -> tuple[np.ndarray, tuple[float, float] | None]:
    """The values in the unit of the modality, and what is black and white in them if 8 bits are to stay as they are."""
    shallow = layout.bits_stored <= 8 and not layout.signed and values.dtype.kind != 'f'
    whole = (0.0, 2.0**layout.bits_stored - 1) if shallow else None
    if (table := _table(header, 'ModalityLUTSequence', AS_STORED, values)) is not None:
        shown, shallow = table.look_up(values), table.bits <= 8 and table.as_declared
        if _distinct(shown) or not _distinct(values):
            return shown, (0.0, 2.0**table.bits - 1) if shallow else None
        header.remarks.append(f'its ModalityLUTSequence shows nothing of the image and is not used: {AS_STORED}')
    slope, intercept = (header.number(keyword, AS_STORED) for keyword in ('RescaleSlope', 'RescaleIntercept'))
    if slope == 0:
        header.remark('RescaleSlope', AS_STORED)
    if not slope or intercept is None or (slope, intercept) == (1, 0):
        _remark_half(header, 'RescaleSlope', 'RescaleIntercept', AS_STORED)
        return values, whole
    rescaled = values.astype(float) * slope + intercept
    if not np.isfinite(rescaled).any() or (_distinct(values) and not _distinct(rescaled)):
        header.remark('RescaleSlope', AS_STORED)
        return values, whole
    return rescaled, whole and tuple(sorted(end * slope + intercept for end in whole))


def _remark_half(header: Header, one: str, other: str, otherwise: str) -> None:
    """Name two attributes of which only one is there."""
    missing = [keyword for keyword in (one, other) if header.value(keyword) is None]
    if len(missing) == 1:
        header.remarks.append(f'{missing[0]} is missing beside its {other if missing[0] == one else one}: {otherwise}')


def _distinct(values: np.ndarray) -> bool:
    """Whether there is more than one grey level."""
    finite = values[np.isfinite(values)]
    return bool(finite.size) and finite.min() < finite.max()


def _of_interest(
    values: np.ndarray, whole: tuple[float, float] | None, padding: np.ndarray, header: Header
) -> np.ndarray:
    """The values as uint8, by the table or the first window of the file."""
    exposed = values[~padding]
    if (table := _table(header, 'VOILUTSequence', SPREAD, values)) is not None:
        shown = table.look_up(values)
        if _distinct(shown[~padding]) or not _distinct(exposed):
            ends = (0, 2**table.bits - 1) if table.as_declared else robust_range(shown[~padding])
            return to_uint8(shown, *ends)
        header.remarks.append(f'its VOILUTSequence shows nothing of the image and is not used: {SPREAD}')
    if window := _window(header):
        centre, width, function = window
        low, high = centre - width / 2, centre + width / 2
        if np.mean((exposed > low) & (exposed < high)) >= LEAST_SHOWN:
            if function == 'SIGMOID':
                steps = np.clip(-4 * (values.astype(float) - centre) / width, -700, 700)
                return to_uint8(1 / (1 + np.exp(steps)), 0, 1)
            return to_uint8(values, low, high)
        header.remarks.append(f'its window from {low:g} to {high:g} shows next to nothing of the image and is not used')
    return to_uint8(values, *(whole or robust_range(exposed)))


def _window(header: Header) -> tuple[float, float, str] | None:
    """Centre and width of the values between black and white, and its function (PS3.3, C.11.2.1.2 and C.11.2.1.3)."""
    centre, width = (header.number(keyword, SPREAD) for keyword in ('WindowCenter', 'WindowWidth'))
    if centre is None or width is None:
        _remark_half(header, 'WindowCenter', 'WindowWidth', SPREAD)
        return None
    function = header.code('VOILUTFunction') or 'LINEAR'
    if function not in ('LINEAR', 'LINEAR_EXACT', 'SIGMOID'):
        header.remarks.append('VOILUTFunction cannot be used: LINEAR is taken')
        function = 'LINEAR'
    if width <= (function == 'LINEAR'):
        header.remark('WindowWidth', SPREAD)
        return None
    return (centre - 0.5, width - 1, function) if function == 'LINEAR' else (centre, width, function)


def _coloured(values: np.ndarray, header: Header) -> np.ndarray | None:
    """The colours of a palette; None if it cannot be used."""
    tables = [_one_table(header, f'{name}Descriptor', f'{name}Data', values) for name in PALETTES]
    if None in tables:
        return None
    # Some declare 16 bits and hold 8.
    highest = max(table.entries.max() for table in tables)
    white = 255 if highest <= 255 else 65535
    return to_uint8(np.stack([table.look_up(values) for table in tables], axis=-1), 0, white)


def _table(header: Header, sequence: str, otherwise: str, values: np.ndarray) -> Table | None:
    """The first table of a sequence; None if there is none, or with a remark if it cannot be used."""
    items = header.items(sequence)
    if not items:
        if header.value(sequence) is not None:
            header.remark(sequence, otherwise)
        return None
    if all(items[0].value(keyword) is None for keyword in ('LUTDescriptor', 'LUTData')):
        return None
    table = _one_table(items[0], 'LUTDescriptor', 'LUTData', values)
    if table is None:
        header.remarks.append(f'the table of its {sequence} cannot be used: {otherwise}')
    return table


def _one_table(header: Header, descriptor: str, data: str, values: np.ndarray) -> Table | None:
    """A table for these values; None if it cannot be used."""
    numbers = header.numbers(descriptor)
    if len(numbers) != 3 or None in numbers:
        return None
    count, first, bits = (int(number) for number in numbers)
    count = count % 2**16 or 2**16
    entries = _entries(header, data, count, bits)
    if entries is None or not len(entries):
        return None
    if len(entries) < count:
        header.remarks.append(f'{data} holds {len(entries)} of the {count} entries that {descriptor} says')
    entries = entries[:count]
    # The same bits may be meant with the other sign: the table is for the values that there are.
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    meant = (first, first % 2**16, (first + 2**15) % 2**16 - 2**15)
    first = max(meant, key=lambda begin: min(high, begin + len(entries) - 1) - max(low, begin))
    return Table(entries, first, max(1, min(bits, 16)))


def _entries(header: Header, keyword: str, count: int, bits: int) -> np.ndarray | None:
    """Of a table with so many entries; they may be bytes or 16-bit words, and two bytes may share a word."""
    value = header.value(keyword)
    if not isinstance(value, bytes):
        numbers = header.numbers(keyword)
        if None in numbers:
            return None
        words = np.array(numbers, np.int64).astype(np.uint16)
        if len(words) >= count or bits > 8:
            return words
        value = words.astype('<u2' if header.little_endian else '>u2').tobytes()
    if len(value) - count in (0, 1):
        return np.frombuffer(value, np.uint8).astype(np.uint16)
    words = np.frombuffer(value[: len(value) // 2 * 2], '<u2' if header.little_endian else '>u2')
    return words.astype(np.uint16)
