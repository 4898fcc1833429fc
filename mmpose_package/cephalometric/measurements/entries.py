"""Clinical measurements as data: what each is, which landmarks it needs, what is usual, and who said so.

The table is JSON. The measurements that come with the package stand in ``measurements.json``; a laboratory adds its own
in a file of the same form, one entry each, without touching code. They are for research, not for diagnosis.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.formulas import parse_formula
from cephalometric.measurements.primitives import Formula

BUILT_IN = Path(__file__).with_name('measurements.json')
UNITS = {'deg': 'angle', 'mm': 'length', '%': 'number', 'ratio': 'number'}
_TEXTS = ('name', 'title', 'unit', 'sign', 'definition', 'source')
_OPTIONAL = ('norm', 'classes', 'classes_source', 'analyses')


@dataclass(frozen=True)
class Norm:
    """What is usual.

    Attributes:
        mean: In the unit of the measurement.
        sd: The standard deviation; None where the author gives none.
        source: Who says so, of whom.
    """

    mean: float
    sd: float | None
    source: str

    def deviation_sd(self, value: float) -> float | None:
        """How many standard deviations a value lies above the mean; None without a standard deviation."""
        return None if self.sd is None else (value - self.mean) / self.sd


@dataclass(frozen=True)
class MeasurementClass:
    """A named range of values: those below one border, or above another, or with neither all that remain."""

    name: str
    below: float | None = None
    above: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return (self.below is None or value < self.below) and (self.above is None or value > self.above)


@dataclass(frozen=True)
class Measurement:
    """One clinical measurement.

    Attributes:
        name: What columns and files call it, unique.
        title: What people call it.
        unit: 'deg', 'mm', '%' or 'ratio'; only 'mm' needs a spacing.
        formula: How it follows from landmarks.
        sign: In words, what a larger value means.
        definition: A sentence, with what was decided where authors differ.
        source: Where the definition was published.
        norm: What is usual, where an author says so.
        classes: Named ranges; the first that holds is the class. Empty where nobody named any.
        classes_source: Who named them; empty without classes.
        analyses: The groups it is part of, such as 'steiner'.
    """

    name: str
    title: str
    unit: str
    formula: Formula
    sign: str
    definition: str
    source: str
    norm: Norm | None
    classes: tuple[MeasurementClass, ...]
    classes_source: str
    analyses: tuple[str, ...]

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The abbreviations of the landmarks it needs, each once."""
        return tuple(dict.fromkeys(self.formula.landmarks()))

    def missing_landmarks(self, landmark_set: LandmarkSet) -> tuple[str, ...]:
        """Those of its landmarks that a set does not have."""
        return tuple(name for name in self.landmarks if name not in landmark_set.abbreviations)


def load_measurements(path: str | Path | None = None) -> tuple[Measurement, ...]:
    """Load the measurements of the package, and a laboratory's own.

    Args:
        path: A JSON table with more entries. One with the name of an earlier entry takes its place, so that a
            laboratory can use its own norms.

    Raises:
        InputError: The file cannot be read, or an entry is not a measurement.
    """
    measurements: dict[str, Measurement] = {}
    for table in [BUILT_IN] if path is None else [BUILT_IN, Path(path)]:
        own: set[str] = set()
        for entry in _read(table):
            measurement = _parse(table, entry, measurements)
            if measurement.name in own:
                raise InputError(f'{table}: the measurement {measurement.name!r} is there twice: rename one')
            own.add(measurement.name)
            measurements[measurement.name] = measurement
    return tuple(measurements.values())


def measurements_for(
    landmark_set: LandmarkSet, measurements: Iterable[Measurement] | None = None
) -> tuple[Measurement, ...]:
    """The measurements whose landmarks a set has, in the table's order; of the package's own by default."""
    chosen = load_measurements() if measurements is None else measurements
    return tuple(measurement for measurement in chosen if not measurement.missing_landmarks(landmark_set))


