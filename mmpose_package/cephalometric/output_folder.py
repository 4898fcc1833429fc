"""The folder that a command writes into: for one run at a time, and replaced as a whole or not at all.

What a run makes is gathered in a hidden folder, and moved into place when all of it is there. A record, hidden too,
says what was made, so that the next run can take it away, and leaves what is a user's. A run that keeps a journal in
the hidden folder can be gone on with after any interruption.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.files import WRITING, read_json, sha256, sync_folder, write_json
from cephalometric.locks import locked
from cephalometric.names import inside

RECORD = '.cephalometric.json'
STAGE = '.cephalometric.', '.partial'


@contextmanager
def output_folder(
    folder: str | Path, names: Sequence[str], overwrite: bool, *, journal: str = '', resume: bool = False
) -> Iterator['OutputFolder']:
    """Hold a folder for the results of a run; see :class:`OutputFolder`.

    If nothing was published when the block ends, the folder is as it was.

    Args:
        folder: The folder; made if need be.
        names: The files and folders in it that tell of an earlier run.
        overwrite: Whether earlier results may be replaced.
        journal: The name of a hidden file in the stage by which an interrupted run can be gone on with; none if empty.
        resume: Go on with such a run, if there is one.

    Raises:
        InputError: Another run is writing there, or earlier results are there, or an interrupted run that may neither
            be gone on with nor replaced, or the folder cannot be written to.
    """
    folder = Path(folder)
    with locked(folder) as held:
        begun = begun_stage(folder, journal) if journal else None
        if begun and not resume and not overwrite:
            raise InputError(
                f'{folder} holds a run that was interrupted: go on by --resume, or begin anew by --overwrite'
            )
        found = [name for name in names if (folder / name).exists()]
        if found and not overwrite and not (resume and begun):
            raise InputError(
                f'{folder} holds {found[0]} already: name another folder, or replace the results by --overwrite'
            )
        try:
            stage = begun if resume else None
            if held:
                for left in folder.glob(f'{STAGE[0]}*{STAGE[1]}'):  # By a run that was killed.
                    if left != stage:
                        shutil.rmtree(left, ignore_errors=True)
            stage = stage or Path(tempfile.mkdtemp(*reversed(STAGE), dir=folder))
        except OSError as error:
            raise InputError(f'{folder} cannot be written to: {error.strerror}; name another folder') from None
        output = OutputFolder(folder, stage)
        try:
            yield output
        except OSError as error:
            if error.errno not in WRITING:
                raise
            raise InputError(f'{folder} cannot be written to: {error.strerror}; make room, or name another') from None
        finally:
            if not output.to_be_resumed:
                shutil.rmtree(stage, ignore_errors=True)


def begun_stage(folder: Path, journal: str) -> Path | None:
    """The stage of an interrupted run; of several, which only a drive without locks has, that of the last one."""
    stages = [stage for stage in folder.glob(f'{STAGE[0]}*{STAGE[1]}') if (stage / journal).is_file()]
    return max(stages, key=lambda stage: (stage / journal).stat().st_mtime, default=None)


class OutputFolder:
    """A folder for results and, in it, a hidden one to make them in.

    Attributes:
        folder: Where the results are to be.
        stage: Where to make them, under the same names.
        to_be_resumed: Whether the stage stays, for a run that goes on.
        checksums: The SHA-256 of files by their names, in so far as they are known from when they were written.
        published: Names of what was published by the same run, before it was interrupted, and is to stay.
    """

    def __init__(self, folder: Path, stage: Path) -> None:
        self.folder, self.stage = folder, stage
        self.to_be_resumed = False
        self.checksums: dict[str, str] = {}
        self.published: set[str] = set()

    def publish(self, last: str, complete: bool = True) -> None:
        """Put everything that is in the stage into place, and take away what an earlier run has made besides.

        Args:
            last: The file whose presence says that all is there: the first to go, and the last to come.
            complete: Whether the run has done all that was asked of it; noted in the record.

        Raises:
            InputError: The folder cannot be written to, or something else has the name of a folder of results.
        """
        try:
            self._publish(last, complete)
        except OSError as error:
            raise InputError(f'{self.folder} cannot be written to: {error.strerror or error}') from error

    def _publish(self, last: str, complete: bool) -> None:
        folders = [Path('.'), *(path.relative_to(self.stage) for path in _folders_in(self.stage))]
        earlier, new = self._earlier(), {}
        for folder in folders:
            for entry in sorted(os.scandir(self.stage / folder), key=lambda entry: entry.name):
                name = (folder / entry.name).as_posix()
                if entry.is_file() and not entry.name.startswith('.'):
                    new[name] = self.checksums.get(name) or sha256(entry.path)
                    if (self.folder / name).is_dir():
                        raise InputError(f'{self.folder / name} is a folder, where a file is to go: move it elsewhere')
        kept = {name: earlier[name] for name in self.published if name in earlier and name not in new}
        self._record(earlier | new, complete=False)
        if last in earlier or last in new:
            (self.folder / last).unlink(missing_ok=True)
        for name, checksum in earlier.items():
            if name not in new and name not in kept:
                self._remove(name, checksum)
        for folder in folders:
            (self.folder / folder).mkdir(exist_ok=True)
        for name in sorted(new, key=lambda name: name == last):
            os.replace(self.stage / name, self.folder / name)
        for folder in folders:
            sync_folder(self.folder / folder)
        self._record(dict(sorted((kept | new).items())), complete)

    def _earlier(self) -> dict[str, str]:
        """What an earlier run has made: names and checksums."""
        with contextlib.suppress(InputError, AttributeError, KeyError, TypeError, ValueError):
            files = read_json(self.folder / RECORD)['files']
            return {str(name): str(checksum) for name, checksum in files.items()}
        return {}

    def _record(self, files: dict[str, str], complete: bool) -> None:
        write_json(self.folder / RECORD, {'made_by': 'cephalometric', 'complete': complete, 'files': files})

    def _remove(self, name: str, checksum: str) -> None:
        """Remove a file of an earlier run, unless it is another by now, and its folder if nothing is left in it."""
        path = inside(self.folder, name)
        if path is None or path.is_symlink() or not path.is_file() or sha256(path) != checksum:
            return
        path.unlink()
        if path.parent != self.folder:
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # Which goes only if nothing is in it.


def _folders_in(folder: Path) -> list[Path]:
    """The folders below one, at any depth, sorted, but no hidden ones."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir() and not entry.name.startswith('.'):
            found += [Path(entry.path), *_folders_in(Path(entry.path))]
    return found
