"""Clinical measurements as data: what each is, which landmarks it needs, and who described it.

What is usual belongs to an analysis and not to a measurement: see :mod:`cephalometric.measurements.analyses`. The
measurements that come with the package stand in ``measurements.json``. They are for research, not for diagnosis.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.formulas import parse_formula
from cephalometric.measurements.primitives import Formula

UNITS = {'deg': 'angle', 'mm': 'length', '%': 'number', 'ratio': 'number'}
PLAIN_WORDS = ('below the norm', 'normal', 'above the norm')
_TEXTS = ('name', 'title', 'unit', 'sign', 'definition', 'source')
_IN_ANALYSES = ('norm', 'norms', 'classes', 'classes_source', 'analyses')


@dataclass(frozen=True)
class Measurement:
    """One clinical measurement.

    Attributes:
        name: What columns and files call it, unique.
        title: What people call it.
        unit: 'deg', 'mm', '%' or 'ratio'; only 'mm' needs a spacing.
        formula: How it follows from landmarks.
        sign: In words, what a larger value means.
        definition: Sentences, with what was decided where authors differ, and where a landmark stands for another one.
        source: Where the definition was published.
        words: What a value below, at and above the norm means, such as 'Class III', 'Class I', 'Class II'.
    """

    name: str
    title: str
    unit: str
    formula: Formula
    sign: str
    definition: str
    source: str
    words: tuple[str, str, str] = PLAIN_WORDS

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The abbreviations of the landmarks it needs, each once."""
        return tuple(dict.fromkeys(self.formula.landmarks()))

    def missing_landmarks(self, landmark_set: LandmarkSet) -> tuple[str, ...]:
        """Those of its landmarks that a set does not have."""
        return tuple(name for name in self.landmarks if name not in landmark_set.abbreviations)


def available(landmark_set: LandmarkSet, measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """The measurements whose landmarks a set has, in their order."""
    return tuple(measurement for measurement in measurements if not measurement.missing_landmarks(landmark_set))


def parse_measurement(entry: object, earlier: Mapping[str, Measurement]) -> Measurement:
    """Read a measurement.

    Args:
        entry: What stands in the JSON table; what belongs to analyses is left to them.
        earlier: Those that its formula may name.

    Raises:
        ValueError: It is not a measurement; the message says why.
    """
    _check_keys(entry)
    formula = parse_formula(entry['formula'], {known: other.formula for known, other in earlier.items()})
    if formula.dimension != UNITS.get(entry['unit']):
        fitting = [unit for unit, dimension in UNITS.items() if dimension == formula.dimension]
        raise ValueError(f'"unit" is {entry["unit"]!r}, but the formula fits {" or ".join(fitting) or "none"}')
    words = entry.get('words', list(PLAIN_WORDS))
    if not isinstance(words, list) or len(words) != 3 or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f'"words" are three texts, for values below, at and above the norm, not {words!r}')
    return Measurement(**{key: entry[key] for key in _TEXTS}, formula=formula, words=tuple(words))


def _check_keys(entry: object) -> None:
    if not isinstance(entry, dict):
        raise ValueError('an entry is a JSON object')
    missing = [key for key in (*_TEXTS, 'formula') if key not in entry]
    if missing:
        raise ValueError(f'"{missing[0]}" is missing')
    known = (*_TEXTS, 'formula', 'words', *_IN_ANALYSES)
    if unknown := sorted(entry.keys() - set(known)):
        raise ValueError(f'{unknown[0]!r} is not known: use {", ".join(known)}')
    for key in _TEXTS:
        if not isinstance(entry[key], str) or not entry[key]:
            raise ValueError(f'"{key}" must be a text, not {entry[key]!r}')
