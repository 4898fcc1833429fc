"""The page about measurements is in step with the data."""

from collections import Counter
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from runpy import run_path

import pytest

from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import load_analyses, load_measurements

DOCS = Path(__file__).parents[1] / 'docs'
PAGE = DOCS / 'measurements.md'
BEGIN, END, built_in_tables, tables, update_page, with_tables = itemgetter(
    'BEGIN', 'END', 'built_in_tables', 'tables', 'update_page', 'with_tables'
)(run_path(str(DOCS / 'make_measurements.py')))


def test_the_page_is_up_to_date():
    page = PAGE.read_text(encoding='utf-8')
    assert page == with_tables(page, built_in_tables()), 'run: python docs/make_measurements.py'


def test_the_page_says_what_it_is_not_for():
    assert 'For research. This is no medical device' in PAGE.read_text(encoding='utf-8')


def test_every_measurement_has_its_row_with_what_it_needs():
    text = tables(load_measurements(), load_analyses().values(), [load_landmark_set('isbi2015')])
    for measurement in load_measurements():
        row = next(
            line for line in text.splitlines() if line.startswith(f'| `{measurement.name}` | {measurement.title}')
        )
        assert measurement.definition in row and ', '.join(measurement.landmarks) in row and measurement.source in row
    assert '| `isbi2015` | `wits` | L6, U6 |' in text
    nameless = replace(load_landmark_set('isbi2015'), name='ours', abbreviations=tuple(map(str, range(19))))
    assert '| `ours` | all of them |' in tables(load_measurements(), load_analyses().values(), [nameless])
    assert 'Class III: below 3.2 deg; Class II: above 5.7 deg; Class I: otherwise' in text
    assert 'Class III: below 0 deg; Class II: above 4 deg; Class I: otherwise' in text
    assert '10 years: 73.9 ± 2.8' in text and '26 ± 4.5, at 9 years, -0.3 a year until 18' in text


def test_norms_are_counted_by_how_they_were_checked():
    analyses = load_analyses()
    lines = tables(load_measurements(), analyses.values(), []).splitlines()
    start = lines.index('## How many norms were checked how') + 4
    rows = [line.strip('| ').split(' | ') for line in lines[start : lines.index('', start)]]
    norms = [norm for analysis in analyses.values() for entry in analysis.entries for norm in entry.norms]
    assert {how: int(count) for how, count, _ in rows} == Counter(norm.confidence for norm in norms)
    assert '`wits` 2' in next(names for how, _, names in rows if how.startswith('not traced'))


def test_a_page_without_a_place_for_the_tables_is_refused():
    with pytest.raises(InputError, match='no place for the tables'):
        with_tables('# A page', 'tables')


def test_a_page_is_written_anew_between_its_marks_and_not_elsewhere(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(f'before\n{BEGIN}\nold\n{END}\nafter\n')
    update_page(page)
    text = page.read_text(encoding='utf-8')
    assert text.startswith(f'before\n{BEGIN}') and text.endswith(f'{END}\nafter\n')
    assert 'old' not in text.splitlines() and '| `SNA` |' in text
    update_page(page)
    assert page.read_text(encoding='utf-8') == text


def test_a_page_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r'nowhere\.md cannot be read'):
        update_page(tmp_path / 'nowhere.md')
