"""The journal of a run: what was done, file by file, so that the run can be gone on with after any interruption."""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import sync_disk

JOURNAL = '.journal.jsonl'
FORMAT = 'cephalometric journal 1'
_SYNC_S = 10.0
"""Seconds of work that a power cut may cost."""


@dataclass(frozen=True)
class JournalLine:
    """A line: an X-ray of a file or, where ``entry`` is None, that the file is done.

    Attributes:
        entry: The entry of the X-ray, of plain types.
        overlay: The name and the SHA-256 of its drawing; None where there is none.
        error: Why the file could not be read; None where it could.
    """

    entry: dict | None = None
    overlay: tuple[str, str] | None = None
    error: str | None = None


class RunJournal:
    """A journal to write to; :func:`begin_journal` and :func:`reopen_journal` make one.

    Attributes:
        done: How many files of the run are done, from the first on.
        synced: How many were done when the drawings were known to be on the disk.
    """

    def __init__(self, path: Path, mode: str, done: int = 0, synced: int = 0) -> None:
        self.path, self.done, self.synced = path, done, synced
        self._file = open(path, mode, encoding='ascii')  # noqa: SIM115, as long as the run
        self._synced = time.monotonic()

    def add(self, entry: str, overlay: tuple[str, str] | None) -> None:
        """Note an X-ray by the text of its entry, and its drawing."""
        self._file.write(f'{{"overlay": {json.dumps(overlay)}, "entry": {entry}}}\n')

    def end_file(self, error: str | None = None) -> None:
        """Note that a file is done, or why it could not be read."""
        self._file.write(json.dumps({'end': self.done, 'error': error}) + '\n')
        self.done += 1
        if time.monotonic() - self._synced > _SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Have all of it, and the drawings, on the disk, and note that they are."""
        self._file.flush()
        sync_disk()
        self._file.write(json.dumps({'synced': self.done}) + '\n')
        self._file.flush()
        with contextlib.suppress(OSError):  # A file system without.
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def lines(self) -> Iterator[JournalLine]:
        """What was noted, in order."""
        self._file.flush()
        with open(self.path, 'rb') as file:
            file.readline()
            for line in file:
                content = json.loads(line)
                if 'synced' in content:
                    continue
                if 'end' in content:
                    yield JournalLine(error=content['error'])
                else:
                    yield JournalLine(content['entry'], content['overlay'] and tuple(content['overlay']))

    def close(self) -> None:
        """Have all of it on the disk, and close the file."""
        self.sync()
        self._file.close()


def begin_journal(path: Path, run: Mapping[str, object]) -> RunJournal:
    """Begin the journal of a run.

    Args:
        path: The file.
        run: What is asked for, of plain types: what must be the same to go on.

    Raises:
        InputError: It cannot be written.
    """
    try:
        journal = RunJournal(path, 'w')
        journal._file.write(json.dumps({'format': FORMAT, 'run': run}) + '\n')
        journal.sync()
        return journal
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error.strerror}') from None


def reopen_journal(path: Path, run: Mapping[str, object]) -> RunJournal:
    """Go on with a journal; what it notes of a file that was not done is taken off.

    Raises:
        InputError: It is that of another run.
    """
    with open(path, 'rb') as file:
        line = file.readline()
        try:
            head = json.loads(line)
            if head['format'] != FORMAT:
                raise ValueError(head['format'])
        except MALFORMED:
            raise InputError(f'{path} is damaged, or of another version: begin anew by --overwrite') from None
        check_same_run(path.parent.parent, head['run'], run)
        done, synced, place = 0, 0, len(line)
        end = place
        with contextlib.suppress(*MALFORMED):  # A power cut may leave half a line, or zeros.
            for line in file:
                content = json.loads(line)
                if not line.endswith(b'\n'):
                    break
                place += len(line)
                if 'end' in content:
                    done, end = done + 1, place
                synced = content.get('synced', synced)
    with open(path, 'rb+') as file:
        file.truncate(end)
    return RunJournal(path, 'a', done, synced)


def check_same_run(folder: Path, begun: Mapping[str, object], now: Mapping[str, object]) -> None:
    """Raise an ``InputError`` that names what differs, if a run is not the one that was begun."""
    names = dict.fromkeys([*begun, *now])
    other = [name for name in names if begun.get(name) != now.get(name)]
    if other:
        said = ', '.join(f'{name} was {_short(begun.get(name))} and is {_short(now.get(name))}' for name in other)
        raise InputError(
            f'{folder} holds a run of another kind ({said}): go on with the same inputs, model and options, or begin '
            'anew by --overwrite'
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f'{text[:37]}...'
