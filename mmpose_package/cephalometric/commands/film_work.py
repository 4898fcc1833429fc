"""What is done with each film of a folder, in whichever thread or process: reading, landmarks, drawing."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from cephalometric.api import Model, Result, Xray, load_model, read_xrays
from cephalometric.errors import InputError
from cephalometric.files import write_unsynced
from cephalometric.parallel import map_by_processes, map_by_threads
from cephalometric.reporting.cases import small_jpeg
from cephalometric.reporting.drawing import draw_prediction, encode_overlay, made_small
from cephalometric.reporting.marks import to_bgr
from cephalometric.results.predictions import PredictedXray, entry_text
from cephalometric.xrays.xray_names import PICTURES

PROCESSES_FROM = 64
"""Files from which on processes are worth the second that they take to start; they share no interpreter's lock."""


@dataclass(frozen=True)
class ModelChoice:
    """Which model predicts, and how: what :func:`~cephalometric.api.load_model` takes."""

    models: tuple[str, ...]
    calibration: str | None
    backend: str
    device: str

    def load(self) -> Model:
        """Open it, with one thread for each network."""
        cv2.setNumThreads(1)
        return load_model(
            *self.models, calibration=self.calibration, backend=self.backend, device=self.device, threads=1
        )


@dataclass(frozen=True)
class FilmOptions:
    """What is asked for.

    Attributes:
        overlays: The folder for drawings; None for none.
        overlay_format: 'jpg' for small ones, 'png' for those of full size.
        page: Whether pictures for the page are needed.
        spacing_mm, upright, flag_mm: As for :meth:`cephalometric.api.Model.predict`.
    """

    overlays: Path | None
    overlay_format: str
    page: bool
    spacing_mm: float | None
    upright: bool
    flag_mm: float


@dataclass(frozen=True)
class FilmFile:
    """A file and what its X-rays are called."""

    path: str
    name: str


@dataclass(frozen=True)
class FilmDone:
    """What was made of an X-ray.

    Attributes:
        entry: Its entry in ``predictions.json``, as text.
        overlay: The name and the SHA-256 of its drawing; None where there is none.
        picture: The X-ray made smaller, as JPEG; None where it is not needed.
    """

    entry: str
    overlay: tuple[str, str] | None
    picture: bytes | None


@dataclass(frozen=True)
class PartDone:
    """What was made of a file or of a part of it.

    Attributes:
        films: Its X-rays, in order.
        ends: Whether this is the last part.
        error: Why it, or the rest of it, could not be read.
    """

    films: tuple[FilmDone, ...] = ()
    ends: bool = True
    error: str | None = None


