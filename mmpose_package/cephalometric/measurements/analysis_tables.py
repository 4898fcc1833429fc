"""The tables of measurements and analyses: those of the package, and a laboratory's own beside them.

The analyses that come with the package stand in ``analyses/*.json``, one file each. A laboratory's file has any of

- ``"measurements"``: new measurements, or others in the place of those of the same name; ``"analyses"`` in one names
  those that it joins, with ``"norms"`` (or a single ``"norm"``), ``"classes"`` and ``"classes_source"``;
- ``"analyses"``: analyses of the same form as those of the package;
- ``"norms"``: norms of one's own for measurements of the package, with ``"measurement"`` and, if they are for one
  analysis alone, ``"analysis"``. They take the place of the author's norms and classes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements.analyses import Analysis, AnalysisEntry, Group
from cephalometric.measurements.entries import Measurement, available, parse_measurement
from cephalometric.measurements.norms import POPULATION_KEYS, norm_names, parse_classes, parse_norm

BUILT_IN = Path(__file__).with_name('measurements.json')
ANALYSES = Path(__file__).with_name('analyses')
_PARTS = ('measurements', 'analyses', 'norms')
_Measurements = Mapping[str, Measurement]


def load_measurements(path: str | Path | None = None) -> tuple[Measurement, ...]:
    """Load the measurements of the package, and a laboratory's own.

    Args:
        path: A JSON table. A measurement with the name of an earlier one takes its place.

    Raises:
        InputError: The file cannot be read, or an entry is not a measurement.
    """
    return _load(path)[0]


def load_analyses(path: str | Path | None = None) -> Mapping[str, Analysis]:
    """Load the analyses of the package by name, and a laboratory's own.

    Args:
        path: A JSON table, perhaps with analyses, which take the place of those of the same name, and with norms,
            which take the place of those of a measurement and of the classes that belonged to them.

    Raises:
        InputError: The file cannot be read, or an entry is wrong.
    """
    return _load(path)[1]


def measurements_for(
    landmark_set: LandmarkSet, measurements: Iterable[Measurement] | None = None
) -> tuple[Measurement, ...]:
    """The measurements whose landmarks a set has, in the table's order; of the package's own by default."""
    return available(landmark_set, load_measurements() if measurements is None else measurements)


def analyses_for(landmark_set: LandmarkSet, analyses: Mapping[str, Analysis] | None = None) -> dict[str, Analysis]:
    """What of each analysis a landmark set can measure, without those of which nothing is left, by name."""
    chosen = load_analyses() if analyses is None else analyses
    parts = {name: analysis.available(landmark_set) for name, analysis in chosen.items()}
    return {name: analysis for name, analysis in parts.items() if analysis.groups}


def check_norm_name(analyses: Mapping[str, Analysis], name: str | None) -> None:
    """Refuse a name that no norm has.

    Raises:
        InputError: There is no norm of that name; the message lists those that there are.
    """
    names = norm_names(norm for analysis in analyses.values() for entry in analysis.entries for norm in entry.norms)
    if name is not None and name.casefold() not in {known.casefold() for known in names}:
        raise InputError(f'--norms {name!r}: no norm has that name; there are {", ".join(sorted(names)) or "none"}')


_Loaded = tuple[tuple[Measurement, ...], Mapping[str, Analysis]]


def _load(path: str | Path | None) -> _Loaded:
    if path is None:
        return _built_in()
    measurements, analyses = _built_in()
    return _with_table(Path(path), measurements, analyses)


@cache
def _built_in() -> _Loaded:
    measurements = _with_measurements(BUILT_IN, _list(BUILT_IN, _table(BUILT_IN), 'measurements'), {})
    tables = [(path, _table(path)) for path in sorted(ANALYSES.glob('*.json'))]
    tables.sort(key=lambda table: table[1].pop('order'))
    analyses: dict[str, Analysis] = {}
    for path, table in tables:
        analysis = _analysis(path, table, measurements)
        analyses[analysis.name] = analysis
    return tuple(measurements.values()), MappingProxyType(analyses)


def _with_table(path: Path, before: Sequence[Measurement], built_in: Mapping[str, Analysis]) -> _Loaded:
    """The measurements and analyses with those of a laboratory's table."""
    table = _table(path)
    if not table.keys() & set(_PARTS) or table.keys() - set(_PARTS):
        raise InputError(f'{path}: a table of measurements is a JSON object with some of the lists {", ".join(_PARTS)}')
    entries = _list(path, table, 'measurements')
    measurements = _with_measurements(path, entries, {measurement.name: measurement for measurement in before})
    # The measurements of the package may have been replaced by others of their name.
    analyses = {
        name: _changed(analysis, lambda e: replace(e, measurement=measurements[e.name]))
        for name, analysis in built_in.items()
    }
    for content in _list(path, table, 'analyses'):
        analysis = _analysis(path, content, measurements)
        analyses[analysis.name] = analysis
    for content in entries:
        with _named(path, f'measurement {content["name"]!r}'):
            _join(content, measurements, analyses)
    _override(path, _list(path, table, 'norms'), measurements, analyses)
    return tuple(measurements.values()), MappingProxyType(analyses)


