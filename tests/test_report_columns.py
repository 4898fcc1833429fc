"""What a table is: how its cells read on the page and in a CSV file."""

import csv

import numpy as np

from cephalometric.reporting.report_columns import (
    Column,
    Table,
    beyond,
    cell_class,
    cell_text,
    sort_value,
    write_table,
)
from cephalometric.statistics import Interval


def test_csv_has_plain_numbers_and_intervals_as_three_columns(tmp_path):
    columns = (Column('name'), Column('count'), Column('x', 1), Column('y', 2, interval=True, run='B', on_page=False))
    rows = (('a, b', 3, -1.25, Interval(1.0, 0.5, 1.5)), ('c', 0, np.nan, Interval(2.0, np.nan, np.nan)))
    write_table(Table('t', columns, rows), tmp_path / 't.csv')
    first, second = csv.DictReader((tmp_path / 't.csv').open(encoding='utf-8'))
    assert first == {
        'name': 'a, b',
        'count': '3',
        'x': '-1.25',
        'B: y': '1.0',
        'B: y (95% CI low)': '0.5',
        'B: y (95% CI high)': '1.5',
    }
    assert (second['x'], second['B: y'], second['B: y (95% CI low)']) == ('', '2.0', '')


def test_changes_have_a_sign_and_units_are_written_as_people_do():
    change = Column('difference', 2, is_change=True)
    assert [cell_text(value, change) for value in (0.5, -0.5, 0.0)] == ['+0.50', '−0.50', '0.00']
    assert cell_text('deg', Column('unit')) == '°' and cell_text('deg', Column('name')) == 'deg'
    assert cell_text(0.0001, Column('p', 4, is_p_value=True)).startswith('<')
    brief = Column('x', 1, interval=True, brief=True)
    assert cell_text(Interval(1.0, 0.5, 1.5), brief) == '1.0'
    assert '(0.5 to 1.5)' in cell_text(Interval(1.0, 0.5, 1.5), Column('x', 1, interval=True))


def test_a_change_is_marked_when_it_is_large_or_sure():
    change = Column('difference', 2, interval=True, is_change=True)
    kinds = {
        'large, though it may be chance': (Interval(0.9, -0.4, 2.0), 'worse'),
        'small and sure': (Interval(0.1, 0.05, 0.2), 'worse'),
        'large gain': (Interval(-0.9, -2.0, 0.4), 'better'),
        'small and unsure': (Interval(0.1, -0.3, 0.4), ''),
        'not known': (Interval(np.nan, np.nan, np.nan), ''),
    }
    for what, (cell, kind) in kinds.items():
        assert cell_class(cell, change) == kind, what
    assert cell_class('words', change) == 'text' and cell_class(9.0, Column('x')) == ''


def test_what_has_no_number_sorts_as_nothing():
    assert [sort_value(cell) for cell in (np.nan, 2, Interval(1.5, 1, 2), 'a')] == ['', '2.0', '1.5', 'a']


def test_headings_stand_once_over_the_columns_that_are_shown():
    columns = (Column('a'), Column('x', run='B'), Column('y', run='B', on_page=False), Column('x', run='A'))
    table = Table('t', columns, (('r', 1.0, 9.0, -3.0), ('s', 1.0, 9.0, np.nan)))
    assert table.headings == [('', 1), ('B', 1), ('A', 1)] and table.shown == [0, 1, 3]
    assert beyond(table.columns, table.rows, 'x', 2.0) == (True, False)


def test_ratios_have_a_decimal_more():
    table = Table('t', (Column('unit'), Column('x', 1)), (('deg', 1.0), ('ratio', 0.04)))
    assert [table.more_digits(row) for row in range(2)] == [0, 1]
    assert cell_text(0.04, Column('x', 1), 1) == '0.04'
