"""The X-rays of a large file of predictions, read from the disk whenever they are looked at."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cephalometric.errors import MALFORMED
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet, landmark_set_from
from cephalometric.results.predictions import (
    END_OF_IMAGES,
    IMAGES,
    PredictedXray,
    Predictions,
    parse_predictions,
    xray_of,
)

_HEAD, _END = f'{IMAGES}\n'.encode(), f'{END_OF_IMAGES.strip()}\n'.encode()


class StoredXrays(Sequence[PredictedXray]):
    """X-rays of a file with one on a line; each is read anew when it is asked for.

    Args:
        path: The file.
        landmarks: Names the landmarks.
        offsets: Where each line begins, and where the last one ends.
        changes: What is made of an X-ray after it was read, one change after another.
    """

    def __init__(
        self,
        path: Path,
        landmarks: LandmarkSet,
        offsets: np.ndarray,
        changes: tuple[Callable[[PredictedXray], PredictedXray], ...] = (),
    ) -> None:
        self._path, self._landmarks, self._offsets, self._changes = path, landmarks, offsets, changes

    def changed(self, change: Callable[[PredictedXray], PredictedXray]) -> 'StoredXrays':
        """The same X-rays with a change to each, which is made when it is read."""
        return StoredXrays(self._path, self._landmarks, self._offsets, (*self._changes, change))

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, n: int) -> PredictedXray:
        with open(self._path, 'rb') as file:
            return self._read(file, range(len(self))[n])

    def __iter__(self) -> Iterator[PredictedXray]:
        with open(self._path, 'rb') as file:
            for n in range(len(self)):
                yield self._read(file, n)

    def texts(self) -> Iterator[str]:
        """The entries as they stand in the file."""
        with open(self._path, 'rb') as file:
            for n in range(len(self)):
                yield self._text(file, n).decode()

    def _text(self, file: BinaryIO, n: int) -> bytes:
        file.seek(self._offsets[n])
        return file.read(int(self._offsets[n + 1] - self._offsets[n])).rstrip(b',\n')

    def _read(self, file: BinaryIO, n: int) -> PredictedXray:
        xray = xray_of(json.loads(self._text(file, n)), self._landmarks)
        for change in self._changes:
            xray = change(xray)
        return xray


def changed_xrays(
    xrays: Sequence[PredictedXray], change: Callable[[PredictedXray], PredictedXray]
) -> Sequence[PredictedXray]:
    """X-rays with a change to each: made at once, or when they are read."""
    return xrays.changed(change) if isinstance(xrays, StoredXrays) else tuple(map(change, xrays))


def read_predictions(path: str | Path, checked: bool = True) -> Predictions:
    """Read a file of predictions; of a file as ``predict`` writes it, the X-rays stay on the disk.

    Args:
        path: The file.
        checked: Whether each X-ray is looked at; otherwise a damaged one raises an error when it is read.

    Raises:
        InputError: It is missing, unreadable, or no such file.
    """
    return stored_predictions(path, checked) or parse_predictions(path, read_json(path))


def stored_predictions(path: str | Path, checked: bool = True) -> Predictions | None:
    """As :func:`read_predictions`; None for a file that is not as ``predict`` writes it: perhaps one was changed."""
    path = Path(path)
    with suppress(OSError, UnicodeDecodeError, *MALFORMED), open(path, 'rb') as file:
        head = file.readline()
        if not head.endswith(_HEAD):
            return None
        content = json.loads(head[: -len(_HEAD)] + b'}')
        landmarks = landmark_set_from(content['landmark_set'])
        offsets = [file.tell()]
        # The last line before the end has no comma.
        while (line := file.readline()) and line != _END:
            if checked:
                xray_of(json.loads(line.rstrip(b',\n')), landmarks)
            offsets.append(file.tell())
        rest = json.loads(b'{"failed": [' + file.read())
        whole = parse_predictions(path, content | rest | {'images': []})
        xrays = StoredXrays(path, landmarks, np.array(offsets, np.int64))
        return replace(whole, landmarks=landmarks, xrays=xrays)
    return None
