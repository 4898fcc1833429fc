"""Numbers as people write them."""

import numpy as np
import pytest

from cephalometric.reporting.number_words import digits_of, format_number, with_unit


@pytest.mark.parametrize(
    ('value', 'text'), [(1.234, '1.23'), (-1.235, '−1.24'), (-0.001, '0.00'), (np.nan, '–'), (0, '0.00')]
)
def test_numbers_for_people(value, text):
    assert format_number(value, 2) == text


def test_signs():
    written = [format_number(value, 2, sign=True) for value in (0.5, -0.5, np.nan, -0.001)]
    assert written == ['+0.50', '−0.50', '–', '0.00']


@pytest.mark.parametrize(
    ('value', 'unit', 'text'),
    [(82.349, 'deg', '82.3°'), (-3.14, 'mm', '−3.1 mm'), (65.06, '%', '65.1 %'), (0.531, 'ratio', '0.53')],
)
def test_values_have_units_as_people_write_them_and_angles_one_decimal(value, unit, text):
    assert with_unit(value, unit) == text
    assert with_unit(-value, unit, sign=True) == with_unit(-value, unit) or value < 0


def test_a_ratio_has_two_decimals():
    assert [digits_of(unit) for unit in ('deg', 'mm', '%', 'ratio')] == [1, 1, 1, 2]
    assert with_unit(0.04, 'mm', sign=True) == '0.0 mm' and with_unit(2.25, 'deg', sign=True) == '+2.2°'
