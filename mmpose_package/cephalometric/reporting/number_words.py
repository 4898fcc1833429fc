"""Numbers as people write them: decimals, true minus signs, units."""

import numpy as np

UNKNOWN = '–'
UNITS = {'deg': '°', 'ratio': ''}
"""Units as people write them, where these differ from ours."""


def format_number(value: float, digits: int, sign: bool = False) -> str:
    """A number with a true minus sign and never minus zero; a dash for NaN.

    Args:
        value: The number.
        digits: Its decimals.
        sign: Also write a plus; zero has none.
    """
    if np.isnan(value):
        return UNKNOWN
    # Zero is added because what rounds to zero from below would be shown as minus zero.
    rounded = round(value, digits) + 0.0
    return f'{rounded:{"+" if sign and rounded else ""}.{digits}f}'.replace('-', '−')


def digits_of(unit: str) -> int:
    """The decimals of a measured value: two of a ratio, one of all others."""
    return 2 if unit == 'ratio' else 1


def with_unit(value: float, unit: str, sign: bool = False) -> str:
    """A measured value with its unit.

    >>> with_unit(-3.14159, 'deg')
    '−3.1°'
    """
    written = UNITS.get(unit, unit)
    space = '' if written in ('', '°') else ' '
    return f'{format_number(value, digits_of(unit), sign)}{space}{written}'
