"""A run over films: what is done is written as it comes, and can be gone on with after any interruption."""

import hashlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tqdm import tqdm

from cephalometric.api import Model, read_xrays
from cephalometric.commands.film_work import (
    FilmFile,
    FilmOptions,
    FilmWork,
    ModelChoice,
    all_films,
    draw_overlay,
)
from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.output_folder import OutputFolder
from cephalometric.reporting.drawing import made_small
from cephalometric.reporting.marks import to_bgr
from cephalometric.reporting.result_files import PREDICTIONS, ResultFiles, page_picture
from cephalometric.results.predictions import PredictedXray, entry_text
from cephalometric.results.run_journal import JOURNAL, begin_journal, reopen_journal
from cephalometric.xrays.xray_names import name_xrays

INTERRUPTED = 'not predicted, or not all of it: the run was interrupted'


class Inputs:
    """The files of a run, and those of its part.

    A part is a row of files, so that parts that are joined have the order of a whole run. Names are those of a whole
    run, too.

    Args:
        paths: All files.
        shard: Which part, from 1, and of how many; None for all.

    Attributes:
        paths: All files.
        checksum: Stands for all files and their names.
        start, stop: Where the part begins and ends.
    """

    def __init__(self, paths: Sequence[str], shard: tuple[int, int] | None) -> None:
        self.paths, self._names = paths, name_xrays(paths)
        number, count = shard or (1, 1)
        self.start, self.stop = (len(paths) * place // count for place in (number - 1, number))
        digest = hashlib.sha256()
        for path, name in zip(paths, self._names, strict=True):
            digest.update(f'{path}\0{name}\0'.encode('utf-8', 'surrogateescape'))
        self.checksum = digest.hexdigest()[:16]

    def __len__(self) -> int:
        return self.stop - self.start

    def files(self, done: int) -> Iterator[FilmFile]:
        """The files of the part, without the first of them that are done."""
        for n in range(self.start + done, self.stop):
            yield FilmFile(self.paths[n], self._names[n])

    def path(self, n: int) -> str:
        """A file of the part, from 0."""
        return self.paths[self.start + n]


class FilmRun:
    """Predicts films and writes the results.

    Args:
        model: What predicts.
        options: What is asked for.
        inputs: The files.
        output: The folder for the results. If its stage has a journal, the run goes on where that ends.
        facts: What is asked for, of plain types: what must be the same to go on.
        say: Is told what a user should know, a line each.

    Attributes:
        results: The files that are written.
        failed: Why a file could not be read, by the file.

    Raises:
        InputError: The journal is that of another run.
    """

    def __init__(
        self,
        model: Model,
        options: FilmOptions,
        inputs: Inputs,
        output: OutputFolder,
        facts: Mapping[str, object],
        say: Callable[[str], None],
    ) -> None:
        self.model, self.options, self.inputs, self.output, self._say = model, options, inputs, output, say
        self.failed: dict[str, str] = {}
        path = output.stage / JOURNAL
        begun = path.is_file()
        self.journal = reopen_journal(path, facts) if begun else begin_journal(path, facts)
        output.to_be_resumed = begun
        about = {**model.about(), 'flag_mm': options.flag_mm}
        self.results = ResultFiles(output.stage, model.landmarks, model.measurements, about, facts, options.page)
        if options.overlays is not None:
            options.overlays.mkdir(exist_ok=True)
        if begun:
            self._go_on()

    def predict(self, choice: ModelChoice, workers: int, batch_size: int) -> None:
        """Predict what is left; arguments as for :func:`~cephalometric.commands.film_work.all_films`."""
        done = self.journal.done
        left = len(self.inputs) - done
        work = FilmWork(self.model, self.options)
        progress = tqdm(desc='Predicting', unit='file', total=len(self.inputs), initial=done)
        with progress:
            for part in all_films(work, choice, self.inputs.files(done), left, min(workers, max(left, 1)), batch_size):
                for film in part.films:
                    self._keep(film.entry, film.overlay, film.picture)
                if part.ends:
                    self._end_file(part.error)
                    progress.update()

    def _keep(self, entry: str, overlay: tuple[str, str] | None, picture: bytes | None) -> None:
        self.journal.add(entry, overlay)
        xray = self.results.add(entry, picture)
        if overlay:
            self.output.checksums[f'overlays/{overlay[0]}'] = overlay[1]
        for warning in xray.warnings:
            self._say(f'warning: {xray.name}: {warning}')

    def _end_file(self, error: str | None) -> None:
        if error is not None:
            self.failed[self.inputs.path(self.journal.done)] = error
            self._say(f'error: {error}')
        self.journal.end_file(error)
        self.output.to_be_resumed = True

    def _go_on(self) -> None:
        """Take over what the journal says; what was published by an interruption stays where it is."""
        number = 0
        for line in self.journal.lines():
            if line.entry is None:
                if line.error is not None:
                    self.failed[self.inputs.path(number)] = line.error
                number += 1
                continue
            xray = self.results.add(entry_text(line.entry))
            if line.overlay:
                name = f'overlays/{line.overlay[0]}'
                drawn = self.output.stage / name
                # After a power cut, what was drawn last may be there by name alone.
                if drawn.is_file() and (number < self.journal.synced or sha256(drawn) == line.overlay[1]):
                    self.output.checksums[name] = line.overlay[1]
                elif (self.output.folder / name).is_file():
                    self.output.published.add(name)
                else:
                    self._draw_again(xray)
        self._say(f'going on after {number} of {len(self.inputs)} files')

    def _draw_again(self, xray: PredictedXray) -> None:
        image = find_image(xray)
        if image is not None:
            image = to_bgr(image)
            name, checksum = draw_overlay(self.model, self.options, xray, (image, *made_small(image)))
            self.output.checksums[f'overlays/{name}'] = checksum

    def publish(self, complete: bool) -> None:
        """Write what is left to write, and put all of it into place; to go on, the journal stays unless all is done."""
        self.journal.sync()
        self.output.to_be_resumed = True
        if not complete:
            self._leave_out_half_files()
        self.results.finish(self.failed, complete, picture_of)
        self.output.publish(last=PREDICTIONS, complete=complete)
        self.journal.close()
        self.output.to_be_resumed = not complete

    def _leave_out_half_files(self) -> None:
        done = self.journal.done
        self.failed |= dict.fromkeys(map(self.inputs.path, range(done, len(self.inputs))), INTERRUPTED)
        known = self.output.checksums
        for path in (self.output.stage / 'overlays').glob('*'):
            if f'overlays/{path.name}' not in known:
                path.unlink()


def find_image(xray: PredictedXray) -> object | None:
    """The image of an X-ray, read again; None if it is not there any more or cannot be read."""
    try:
        # With the spacing of the result: a film whose pixels are not square is not read without one.
        for found in read_xrays(xray.file, xray.spacing_mm):
            if found.slice == xray.slice:
                return found.image if found.image.shape[:2] == (xray.height, xray.width) else None
    except InputError:
        pass
    return None


def picture_of(xray: PredictedXray) -> bytes | None:
    """The picture of an X-ray for the page, read again; None if it is not there any more."""
    image = find_image(xray)
    return None if image is None else page_picture(image)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Have the signal that asks a program to end do the same as Ctrl-C, with a status of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: object) -> None:
        raise _EndedError(number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except _EndedError as error:
        raise SystemExit(128 + error.args[0]) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class _EndedError(KeyboardInterrupt):
    """A signal asks the program to end."""