def _with_measurements(path: Path, entries: Sequence, before: _Measurements) -> dict[str, Measurement]:
    measurements, own = dict(before), set()
    for entry in entries:
        with _named(path, f'measurement {entry.get("name") if isinstance(entry, dict) else entry!r}'):
            measurement = parse_measurement(entry, measurements)
        if measurement.name in own:
            raise InputError(f'{path}: the measurement {measurement.name!r} is there twice: rename one')
        own.add(measurement.name)
        measurements[measurement.name] = measurement
    return measurements


def _analysis(path: Path, content: object, measurements: _Measurements) -> Analysis:
    name = content.get('name') if isinstance(content, dict) else content
    with _named(path, f'analysis {name!r}'):
        _check_keys(content, ('name', 'title', 'source', 'groups'), ('note', 'populations'))
        if not all(isinstance(content.get(key, ''), str) for key in ('name', 'title', 'source', 'note')):
            raise ValueError('its name, title, source and note are texts')
        populations = _populations(content.get('populations', {}))
        groups = []
        for group in _a_list(content['groups'], 'groups'):
            _check_keys(group, ('title', 'entries'))
            if not isinstance(group['title'], str):
                raise ValueError(f'a title is a text, not {group["title"]!r}')
            entries = _a_list(group['entries'], 'entries')
            groups.append(Group(group['title'], tuple(_entry(e, measurements, populations) for e in entries)))
        analysis = Analysis(
            content['name'], content['title'], content['source'], content.get('note', ''), tuple(groups)
        )
        names = [entry.name for entry in analysis.entries]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f'the measurement {twice[0]!r} is there twice')
    return analysis


def _entry(content: object, measurements: _Measurements, populations: Mapping[str, Mapping]) -> AnalysisEntry:
    if isinstance(content, str):
        content = {'measurement': content}
    _check_keys(content, ('measurement',), ('norms', 'classes', 'classes_source'))
    name = content['measurement']
    if not isinstance(name, str) or name not in measurements:
        raise ValueError(f'there is no measurement {name!r}')
    with _within(f'{name}: '):
        return _with_norms(
            measurements[name], content, _a_list(content.get('norms', []), 'norms'), measurements, populations
        )


def _with_norms(
    measurement: Measurement,
    content: Mapping,
    norms: Sequence,
    measurements: _Measurements,
    populations: Mapping[str, Mapping],
) -> AnalysisEntry:
    if ('classes' in content) != ('classes_source' in content):
        raise ValueError('"classes" and "classes_source" belong together')
    if not isinstance(content.get('classes_source', ''), str):
        raise ValueError(f'"classes_source" is a text, not {content["classes_source"]!r}')
    known = {name: other.formula for name, other in measurements.items()}
    parsed = tuple(parse_norm(norm, populations, known) for norm in norms)
    for norm in parsed:
        if norm.formula is not None and norm.formula.dimension not in (measurement.formula.dimension, 'any'):
            raise ValueError(f'the "mean" of the norm {norm.name!r} is a formula of another unit')
    classes = parse_classes(content.get('classes', []))
    return AnalysisEntry(measurement, parsed, classes, content.get('classes_source', ''))