class FilmWork:
    """Does it.

    Args:
        model: What predicts.
        options: What is asked for.
    """

    def __init__(self, model: Model, options: FilmOptions) -> None:
        self.model, self.options = model, options

    def do(self, item: FilmFile | Xray | PartDone) -> PartDone:
        """Whatever is left to do with a file, one of its X-rays, or a part that is done."""
        if isinstance(item, PartDone):
            return item
        if isinstance(item, Xray):
            return PartDone((self.finish(self.predict([item])[0]),), ends=False)
        films, error = [], None
        for read in self.read(item):
            if isinstance(read, PartDone):
                error = read.error
            else:
                films.append(self.finish(self.predict([read])[0]))
        return PartDone(tuple(films), error=error)

    def read(self, file: FilmFile) -> Iterator[Xray | PartDone]:
        """The X-rays of a file, and its end. One that cannot be read costs the others nothing."""
        try:
            yield from read_xrays(file.path, self.options.spacing_mm, file.name)
        except InputError as error:
            yield PartDone(error=str(error))
        else:
            yield PartDone()

    def predict(self, xrays: Sequence[Xray]) -> list[Result]:
        """The landmarks of X-rays, in one pass of the networks."""
        return self.model.predict_batch(xrays, upright=self.options.upright, flag_mm=self.options.flag_mm)

    def finish(self, result: Result) -> FilmDone:
        """Draw a result, and write it down."""
        image = to_bgr(result.image)
        small, factor = made_small(image)
        overlay = draw_overlay(self.model, self.options, result, (image, small, factor))
        entry = entry_text(result.to_json())
        return FilmDone(entry, overlay, small_jpeg(small) if self.options.page else None)

    def finish_any(self, item: Result | PartDone) -> PartDone:
        """As :meth:`finish`; a part that is done is left as it is."""
        return item if isinstance(item, PartDone) else PartDone((self.finish(item),), ends=False)

    def in_batches(self, files: Iterable[FilmFile], size: int) -> Iterator[Result | PartDone]:
        """Results by passes of several X-rays, and the ends of files among them."""
        waiting: list[Xray | PartDone] = []
        for item in (each for file in files for each in self.read(file)):
            waiting.append(item)
            if sum(isinstance(each, Xray) for each in waiting) == size:
                yield from self._predicted(waiting)
                waiting = []
        yield from self._predicted(waiting)

    def _predicted(self, items: Sequence[Xray | PartDone]) -> Iterator[Result | PartDone]:
        xrays = [item for item in items if isinstance(item, Xray)]
        results = iter(self.predict(xrays) if xrays else ())
        for item in items:
            yield next(results) if isinstance(item, Xray) else item


def draw_overlay(model: Model, options: FilmOptions, xray: PredictedXray, images: tuple) -> tuple[str, str] | None:
    """Draw an X-ray, if that is asked for; returns the name and the checksum of the file.

    Args:
        model: Whose landmarks they are.
        options: What is asked for.
        xray: The landmarks.
        images: The X-ray in BGR order; the same made smaller, and by which number.
    """
    if options.overlays is None:
        return None
    image, small, factor = images
    name = f'{xray.name}.{options.overlay_format}'
    full = options.overlay_format == 'png'
    picture = draw_prediction(image if full else small, model.landmarks, xray, 1 if full else factor)
    content = encode_overlay(picture, f'.{options.overlay_format}')
    write_unsynced(options.overlays / name, content)
    return name, hashlib.sha256(content).hexdigest()


def all_films(
    work: FilmWork, choice: ModelChoice, files: Iterable[FilmFile], count: int, workers: int, batch_size: int
) -> Iterator[PartDone]:
    """Work on files, several at once; what is done comes in the order of the files.

    Args:
        work: What is to be done.
        choice: The model of ``work``, for processes to load.
        files: The files.
        count: How many there are.
        workers: How many X-rays at once.
        batch_size: X-rays in one pass on a GPU; on a CPU each has a pass of its own, so that its landmarks are the
            same to the bit whatever comes before and after it.
    """
    if choice.device != 'cpu':
        return map_by_threads(work.finish_any, work.in_batches(files, batch_size), max(workers, 2))
    if workers == 1 or count < PROCESSES_FROM:
        return map_by_threads(work.do, _for_threads(work, files), workers)
    return map_by_processes(_work_on, files, workers, _prepare, (choice, work.options), _died)


def _for_threads(work: FilmWork, files: Iterable[FilmFile]) -> Iterator[FilmFile | Xray | PartDone]:
    """Files that hold one X-ray, and the X-rays of others, so that several threads work on a stack."""
    for file in files:
        if Path(file.path).suffix.lower() in PICTURES:
            yield file
        else:
            yield from work.read(file)


_work: FilmWork | None = None
"""What this process does, if it is one of several."""


def _prepare(choice: ModelChoice, options: FilmOptions) -> None:
    global _work
    _work = FilmWork(choice.load(), options)


def _work_on(file: FilmFile) -> PartDone:
    return _work.do(file)


def _died(file: FilmFile) -> PartDone:
    return PartDone(error=f'{file.path}: reading it ends the program that does: it is damaged; export it again')
