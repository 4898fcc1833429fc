"""The records of readers on disk: one JSON file for each reader and X-ray, and what keeps two writers apart.

A save names the revision that it follows. If the file has another one by now, nothing is written, and the writer is
told what is there.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json, write_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.locks import let_go, take_lock
from cephalometric.names import file_stem
from cephalometric.results.predictions import NOTICE
from cephalometric.reviewing.record_json import parse_record, record_content
from cephalometric.reviewing.review_record import Beginning, ReviewRecord

FORMAT = 'cephalometric review 1'
TABLE = 'landmarks.csv'
LONGEST_WAIT_S = 10.0


class RevisionConflict(Exception):
    """The record has been changed by somebody else.

    Attributes:
        current: The record as it is.
    """

    def __init__(self, current: ReviewRecord) -> None:
        super().__init__('the record has another revision by now')
        self.current = current


class ReviewStore:
    """The records of one reader, and a look at those of others.

    Args:
        out: The folder of all readers.
        reader: Whose records are written.
        landmarks: The landmark set of all of them.
    """

    def __init__(self, out: str | Path, reader: str, landmarks: LandmarkSet) -> None:
        self.out, self.reader, self.landmarks = Path(out), reader, landmarks
        self.folder = self.out / file_stem(reader)

    def path_of(self, stem: str) -> Path:
        """The file of an X-ray."""
        return self.folder / f'{stem}.json'

    def load(self, stem: str) -> tuple[ReviewRecord, Mapping] | None:
        """The record of an X-ray and the content of its file; None where there is none.

        Raises:
            InputError: The file is none of ours.
        """
        return self._load(self.path_of(stem))

    def _load(self, path: Path) -> tuple[ReviewRecord, Mapping] | None:
        if not path.exists():
            return None
        content = read_json(path)
        try:
            if content['format'] != FORMAT:
                raise ValueError(f'its format is {content["format"]!r}')
            if tuple(content['landmark_set']['abbreviations']) != self.landmarks.abbreviations:
                raise ValueError(f'it has the landmarks of {content["landmark_set"]["name"]!r}')
            return parse_record(content, self.landmarks), content
        except MALFORMED as error:
            raise InputError(
                f'{path}: not a review of these landmarks ({type(error).__name__}: {error}); name another --out'
            ) from None

    def save(
        self,
        stem: str,
        facts: Mapping[str, object],
        begin: tuple[Beginning, tuple[int, int]],
        base: int,
        commands: Sequence[object],
        request: str,
    ) -> ReviewRecord:
        """Do what a person asks for, and write it, whole or not at all.

        A request that has been done already, because its answer was lost on the way, is not done again.

        Args:
            stem: Of the X-ray's file.
            facts: What identifies the X-ray: name, file, slice, checksum of its pixels.
            begin: How a new record begins, and the size of the X-ray.
            base: The revision that the person has seen.
            commands: See :meth:`~cephalometric.reviewing.review_record.ReviewRecord.followed`.
            request: What it is called, unique.

        Raises:
            RevisionConflict: The record has another revision by now.
            InputError: It cannot be done or written.
        """
        with self._held(stem):
            found = self.load(stem)
            record = found[0] if found else ReviewRecord(*begin)
            if request == record.last:
                return record
            if base != record.revision:
                raise RevisionConflict(record)
            now = datetime.now().astimezone().isoformat(timespec='seconds')
            followed = record.followed(commands, request, now)
            content = {
                'format': FORMAT,
                'notice': NOTICE,
                **facts,
                'reader': self.reader,
                'created': found[1].get('created', now) if found else now,
                'changed': now,
                # Without the definitions, which are long and the same in all files.
                'landmark_set': asdict(replace(self.landmarks, definitions=())),
                **record_content(followed),
            }
            write_json(self.path_of(stem), content)
            return followed

    @contextmanager
    def _held(self, stem: str) -> Iterator[None]:
        """One writer at a time, also among processes."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f'{self.folder} cannot be made: {error.strerror}; name another --out') from None
        path = self.folder / f'.{stem[:40]}.saving'
        end = time.monotonic() + LONGEST_WAIT_S
        while True:
            try:
                lock = take_lock(path)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise InputError(f'{self.path_of(stem)} is being written by another program') from None
                time.sleep(0.01)
        try:
            yield
        finally:
            let_go(lock)

    def stems(self) -> list[str]:
        """The X-rays that have a record of this reader."""
        return sorted(path.stem for path in self.folder.glob('*.json') if not path.name.startswith('.'))

    def others(self, stem: str) -> dict[str, ReviewRecord]:
        """What other readers have done on an X-ray, by their names; files that are none of ours are passed over."""
        found = {}
        for path in sorted(self.out.glob(f'*/{_literal(stem)}.json')):
            if path.parent == self.folder or path.parent.name.startswith('.'):
                continue
            with suppress(InputError):
                record, content = self._load(path)
                found[str(content.get('reader', path.parent.name))] = record
        return found


def _literal(stem: str) -> str:
    """A stem without magic for a glob."""
    return ''.join(f'[{letter}]' if letter in '*?[' else letter for letter in stem)
