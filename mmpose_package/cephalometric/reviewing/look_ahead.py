"""Predictions in the background: of the film that is looked at, then of those that come next, one at a time."""

import hashlib
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.results.predictions import PredictedXray, Predictions, parse_predictions, write_predictions
from cephalometric.reviewing.review_inputs import ReviewFilm
from cephalometric.xrays.reading import Xray

Predict = Callable[[Xray], PredictedXray]


@dataclass(frozen=True)
class ReviewModel:
    """What finds landmarks.

    Attributes:
        predict: From an X-ray to its landmarks.
        landmarks: The landmark set.
        about: What it is, of plain types.
    """

    predict: Predict
    landmarks: LandmarkSet
    about: dict


class LookAhead:
    """Predicts films in a thread of its own, and keeps what it found on disk.

    Args:
        model: What predicts.
        films: All films.
        read: Reads the X-ray of a film.
        cache: The folder for what was found.
        everything: Go through all films when none is asked for.
    """

    def __init__(
        self,
        model: ReviewModel,
        films: Sequence[ReviewFilm],
        read: Callable[[ReviewFilm], Xray],
        cache: Path,
        everything: bool = False,
    ) -> None:
        self._model, self._films, self._read, self._cache = model, films, read, cache
        self._found: dict[int, PredictedXray] = {}
        self._failed: dict[int, str] = {}
        self._wanted: deque[int] = deque()
        self._rest: deque[int] = deque(range(len(films)) if everything else ())
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin; what is on disk from an earlier time is known at once."""
        if self._cache.is_dir():
            for number, film in enumerate(self._films):
                self._recall(number, film)
        self._thread.start()

    def end(self) -> None:
        """Take up no further film."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def ask(self, numbers: Iterable[int]) -> None:
        """Predict these films first, in this order."""
        with self._changed:
            wanted = [number for number in numbers if number not in self._found and number not in self._failed]
            self._wanted = deque(dict.fromkeys(wanted))
            self._changed.notify_all()

    def found(self, number: int, wait_s: float = 0.0) -> PredictedXray | None:
        """What is found in a film; None if nothing is by now.

        Raises:
            InputError: The film cannot be read or predicted.
        """
        with self._changed:
            self._changed.wait_for(lambda: number in self._found or number in self._failed, wait_s)
            if number in self._failed:
                raise InputError(self._failed[number])
            return self._found.get(number)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._wanted or self._rest)
                if self._ended:
                    return
                number = (self._wanted or self._rest).popleft()
                if number in self._found or number in self._failed:
                    continue
            found, failed = None, ''
            try:
                found = self._predicted(self._films[number])
            except InputError as error:
                failed = str(error)
            except Exception:  # A defect, which costs no other film.
                traceback.print_exc(file=sys.stderr)
                failed = 'the model failed: see what the program printed'
            with self._changed:
                if found is None:
                    self._failed[number] = failed
                else:
                    self._found[number] = found
                self._changed.notify_all()

    def _predicted(self, film: ReviewFilm) -> PredictedXray:
        result = self._model.predict(self._read(film))
        with suppress(InputError, OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            write_predictions(self._path(film), Predictions(self._model.landmarks, (result,), {}, self._model.about))
        return result

    def _recall(self, number: int, film: ReviewFilm) -> None:
        path = self._path(film)
        with suppress(InputError):
            if path.is_file():
                (self._found[number],) = parse_predictions(path, read_json(path)).xrays

    def _path(self, film: ReviewFilm) -> Path:
        """Another model or another file has another name."""
        known = f'{film.version()}|{film.spacing_mm}|{self._model.about.get("weights_ids")}'
        return self._cache / f'{hashlib.sha256(known.encode()).hexdigest()[:32]}.json'
