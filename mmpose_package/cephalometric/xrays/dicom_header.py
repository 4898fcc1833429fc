"""What a DICOM header says about its image, in numbers and codes, whatever is in it.

An attribute may be absent, empty, of another type than the standard's, or nonsense. It is then as if it were absent,
and a remark names it. In a damaged file any attribute may swallow the patient's name: so no text of a file is handed
on, not even in remarks, but only numbers and the names that the standard has for them.
"""

import math
import re

from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

# Where multi-frame files keep what may differ between frames.
MACROS = ('PixelMeasuresSequence', 'PixelValueTransformationSequence', 'FrameVOILUTSequence')
GROUPS = ('PerFrameFunctionalGroupsSequence', 'SharedFunctionalGroupsSequence')
NUMBER = re.compile(r'([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?)\s*(?:mm)?', re.IGNORECASE)
POINTED = re.compile(r'[-+]?(?:\d+\.?\d*|\.\d+)')
# What may be quoted: numbers with their signs, exponents and units.
QUOTABLE = re.compile(r'(?:[-+\d.,;\\ ]|(?<=\d)e(?=[-+\d])|(?<=[\d ])[cmu]?m\b){1,40}', re.IGNORECASE)


class Header:
    """The attributes of a data set, of its frame, or of an item of a sequence.

    Attributes:
        remarks: What cannot be used, one sentence each; shared with the headers that are taken from this one.
        little_endian: How numbers in bytes are stored.
        implicit: Whether the types of attributes are not in the file.
    """

    def __init__(self, *places: Dataset, little_endian: bool = True, remarks: list[str] | None = None):
        """Read from these data sets, the first of them that has a value."""
        self._places = places
        # As it was read: pydicom itself keeps what the file says of it.
        rows = places[0].get_item('Rows') if places and 'Rows' in places[0] else None
        self.implicit = bool(getattr(rows, 'is_implicit_VR', False))
        self.little_endian = little_endian
        self.remarks: list[str] = [] if remarks is None else remarks

    def of_frame(self, index: int) -> 'Header':
        """The header of one frame: what the file says of all of it, then of this frame, then of all frames."""
        places = list(self._places)
        for sequence, number in zip(GROUPS, (index, 0), strict=True):
            groups = self._items(sequence)
            if number < len(groups):
                group = Header(groups[number])
                places += [item for macro in MACROS for item in group._items(macro)[:1]]
        return Header(*places, little_endian=self.little_endian, remarks=list(self.remarks))

    def items(self, keyword: str) -> list['Header']:
        """The items of a sequence; none if it is no sequence."""
        return [Header(item, little_endian=self.little_endian, remarks=self.remarks) for item in self._items(keyword)]

    def _items(self, keyword: str) -> list[Dataset]:
        value = self.value(keyword)
        return list(value) if isinstance(value, Sequence) else []

    def value(self, keyword: str) -> object:
        """As pydicom reads it; None if it is absent or empty, and ``...`` if it cannot be read at all."""
        for place in self._places:
            try:
                value = place[keyword].value if keyword in place else None
            except Exception:  # pydicom raises whatever odd bytes lead it to
                return ...
            if value is not None and not (isinstance(value, str | bytes | MultiValue | Sequence) and len(value) == 0):
                return value
        return None

    def code(self, keyword: str) -> str:
        """A word that the standard defines, to be compared and not to be quoted; '' without one."""
        value = self.value(keyword)
        if isinstance(value, MultiValue):
            value = value[0] if value else ''
        return value.strip(' \0').upper() if isinstance(value, str) else ''

    def numbers(self, keyword: str) -> list[float | None]:
        """All values, None for each that is no finite number; a decimal comma and "mm" are understood."""
        return _numbers(self.value(keyword))

    def number(
        self, keyword: str, otherwise: str, least: float = -math.inf, most: float = math.inf, whole: bool = False
    ) -> float | None:
        """The first value; None with a remark where it is there and is not between ``least`` and ``most``."""
        numbers = self.numbers(keyword)
        if not numbers:
            return None
        first = numbers[0]
        if first is None or not least <= first <= most or (whole and first != int(first)):
            self.remark(keyword, otherwise)
            return None
        return first

    def whole(self, keyword: str, otherwise: str, least: int, most: int) -> int | None:
        """The same for whole numbers."""
        number = self.number(keyword, otherwise, least, most, whole=True)
        return None if number is None else int(number)

    def remark(self, keyword: str, otherwise: str) -> None:
        """Name an attribute that cannot be used, and what happens instead or helps."""
        quoted = self.quoted(keyword)
        self.remarks.append(f'{keyword} {f"= {quoted}" if quoted else "(no number)"} cannot be used: {otherwise}')

    def quoted(self, keyword: str) -> str:
        """The value for a message, if it is made of numbers; else ''."""
        value = self.value(keyword)
        texts = value if isinstance(value, list | MultiValue) else [value]
        if all(isinstance(text, str | int | float) for text in texts):
            text = '\\'.join(str(text).strip(' \0') for text in texts)
            if QUOTABLE.fullmatch(text):
                return text
        return ''


def _numbers(value: object) -> list[float | None]:
    if value is None:
        return []
    if isinstance(value, bytes):
        value = value.decode('latin-1')
    if isinstance(value, str):
        return _numbers_of_text(value)
    if isinstance(value, list | MultiValue):
        return [number for item in value for number in _numbers(item) or [None]]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return [None]
    return [number if math.isfinite(number) else None]


def _numbers_of_text(text: str) -> list[float | None]:
    parts = [part.strip(' \0') for part in text.split('\\')]
    if parts == ['']:
        return []
    if len(parts) == 1 and not NUMBER.fullmatch(parts[0]):
        # Some programs write commas where the standard has backslashes.
        apart = [part.strip() for part in re.split('[,;]', parts[0])]
        if all(POINTED.fullmatch(part) for part in apart):
            parts = apart
    matches = [NUMBER.fullmatch(part) for part in parts]
    numbers = [float(match[1].replace(',', '.')) if match else None for match in matches]
    return [number if number is None or math.isfinite(number) else None for number in numbers]
