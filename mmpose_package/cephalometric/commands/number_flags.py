"""Numbers on the command line: one that cannot be meant is one line that names its flag, before anything is done."""

import math
from collections.abc import Callable

from cephalometric.errors import InputError


def whole_number(flag: str, least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """What reads a whole number, for ``type`` of argparse.

    Args:
        flag: How the flag is called, for messages.
        least, most: The numbers that can be meant, both included.
    """
    wanted = f'a whole number from {least} on' if most is None else f'a whole number from {least} to {most}'

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise InputError(f'{flag} {text}: say {wanted}') from None
        if value < least or (most is not None and value > most):
            raise InputError(f'{flag} {text}: say {wanted}')
        return value

    return read


def number(flag: str, unit: str = '', zero: bool = False) -> Callable[[str], float]:
    """What reads a finite number above 0, for ``type`` of argparse.

    Args:
        flag: How the flag is called, for messages.
        unit: Added to what is wanted, such as ``in mm``.
        zero: Whether 0 can be meant, too.
    """
    wanted = ' '.join(filter(None, ['a number', unit, 'from 0 on' if zero else 'above 0']))

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            hint = ', with a decimal point' if ',' in text else ''
            raise InputError(f'{flag} {text}: say {wanted}{hint}') from None
        if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
            raise InputError(f'{flag} {text}: say {wanted}')
        return value

    return read
