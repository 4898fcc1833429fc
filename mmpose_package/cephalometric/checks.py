"""Every problem of an input in one readable report."""

from collections.abc import Iterable, Iterator

from cephalometric.errors import InputError

MOST_DETAILS = 10


class Problems:
    """What is wrong with an input, collected by kind, then raised together.

    >>> problems = Problems()
    >>> problems.add('blank slices', 4)
    >>> problems.add('landmarks missing', 7, 'sella (1)')
    >>> problems.count
    2
    """

    def __init__(self):
        self._slices: dict[str, dict[str, list[int | None]]] = {}

    @property
    def count(self) -> int:
        """How many problems were added."""
        return sum(len(slices) for details in self._slices.values() for slices in details.values())

    def add(self, kind: str, slice_number: int | None, detail: str = '') -> None:
        """Note a problem.

        Args:
            kind: What is wrong and, where it is not plain, the remedy. Problems of a kind are reported together.
            slice_number: The slice it is in, from 1; None if it is in none, and then a detail is needed.
            detail: The value that is wrong. Slices with the same one are reported together.
        """
        self._slices.setdefault(kind, {}).setdefault(detail, []).append(slice_number)

    def raise_if_any(self, headline: str) -> None:
        """Raise an ``InputError`` that lists all problems below the headline, if there are any."""
        if self._slices:
            total = '1 problem' if self.count == 1 else f'{self.count} problems'
            raise InputError('\n'.join([f'{headline} ({total}):', *self._lines()]))

    def _lines(self) -> Iterator[str]:
        for kind, details in self._slices.items():
            if list(details) == ['']:
                yield f'  {kind}: {in_words(details[""])}'
                continue
            yield f'  {kind}:'
            shown = list(details)[:MOST_DETAILS]
            for detail in shown:
                yield f'    {_place(detail, details[detail])}'
            rest = [number for detail in details if detail not in shown for number in details[detail]]
            if rest:
                yield f'    {_place(f"and {len(rest)} more", rest)}'


def _place(text: str, numbers: list[int | None]) -> str:
    known = [number for number in numbers if number is not None]
    return f'{text}: {in_words(known)}' if known else text


def in_words(numbers: Iterable[int]) -> str:
    """Slice numbers as a person would write them: ``slices 3, 7, 9 to 40``."""
    ordered = sorted(set(numbers))
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [f'{run[0]} to {run[-1]}' if len(run) > 2 else ', '.join(map(str, run)) for run in runs]
    return f'slice{"s" if len(ordered) > 1 else ""} {", ".join(words)}'
