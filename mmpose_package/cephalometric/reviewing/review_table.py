"""The landmarks of a reader as a table: rows as ``predict`` writes them, with what a person did and when."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cephalometric.csv_files import write_csv
from cephalometric.errors import InputError
from cephalometric.landmarks import LandmarkSet
from cephalometric.reviewing.review_record import BY_A_PERSON

EVERY_S = 2.0
COLUMNS = ('image', 'landmark', 'name', 'x_px', 'y_px', 'spacing_mm', 'visible', 'status', 'date', 'reader')


def table_rows(stem: str, reader: str, content: Mapping, landmarks: LandmarkSet) -> list[list[str]]:
    """The rows of one X-ray, under the headings of ``COLUMNS``.

    Args:
        stem: What the X-ray is called.
        reader: Whose record it is.
        content: ``landmarks`` and ``spacing_mm`` of the record, of plain types.
        landmarks: The landmark set.
    """
    spacing_mm = content['spacing_mm']
    spacing = '' if spacing_mm is None else f'{spacing_mm:.6g}'
    rows = []
    for row, name in zip(content['landmarks'], landmarks.names, strict=True):
        place = ['', ''] if row['x_px'] is None else [f'{row["x_px"]:.2f}', f'{row["y_px"]:.2f}']
        visible = 'yes' if row['visible'] else 'no'
        rows.append([stem, row['landmark'], name, *place, spacing, visible, row['status'], row['date'], reader])
    return rows


class ReviewTable:
    """Keeps the table of a reader up to date, a moment after the records.

    Args:
        path: The file.
        reader: Whose records they are.
        landmarks: The landmark set.
    """

    def __init__(self, path: Path, reader: str, landmarks: LandmarkSet) -> None:
        self._path, self._reader, self._landmarks = path, reader, landmarks
        self._rows: dict[str, list[list[str]]] = {}
        self._changed, self._ended = threading.Event(), threading.Event()

    def take(self, stem: str, content: Mapping) -> None:
        """Take the rows of an X-ray; see :func:`table_rows`."""
        self._rows[stem] = table_rows(stem, self._reader, content, self._landmarks)
        self._changed.set()

    def done(self, stem: str) -> int:
        """How many landmarks of an X-ray a person has dealt with."""
        status = COLUMNS.index('status')
        return sum(row[status] in BY_A_PERSON for row in self._rows.get(stem, ()))

    def start(self) -> None:
        """Write what there is, and go on in the background."""
        self._write_if_changed()
        threading.Thread(target=self._work, daemon=True).start()

    def end(self) -> None:
        """Write what has not been written.

        Raises:
            InputError: It cannot be.
        """
        self._ended.set()
        self._write_if_changed()

    def _work(self) -> None:
        while not self._ended.wait(EVERY_S):
            # What cannot be written now is tried again, and said at the end.
            with suppress(InputError):
                self._write_if_changed()

    def _write_if_changed(self) -> None:
        if not self._changed.is_set():
            return
        self._changed.clear()
        rows = dict(self._rows)
        try:
            write_csv(self._path, [COLUMNS, *(row for stem in sorted(rows) for row in rows[stem])])
        except InputError:
            self._changed.set()
            raise
