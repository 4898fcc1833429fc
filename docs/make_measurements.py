"""The measurements as a page for people: the tables of ``docs/measurements.md`` are made from the data.

``python docs/make_measurements.py`` writes the tables of the page anew, between its two marks. A laboratory can
document its own table in the same way from Python.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cephalometric.errors import InputError, run_step
from cephalometric.files import atomic_write
from cephalometric.landmarks import LandmarkSet, built_in_landmark_sets, load_landmark_set
from cephalometric.measurements import (
    Analysis,
    AnalysisEntry,
    Measurement,
    MeasurementClass,
    Norm,
    load_analyses,
    load_measurements,
    measurements_for,
)
from cephalometric.measurements.norms import CONFIDENCES

PAGE = Path(__file__).with_name('measurements.md')
BEGIN, END = '<!-- made from the data: begin -->', '<!-- made from the data: end -->'


def tables(
    measurements: Iterable[Measurement], analyses: Iterable[Analysis], landmark_sets: Iterable[LandmarkSet]
) -> str:
    """All measurements, each analysis with norms and classes, and what each landmark set cannot measure."""
    measurements, analyses = tuple(measurements), tuple(analyses)
    parts = [
        '## Analyses',
        _table(
            ('Analysis', 'Title', 'Measurements', 'Source'),
            ((f'`{a.name}`', a.title, ', '.join(m.name for m in a.measurements), a.source) for a in analyses),
        ),
    ]
    for analysis in analyses:
        parts += [f'### {analysis.title}', *([analysis.note] if analysis.note else [])]
        rows = (row for group in analysis.groups for entry in group.entries for row in _rows(group.title, entry))
        parts.append(_table(('Group', 'Name', 'Norm', 'For', 'Source', 'Checked by', 'Classes'), rows))
    parts += [
        '## How many norms were checked how',
        _table(('Checked by', 'Norms', 'Of these, in each analysis'), _checked(analyses)),
        '## All measurements',
        _table(
            ('Name', 'Title', 'Definition', 'Landmarks', 'Unit', 'Sign', 'Source'),
            (_row(measurement) for measurement in measurements),
        ),
        '## What a landmark set cannot measure',
        _table(('Landmark set', 'Measurement', 'Landmarks it lacks'), _unavailable(measurements, landmark_sets)),
    ]
    return '\n\n'.join(parts)


def with_tables(page: str, content: str) -> str:
    """A page with the part between its marks replaced.

    Raises:
        InputError: The page does not have the marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f'the page has no place for the tables: put the lines {BEGIN} and {END} into it')
    return f'{before}{BEGIN}\n\n{content}\n\n{END}{after}'


def built_in_tables() -> str:
    """The tables of the package's own measurements and landmark sets."""
    return tables(load_measurements(), load_analyses().values(), map(load_landmark_set, built_in_landmark_sets()))


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ('---',) * len(headings), *rows]
    return '\n'.join(f'| {" | ".join(cell.replace("|", chr(92) + "|") for cell in line)} |' for line in lines)


def _row(measurement: Measurement) -> tuple[str, ...]:
    return (
        f'`{measurement.name}`',
        measurement.title,
        measurement.definition,
        ', '.join(measurement.landmarks),
        measurement.unit,
        measurement.sign,
        measurement.source,
    )


def _rows(group: str, entry: AnalysisEntry) -> Iterator[tuple[str, ...]]:
    """A row for each norm of a measurement in an analysis; one without a norm has a row, too.

    Norms that differ in age alone share a row.
    """
    unit = entry.measurement.unit
    by_population: dict[str, list[Norm]] = {}
    for norm in entry.norms:
        by_population.setdefault(norm.name, []).append(norm)
    classes = f'{_classes(entry.classes, unit)} ({entry.classes_source})' if entry.classes else ''
    if not by_population:
        yield group, f'`{entry.name}`', 'none', '', '', '', classes
    for norms in by_population.values():
        said = classes or _classes(entry.classes_at(norms[0])[0] if norms[0].sd is None else (), unit)
        if not said and norms[0].sd is not None:
            low, normal, high = entry.measurement.words
            said = f'{low}, {normal}, {high}: borders at one SD'
        values = '; '.join(f'{f"{_age(norm)}: " if len(norms) > 1 else ""}{_norm(norm)}' for norm in norms)
        first = norms[0]
        remark = f' ({first.note})' if first.note else ''
        yield group, f'`{entry.name}`', f'{values}{remark}', _whom(norms), first.source, first.confidence, said


def _checked(analyses: Iterable[Analysis]) -> Iterator[tuple[str, ...]]:
    found = [(norm.confidence, a.name) for a in analyses for entry in a.entries for norm in entry.norms]
    for confidence in CONFIDENCES:
        names = Counter(name for how, name in found if how == confidence)
        if names:
            yield confidence, str(names.total()), ', '.join(f'`{name}` {count}' for name, count in names.items())


def _norm(norm: Norm) -> str:
    mean = 'individual' if norm.formula is not None else f'{norm.mean:g}' if norm.mean is not None else ''
    parts = [mean if norm.sd is None else f'{mean} ± {norm.sd:g}']
    if norm.range is not None:
        parts.append(f'{norm.range[0]:g} to {norm.range[1]:g}')
    if norm.growth is not None:
        growth = norm.growth
        parts.append(f'at {growth.at_age:g} years, {growth.per_year:+g} a year until {growth.until:g}')
    return ', '.join(part for part in parts if part)


def _age(norm: Norm) -> str:
    low, high = norm.ages
    if low == high and low is not None:
        return f'{low:g} years'
    return f'from {low:g} years' if high is None and low is not None else f'until {high:g} years'


def _whom(norms: Sequence[Norm]) -> str:
    first = norms[0]
    words = [first.name, {'both': '', 'female': 'women', 'male': 'men'}[first.sex], first.origin]
    if len(norms) == 1:
        if first.ages != (None, None):
            words.append(_age(first))
        if first.n is not None:
            words.append(f'n = {first.n}')
    return ', '.join(word for word in words if word)


def _classes(classes: Iterable[MeasurementClass], unit: str) -> str:
    unit = '' if unit == 'ratio' else f' {unit}'
    words = []
    for part in classes:
        borders = [('below', part.below), ('above', part.above)]
        said = [f'{word} {border:g}{unit}' for word, border in borders if border is not None]
        words.append(f'{part.name}: {" and ".join(said) or "otherwise"}')
    return '; '.join(words)


def _unavailable(
    measurements: Sequence[Measurement], landmark_sets: Iterable[LandmarkSet]
) -> Iterable[tuple[str, ...]]:
    for landmark_set in landmark_sets:
        if not measurements_for(landmark_set, measurements):
            yield f'`{landmark_set.name}`', 'all of them', 'it has none of these abbreviations'
            continue
        for measurement in measurements:
            if missing := measurement.missing_landmarks(landmark_set):
                yield f'`{landmark_set.name}`', f'`{measurement.name}`', ', '.join(missing)


def update_page(path: Path) -> None:
    """Write the tables of a page anew, whole or not at all.

    Raises:
        InputError: The page cannot be read or written, or does not have the marks.
    """
    try:
        page = path.read_text(encoding='utf-8')
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; name a page') from None
    with atomic_write(path) as partial:
        partial.write_text(with_tables(page, built_in_tables()), encoding='utf-8')


def _main() -> None:
    parser = argparse.ArgumentParser(description='Write the tables of the page about measurements anew.')
    parser.add_argument('page', type=Path, nargs='?', default=PAGE, help='[%(default)s]')
    update_page(parser.parse_args().page)


if __name__ == '__main__':
    run_step(_main)
