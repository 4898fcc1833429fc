"""What a program writes to its user, so that it is never a reason to fail."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def end_if_lost() -> None:
    """End the program if its stdout takes nothing any more: without a word where its reader has gone."""
    lost = sys.stdout.lost if isinstance(sys.stdout, _Stream) else None
    if lost is None:
        return
    # Python writes what is left when it ends, and would complain.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(lost, BrokenPipeError):
        sys.exit(141)
    print(f'error: the output cannot be written: {lost.strerror or lost}', file=sys.stderr)
    sys.exit(2)


def prepare_streams() -> None:
    """Make sure that printing is no reason to fail: closed streams, letters that a console lacks, a lost stderr."""
    for number, name in enumerate(('stdin', 'stdout', 'stderr')):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # It gets this number, which the next file would get otherwise.
        if getattr(sys, name) is None:
            nothing = open(os.devnull, 'w' if number else 'r', encoding='utf-8')  # noqa: SIM115, as long as the program
            setattr(sys, name, nothing)
    for name in ('stdout', 'stderr'):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
            setattr(sys, name, _Stream(stream, needed=name == 'stdout'))


class _Stream:
    """A stream that remembers why it was lost; where it is not needed, losing it goes unnoticed.

    Attributes:
        lost: What was raised first; None as long as all is well.
    """

    def __init__(self, stream: io.TextIOWrapper, needed: bool) -> None:
        self._stream, self._needed = stream, needed
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        """Write the text."""
        with self._watched():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it written."""
        with self._watched():
            self._stream.flush()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.lost = self.lost or error
            if self._needed:
                raise

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def use_no_window() -> None:
    """Have matplotlib draw without a window, whatever a notebook has put into the environment of its programs."""
    os.environ['MPLBACKEND'] = 'agg'
    if 'matplotlib' in sys.modules:
        sys.modules['matplotlib'].use('agg')
