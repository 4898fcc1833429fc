"""What the page asks for, in plain types: the list, a film, an edit, measurements, pictures."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from cephalometric import __version__
from cephalometric.errors import MALFORMED, InputError
from cephalometric.files import read_json
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Person
from cephalometric.results.predictions import NOTICE, PredictedXray
from cephalometric.reviewing.look_ahead import LookAhead, ReviewModel
from cephalometric.reviewing.record_json import record_content, rows_of_marks
from cephalometric.reviewing.review_doubt import Suggestions, beginning_of, doubt_of
from cephalometric.reviewing.review_inputs import ReviewFilm
from cephalometric.reviewing.review_pictures import ReviewPictures
from cephalometric.reviewing.review_record import Beginning, ReviewRecord, finite, row_of
from cephalometric.reviewing.review_store import TABLE, ReviewStore, RevisionConflict
from cephalometric.reviewing.review_table import ReviewTable
from cephalometric.reviewing.review_values import ReviewValues

CACHE = '.cephalometric.cache'
AHEAD = 3
PATIENCE_S = 1.0
"""A page that waits for a prediction asks again after that time."""


class ReviewDesk:
    """All films of a review, for one reader.

    Args:
        films: The films.
        landmarks: The landmark set of all of them.
        out: The folder of the records.
        reader: Who reviews.
        model: What predicts films that have no prediction; None for nobody.
    """

    def __init__(
        self,
        films: Sequence[ReviewFilm],
        landmarks: LandmarkSet,
        out: str | Path,
        reader: str,
        model: ReviewModel | None = None,
    ) -> None:
        self.films, self.landmarks, self.reader = list(films), landmarks, reader
        self.store = ReviewStore(out, reader, landmarks)
        cache = Path(out) / CACHE
        self.pictures = ReviewPictures(cache / 'thumbnails')
        self._values, self._suggestions = ReviewValues(landmarks), Suggestions(landmarks)
        self._model = model
        labelled = any(film.labels_px is not None for film in films)
        self._ahead = model and LookAhead(model, self.films, self.pictures.xray, cache / 'predicted', labelled)
        self._table = ReviewTable(self.store.folder / TABLE, reader, landmarks)

    def start(self) -> None:
        """Begin what goes on in the background.

        Raises:
            InputError: A record in the folder is of other landmarks, or nothing can be written there.
        """
        for stem in self.store.stems():
            content = read_json(self.store.path_of(stem))
            try:
                self._table.take(stem, content)
            except MALFORMED:
                self.store.load(stem)  # Which says what is wrong.
                raise
        self._table.start()
        if self._ahead:
            self._ahead.start()

    def end(self) -> None:
        """End what goes on in the background, and bring the table up to date."""
        if self._ahead:
            self._ahead.end()
        self._table.end()

    def about(self) -> dict:
        """What the page has to know before it shows anything."""
        landmarks = self.landmarks
        return {
            'version': __version__,
            'notice': NOTICE,
            'reader': self.reader,
            'place': sha256(str(self.store.folder.resolve()).encode('utf-8', 'surrogateescape')).hexdigest()[:16],
            'model': ', '.join(map(str, self._model.about.get('names', ['a model']))) if self._model else '',
            'landmark_set': landmarks.title,
            'landmarks': [
                {
                    'short': landmarks.abbreviations[k],
                    'name': landmarks.names[k],
                    'group': landmarks.groups[k],
                    'definition': landmarks.definition(k),
                }
                for k in range(len(landmarks))
            ],
            'lines': [list(line) for line in landmarks.lines],
            'analyses': self._values.titles(),
            'films': len(self.films),
        }

    def rows(self) -> list[dict]:
        """The list: of each film its name, how doubtful it is and why, and what has been done to it."""
        return [self.row(number) for number in range(len(self.films))]

    def row(self, number: int) -> dict:
        """One film of the list."""
        film = self.films[number]
        try:
            doubt, words = doubt_of(self.landmarks, self._found(number), film.labels_px)
        except InputError as error:
            doubt, words = None, str(error)
        done = self._table.done(film.stem)
        return {'name': film.stem, 'doubt': doubt, 'why': words, 'done': done, 'total': len(self.landmarks)}

    def film(self, number: int, following: Sequence[int] = ()) -> dict:
        """A film, its landmarks and what the reader may do; ``{'pending': True}`` until it is predicted.

        Args:
            number: Which one, from 0.
            following: Those that will probably be next.

        Raises:
            InputError: It cannot be read, or its record is of another picture.
        """
        film = self.films[number]
        begin = self._beginning(number, following)
        if begin is None:
            return {'pending': True}
        return self._document(number, self._record(film, begin))

    def revision(self, number: int) -> dict:
        """Whether somebody has changed a film."""
        stem = self.films[number].stem
        found = self.store.load(stem)
        others = {name: record.revision for name, record in self.store.others(stem).items()}
        return {'revision': found[0].revision if found else 0, 'others': others}

    def edit(self, number: int, asked: Mapping) -> tuple[bool, dict]:
        """Do and save what a person asks for.

        Args:
            number: Which film.
            asked: ``base``, the revision that the person has seen; ``request``, a unique text; ``commands``.

        Returns:
            Whether it was done, and the film as it is now: it was not where the film has another revision by now.

        Raises:
            InputError: It cannot be done or written.
        """
        film = self.films[number]
        base, request, commands = asked.get('base'), asked.get('request'), asked.get('commands')
        if not isinstance(base, int) or not isinstance(request, str) or not 0 < len(request) <= 100:
            raise InputError('an edit names the revision that it follows and itself')
        begin = self._beginning(number, ())
        if begin is None:
            raise InputError(f'{film.stem} is not predicted yet')
        self._record(film, begin)
        image = self.pictures.xray(film).image
        size = image.shape[1], image.shape[0]
        try:
            record = self.store.save(film.stem, self._facts(film), (begin, size), base, commands, request)
        except RevisionConflict as conflict:
            return False, self._document(number, conflict.current)
        self._table.take(film.stem, {'landmarks': rows_of_marks(record), 'spacing_mm': record.spacing_mm})
        return True, self._document(number, record)

    def values(self, asked: Mapping) -> dict:
        """The measurements of landmarks as they lie on the page.

        Args:
            asked: ``analysis``; ``points``, K pairs x, y, or null; ``expected_mm`` and ``doubtful``, K of each;
                ``spacing_mm``; ``sex`` and ``age``, or null.

        Raises:
            InputError: It is something else.
        """
        try:
            points = [
                (np.nan, np.nan) if point is None else [finite(value) for value in point] for point in asked['points']
            ]
            points_px = np.array(points, float).reshape(-1, 2)
            expected_mm = np.array([np.nan if one is None else finite(one) for one in asked['expected_mm']], float)
            doubtful = np.array(asked['doubtful'], bool)
            if not len(points_px) == len(expected_mm) == len(doubtful) == len(self.landmarks):
                raise ValueError('there is not a value for each landmark')
            spacing_mm = None if asked.get('spacing_mm') is None else finite(asked['spacing_mm'])
            person = Person(asked.get('sex'), None if asked.get('age') is None else finite(asked['age']))
            if np.abs(np.nan_to_num(points_px)).max(initial=0) > 1e7 or (spacing_mm is not None and spacing_mm <= 0):
                raise ValueError('a point beyond any image, or a spacing that is none')
            return self._values.assessed(asked['analysis'], points_px, spacing_mm, expected_mm, doubtful, person)
        except MALFORMED as error:
            raise InputError(f'nothing that can be measured: {type(error).__name__}: {error}') from None

    def _found(self, number: int, wait_s: float = 0.0) -> PredictedXray | None:
        film = self.films[number]
        if film.found is not None or self._ahead is None:
            return film.found
        return self._ahead.found(number, wait_s)

    def _beginning(self, number: int, following: Sequence[int]) -> Beginning | None:
        """How a film begins; None until it is predicted."""
        film = self.films[number]
        found, model = film.found, film.model
        if found is None and self._ahead is not None:
            self._ahead.ask([number, *following[:AHEAD]])
            found, model = self._ahead.found(number, PATIENCE_S), self._model.about
            if found is None:
                return None
        spacing_mm = self.pictures.xray(film).spacing_mm
        return beginning_of(self.landmarks, found, film.labels_px, spacing_mm, model)

    def _record(self, film: ReviewFilm, begin: Beginning) -> ReviewRecord:
        found = self.store.load(film.stem)
        xray = self.pictures.xray(film)
        if found is None:
            return ReviewRecord(begin, (xray.image.shape[1], xray.image.shape[0]))
        record, content = found
        if content.get('pixels_sha256') != _checksum(xray.image):
            raise InputError(
                f'{self.store.path_of(film.stem)} is of another picture than {film.path}: name another --out'
            )
        return record

    def _facts(self, film: ReviewFilm) -> dict:
        return {
            'image': film.stem,
            'file': str(film.path),
            'slice': film.slice,
            'pixels_sha256': _checksum(self.pictures.xray(film).image),
        }

    def _document(self, number: int, record: ReviewRecord) -> dict:
        film = self.films[number]
        xray = self.pictures.xray(film)
        content, begun = record_content(record), record.beginning
        expected = begun.expected_mm
        edits, applied = record.edits, record.applied
        return {
            'number': number,
            'name': film.stem,
            'width': xray.image.shape[1],
            'height': xray.image.shape[0],
            'revision': record.revision,
            'last': record.last,
            'spacing_mm': record.spacing_mm,
            'spacing_from': record.spacing_from,
            'landmarks': content['landmarks'],
            'begun': [row_of(name, mark) for name, mark in begun.marks.items()],
            'found': _points(begun.found_px),
            'expected_mm': [round(float(one), 3) if np.isfinite(one) else None for one in expected],
            'doubtful': begun.doubtful.tolist(),
            'suggested': _points(self._suggestions.places(record, xray.image)),
            'warnings': [*begun.reasons, *xray.warnings],
            'undo': _named(edits[applied - 1]) if applied else None,
            'redo': _named(edits[applied]) if applied < len(edits) else None,
            'others': [
                {'reader': name, 'revision': other.revision, 'landmarks': rows_of_marks(other)}
                for name, other in self.store.others(film.stem).items()
            ],
            'row': self.row(number),
        }


def _named(edit: Mapping) -> dict:
    return {'kind': edit['kind'], 'landmarks': [row['landmark'] for row in edit.get('landmarks', ())]}


def _points(points_px: np.ndarray) -> list:
    return [point if np.isfinite(point).all() else None for point in points_px.round(2).tolist()]


def _checksum(image: np.ndarray) -> str:
    return sha256(np.ascontiguousarray(image)).hexdigest()