def _join(content: Mapping, measurements: _Measurements, analyses: dict[str, Analysis]) -> None:
    """Put a measurement that a laboratory describes into the analyses that it names, or where its name stands."""
    norms = [content['norm']] if 'norm' in content else _a_list(content.get('norms', []), 'norms')
    if not {'norm', 'norms', 'classes', 'analyses'} & content.keys():
        return
    entry = _with_norms(measurements[content['name']], content, norms, measurements, {})
    names = _a_list(content.get('analyses', []), 'analyses')
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(f'"analyses" must hold names, not {names!r}')
    for name, analysis in analyses.items():
        analyses[name] = _changed(analysis, lambda e: entry if e.name == entry.name else e)
    for name in names or ([] if any(_has(analysis, entry.name) for analysis in analyses.values()) else ['own']):
        analysis = analyses.get(name, Analysis(name, name, 'own', '', ()))
        if not _has(analysis, entry.name):
            analyses[name] = replace(analysis, groups=_with_own(analysis.groups, entry))


def _with_own(groups: tuple[Group, ...], entry: AnalysisEntry) -> tuple[Group, ...]:
    if groups and groups[-1].title == 'own':
        return (*groups[:-1], Group('own', (*groups[-1].entries, entry)))
    return (*groups, Group('own', (entry,)))


def _override(path: Path, contents: Sequence, measurements: _Measurements, analyses: dict[str, Analysis]) -> None:
    """Put a laboratory's norms in the place of the authors'."""
    targets: dict[tuple[str, str | None], list[Mapping]] = {}
    for content in contents:
        name = content.get('measurement') if isinstance(content, dict) else None
        if not isinstance(name, str) or name not in measurements:
            raise InputError(f'{path}: a norm names its "measurement", one that there is: {content!r}')
        analysis = content.get('analysis')
        if analysis is not None and (not isinstance(analysis, str) or analysis not in analyses):
            raise InputError(f'{path}: norm of {name!r}: there is no analysis {analysis!r}')
        targets.setdefault((name, analysis), []).append(content)
    for (name, analysis), group in targets.items():
        chosen = [analysis] if analysis is not None else list(analyses)
        if not any(_has(analyses[one], name) for one in chosen):
            raise InputError(f'{path}: norm of {name!r}: {analysis or "no analysis"} has no such measurement')
        with _named(path, f'norm of {name!r}'):
            outer = ('measurement', 'analysis', 'classes', 'classes_source')
            norms = [{key: value for key, value in content.items() if key not in outer} for content in group]
            entry = _with_norms(measurements[name], group[-1], norms, measurements, {})
        for one in chosen:
            analyses[one] = _changed(analyses[one], lambda e, entry=entry: entry if e.name == entry.name else e)


def _changed(analysis: Analysis, change) -> Analysis:
    groups = tuple(Group(group.title, tuple(map(change, group.entries))) for group in analysis.groups)
    return replace(analysis, groups=groups)


def _has(analysis: Analysis, measurement: str) -> bool:
    return any(entry.name == measurement for entry in analysis.entries)


def _populations(content: object) -> dict[str, Mapping]:
    if not isinstance(content, dict):
        raise ValueError(f'"populations" are a JSON object, each by its name, not {content!r}')
    for population in content.values():
        _check_keys(population, (), POPULATION_KEYS)
    return {name: {'name': name, **population} for name, population in content.items()}


def _table(path: Path) -> dict:
    table = read_json(path)
    if not isinstance(table, dict):
        raise InputError(f'{path}: a table of measurements is a JSON object with a list "measurements"')
    return table


def _list(path: Path, table: Mapping, key: str) -> list:
    with _named(path, 'the table'):
        return _a_list(table.get(key, []), key)


def _a_list(content: object, key: str) -> list:
    if not isinstance(content, list):
        raise ValueError(f'"{key}" must be a list, not {content!r}')
    return content


def _check_keys(content: object, needed: Sequence[str], optional: Sequence[str] = ()) -> None:
    if not isinstance(content, dict):
        raise ValueError(f'{content!r} is no JSON object')
    if missing := [key for key in needed if key not in content]:
        raise ValueError(f'"{missing[0]}" is missing')
    if unknown := sorted(content.keys() - {*needed, *optional}):
        raise ValueError(f'{unknown[0]!r} is not known: use {", ".join((*needed, *optional))}')


@contextmanager
def _named(path: Path, what: str) -> Iterator[None]:
    """Say where in a file a value is wrong."""
    try:
        yield
    except ValueError as error:
        raise InputError(f'{path}: {what}: {error}') from None


@contextmanager
def _within(what: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f'{what}{error}') from None
