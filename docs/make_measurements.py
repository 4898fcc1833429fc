"""The measurements as a page for people: the tables of ``docs/measurements.md`` are made from the data.

``python docs/make_measurements.py`` writes the tables of the page anew, between its two marks. A laboratory can
document its own table in the same way from Python.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from cephalometric.errors import InputError, run_step
from cephalometric.files import atomic_write
from cephalometric.landmarks import LandmarkSet, built_in_landmark_sets, load_landmark_set
from cephalometric.measurements import Measurement, analyses_of, load_measurements, measurements_for
from cephalometric.measurements.entries import MeasurementClass

PAGE = Path(__file__).with_name('measurements.md')
BEGIN, END = '<!-- made from the data: begin -->', '<!-- made from the data: end -->'


def tables(measurements: Iterable[Measurement], landmark_sets: Iterable[LandmarkSet]) -> str:
    """All measurements, their classes, the analyses and what each landmark set cannot measure, as Markdown."""
    measurements = tuple(measurements)
    parts = [
        '## All measurements',
        _table(
            ('Name', 'Title', 'Definition', 'Landmarks', 'Unit', 'Sign', 'Norm', 'Source'),
            (_row(measurement) for measurement in measurements),
        ),
        '## Classes',
        _table(
            ('Name', 'Classes', 'Source'),
            ((f'`{m.name}`', _classes(m.classes, m.unit), m.classes_source) for m in measurements if m.classes),
        ),
        '## Analyses',
        _table(
            ('Analysis', 'Measurements'),
            ((f'`{name}`', ', '.join(m.name for m in group)) for name, group in analyses_of(measurements).items()),
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
    return tables(load_measurements(), map(load_landmark_set, built_in_landmark_sets()))


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
        _norm(measurement),
        measurement.source,
    )


def _norm(measurement: Measurement) -> str:
    norm = measurement.norm
    if norm is None:
        return 'none'
    return f'{norm.mean:g}{"" if norm.sd is None else f" ± {norm.sd:g}"} ({norm.source})'


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