def analyses_of(measurements: Iterable[Measurement]) -> dict[str, tuple[Measurement, ...]]:
    """The measurements of each analysis, such as 'steiner', by its name."""
    groups: dict[str, tuple[Measurement, ...]] = {}
    for measurement in measurements:
        for analysis in measurement.analyses:
            groups[analysis] = (*groups.get(analysis, ()), measurement)
    return groups


def _read(path: Path) -> list:
    try:
        table = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the path of a JSON table') from None
    except (ValueError, RecursionError) as error:
        raise InputError(f'{path}: invalid JSON: {error}') from None
    if not isinstance(table, dict) or not isinstance(table.get('measurements'), list):
        raise InputError(f'{path}: a table of measurements is a JSON object with a list "measurements"')
    return table['measurements']


def _parse(path: Path, entry: object, earlier: Mapping[str, Measurement]) -> Measurement:
    name = entry.get('name') if isinstance(entry, dict) else entry
    try:
        _check_keys(entry)
        formula = parse_formula(entry['formula'], {known: other.formula for known, other in earlier.items()})
        if formula.dimension != UNITS.get(entry['unit']):
            fitting = [unit for unit, dimension in UNITS.items() if dimension == formula.dimension]
            raise ValueError(f'"unit" is {entry["unit"]!r}, but the formula fits {" or ".join(fitting) or "none"}')
        return Measurement(
            **{key: entry[key] for key in _TEXTS},
            formula=formula,
            norm=_norm(entry.get('norm')),
            classes=tuple(_class(content) for content in _list(entry, 'classes')),
            classes_source=entry.get('classes_source', ''),
            analyses=tuple(_list(entry, 'analyses')),
        )
    except ValueError as error:
        raise InputError(f'{path}: measurement {name!r}: {error}') from None


def _check_keys(entry: object) -> None:
    if not isinstance(entry, dict):
        raise ValueError('an entry is a JSON object')
    missing = [key for key in (*_TEXTS, 'formula') if key not in entry]
    if missing:
        raise ValueError(f'"{missing[0]}" is missing')
    unknown = sorted(entry.keys() - {*_TEXTS, *_OPTIONAL, 'formula'})
    if unknown:
        raise ValueError(f'{unknown[0]!r} is not known: use {", ".join((*_TEXTS, "formula", *_OPTIONAL))}')
    if ('classes' in entry) != ('classes_source' in entry):
        raise ValueError('"classes" and "classes_source" belong together')
    for key in [key for key in (*_TEXTS, 'classes_source') if key in entry]:
        if not isinstance(entry[key], str) or not entry[key]:
            raise ValueError(f'"{key}" must be a text, not {entry[key]!r}')


def _list(entry: dict, key: str) -> list:
    content = entry.get(key, [])
    if not isinstance(content, list):
        raise ValueError(f'"{key}" must be a list, not {content!r}')
    if key == 'analyses' and not all(isinstance(item, str) for item in content):
        raise ValueError(f'"analyses" must hold names, not {content!r}')
    return content


def _norm(content: object) -> Norm | None:
    if content is None:
        return None
    if (
        not isinstance(content, dict)
        or content.keys() != {'mean', 'sd', 'source'}
        or not _is_number(content['mean'])
        or not (content['sd'] is None or (_is_number(content['sd']) and content['sd'] > 0))
        or not isinstance(content['source'], str)
    ):
        raise ValueError(f'"norm" needs a number "mean", a positive number or null "sd", and a "source": {content!r}')
    return Norm(float(content['mean']), None if content['sd'] is None else float(content['sd']), content['source'])


def _class(content: object) -> MeasurementClass:
    if (
        not isinstance(content, dict)
        or not isinstance(content.get('name'), str)
        or content.keys() - {'name', 'below', 'above'}
        or not all(_is_number(content[key]) for key in content.keys() - {'name'})
    ):
        raise ValueError(f'a class has a "name" and, as numbers, "below" or "above" or neither: {content!r}')
    return MeasurementClass(**content)


def _is_number(content: object) -> bool:
    return isinstance(content, int | float) and not isinstance(content, bool) and abs(content) < float('inf')
