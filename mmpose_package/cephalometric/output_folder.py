"""The folder that a command writes into: for one run at a time, and replaced as a whole or not at all.

What a run makes is gathered in a hidden folder, and moved into place when all of it is there. A record, hidden too,
says what was made, so that the next run can take it away, and leaves what is a user's.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.files import read_json, sha256, sync_folder, write_json
from cephalometric.locks import locked
from cephalometric.names import inside

RECORD = '.cephalometric.json'
STAGE = '.cephalometric.', '.partial'


@contextmanager
def output_folder(folder: str | Path, names: Sequence[str], overwrite: bool) -> Iterator['OutputFolder']:
    """Hold a folder for the results of a run; see :class:`OutputFolder`.

    If nothing was published when the block ends, the folder is as it was.

    Args:
        folder: The folder; made if need be.
        names: The files and folders in it that tell of an earlier run.
        overwrite: Whether earlier results may be replaced.

    Raises:
        InputError: Another run is writing there, or earlier results are there, or the folder cannot be written to.
    """
    folder = Path(folder)
    with locked(folder) as held:
        found = [name for name in names if (folder / name).exists()]
        if found and not overwrite:
            raise InputError(
                f'{folder} holds {found[0]} already: name another folder, or replace the results by --overwrite'
            )
        try:
            if held:
                for left in folder.glob(f'{STAGE[0]}*{STAGE[1]}'):  # By a run that was killed.
                    shutil.rmtree(left, ignore_errors=True)
            stage = Path(tempfile.mkdtemp(*reversed(STAGE), dir=folder))
        except OSError as error:
            raise InputError(f'{folder} cannot be written to: {error.strerror}; name another folder') from None
        try:
            yield OutputFolder(folder, stage)
        finally:
            shutil.rmtree(stage, ignore_errors=True)


class OutputFolder:
    """A folder for results and, in it, a hidden one to make them in.

    Attributes:
        folder: Where the results are to be.
        stage: Where to make them, under the same names.
    """

    def __init__(self, folder: Path, stage: Path) -> None:
        self.folder, self.stage = folder, stage

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
        paths = [path for path in sorted(self.stage.rglob('*')) if not path.name.startswith('.')]
        new = {path.relative_to(self.stage).as_posix(): sha256(path) for path in paths if path.is_file()}
        earlier = self._earlier()
        for name in new:
            if (self.folder / name).is_dir():
                raise InputError(f'{self.folder / name} is a folder, where a file is to go: move it elsewhere')
        self._record(earlier | new, complete=False)
        if last in earlier or last in new:
            (self.folder / last).unlink(missing_ok=True)
        for name, checksum in earlier.items():
            if name not in new:
                self._remove(name, checksum)
        for path in paths:
            if path.is_dir():
                (self.folder / path.relative_to(self.stage)).mkdir(exist_ok=True)
        for name in sorted(new, key=lambda name: name == last):
            os.replace(self.stage / name, self.folder / name)
        for folder in {(self.folder / name).parent for name in new} | {self.folder}:
            sync_folder(folder)
        self._record(new, complete)

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
