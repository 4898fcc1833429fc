"""What a program writes to its user, so that it is never a reason to fail."""

import contextlib
import io
import os
import sys


def end_if_lost(error: BaseException | None) -> None:
    """End the program if an error comes from a stdout that takes nothing any more."""
    if not isinstance(error, OSError):
        return
    try:
        sys.stdout.flush()
    except OSError as lost:
        # Python writes what is left when it ends, and would complain.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(lost, BrokenPipeError):
            print(f'error: the output cannot be written: {lost.strerror}', file=sys.stderr)
        sys.exit(141 if isinstance(lost, BrokenPipeError) else 2)


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Unheard(sys.stderr)


class _Unheard:
    """A stderr that goes on when nothing can be written there."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or do nothing."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def use_no_window() -> None:
    """Have matplotlib draw without a window, whatever a notebook has put into the environment of its programs."""
    os.environ['MPLBACKEND'] = 'agg'
    if 'matplotlib' in sys.modules:
        sys.modules['matplotlib'].use('agg')
