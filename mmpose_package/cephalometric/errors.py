"""What a user can mend: how one mistake is said, and how all problems of an input are said together."""

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TypeVar

from cephalometric.names import printable
from cephalometric.streams import end_if_lost, prepare_streams, use_no_window

INSTALL_TRAINING = 'install what training needs, as docs/installation.md says'
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What parsing of plain data trips over when they have another form than they should."""
_LONGEST_LINE = 900


class InputError(Exception):
    """An input is unusable. The message names the file, the value and the remedy, and needs no traceback.

    What cannot be printed is escaped, and the middle of a line that is too long for people, such as one with a list of
    a thousand numbers, is left out.

    The scripts and the command line print the message alone and exit with status 2. A defect of this package is any
    other exception and keeps its traceback.
    """

    def __init__(self, message: str = '') -> None:
        super().__init__('\n'.join(map(_shortened, str(message).split('\n'))))


def _shortened(line: str) -> str:
    half, line = _LONGEST_LINE // 2, printable(line)
    return line if len(line) <= _LONGEST_LINE else f'{line[:half]} ... {line[-half:]}'


def run_step(main: Callable[[], None]) -> None:
    """Run the main function of a program: a user's mistake ends it with one message and status 2, Ctrl-C with 130.

    So does a package that is not installed, because only training needs what the package itself does not bring along. A
    warning is one line, without the place in the code that it comes from. A reader of the output that has gone, as
    ``head`` does, ends it without a word and with status 141, and a full disk below the output with one message; nobody
    need read what it says.
    """
    prepare_streams()
    use_no_window()
    _find_modules_here()
    warnings.formatwarning = lambda message, *_, **__: f'warning: {message}\n'
    try:
        _run_and_flush(main)
    except InputError as error:
        end_if_lost()
        _end(2, f'error: {error}')
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition('.')[0] == 'cephalometric':
            raise
        _end(2, f'error: {error.name} is missing: {INSTALL_TRAINING}')
    except KeyboardInterrupt:
        _end(130, 'interrupted')
    except OSError:
        end_if_lost()
        raise


def _find_modules_here() -> None:
    """Let a module of one's own in the current folder be imported, as ``python -m`` does, whatever program runs.

    The folder comes last, so that no file in it takes the place of an installed module.
    """
    if not getattr(sys.flags, 'safe_path', False) and not {'', os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())


def _run_and_flush(main: Callable[[], None]) -> None:
    try:
        main()
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def _end(status: int, message: str) -> NoReturn:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    end_if_lost()
    print('\n'.join(map(printable, message.split('\n'))), file=sys.stderr)
    sys.exit(status)


MOST_DETAILS = 10
MOST_NAMES = 10

Content = TypeVar('Content')
Found = dict[str, dict[str, list[int | str | None]]]


class Problems:
    """What is wrong with an input, collected by kind, then raised together. Remarks are collected alike, and no error.

    >>> problems = Problems()
    >>> problems.add('blank slices', 4)
    >>> problems.add('landmarks missing', 'film.png', 'sella (1)')
    >>> problems.count
    2
    """

    def __init__(self):
        self._problems: Found = {}
        self._remarks: Found = {}

    @property
    def count(self) -> int:
        """How many problems were added."""
        return sum(len(places) for details in self._problems.values() for places in details.values())

    @property
    def remarks(self) -> tuple[str, ...]:
        """The lines of all remarks."""
        return tuple(_lines(self._remarks))

    def add(self, kind: str, place: int | str | None, detail: str = '') -> None:
        """Note a problem.

        Args:
            kind: What is wrong and, where it is not plain, the remedy. Problems of a kind are reported together.
            place: Where it is: a slice by its number from 1, or a file by its name; None if it is in none of them, and
                then a detail is needed.
            detail: The value that is wrong. Places with the same one are reported together.
        """
        self._problems.setdefault(kind, {}).setdefault(detail, []).append(place)

    def remark(self, kind: str, place: int | str) -> None:
        """Note what is not wrong, but good to know."""
        self._remarks.setdefault(kind, {}).setdefault('', []).append(place)

    def attempt(self, read: Callable[..., Content], *arguments: object) -> Content | None:
        """What ``read`` returns; None if it raises an ``InputError``, which then is one of the problems."""
        try:
            return read(*arguments)
        except InputError as error:
            self.add('unusable files', None, str(error))
            return None

    def merge(self, other: 'Problems') -> None:
        """Take over all problems and remarks of another collection."""
        for ours, theirs in ((self._problems, other._problems), (self._remarks, other._remarks)):
            for kind, details in theirs.items():
                for detail, places in details.items():
                    ours.setdefault(kind, {}).setdefault(detail, []).extend(places)

    def raise_if_any(self, headline: str) -> None:
        """Raise an ``InputError`` that lists all problems below the headline, if there are any."""
        if self._problems:
            total = '1 problem' if self.count == 1 else f'{self.count} problems'
            lines = [f'  {line}' for line in _lines(self._problems)]
            raise InputError('\n'.join([f'{headline} ({total}):', *lines]))


def _lines(found: Found) -> Iterator[str]:
    for kind, details in found.items():
        if list(details) == ['']:
            yield f'{kind}: {in_words(details[""])}'
            continue
        yield f'{kind}:'
        shown = list(details)[:MOST_DETAILS]
        for detail in shown:
            yield f'  {_placed(detail, details[detail])}'
        rest = [place for detail in details if detail not in shown for place in details[detail]]
        if rest:
            yield f'  {_placed(f"and {len(rest)} more", rest)}'


def _placed(text: str, places: list[int | str | None]) -> str:
    known = [place for place in places if place is not None]
    return f'{text}: {in_words(known)}' if known else text


def in_words(places: Iterable[int | str]) -> str:
    """Places as a person would write them: ``slices 3, 7, 9 to 40`` or ``a.png, b.png``; of many names the first."""
    places = set(places)
    numbers = sorted(place for place in places if isinstance(place, int))
    names = sorted(place for place in places if isinstance(place, str))
    words = [_numbers_in_words(numbers)] if numbers else []
    words += names[:MOST_NAMES]
    if len(names) > MOST_NAMES:
        words[-1] += f' and {len(names) - MOST_NAMES} more'
    return ', '.join(words)


def _numbers_in_words(ordered: list[int]) -> str:
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [f'{run[0]} to {run[-1]}' if len(run) > 2 else ', '.join(map(str, run)) for run in runs]
    return f'slice{"s" if len(ordered) > 1 else ""} {", ".join(words)}'
