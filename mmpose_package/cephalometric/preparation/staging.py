"""Many files that appear together or not at all.

They are made in a hidden folder first, and moved into place when all is well. Whatever stops the work before, nothing
of it is in place. If the moving itself is cut short, by SIGKILL or a power failure, a record in the hidden folder lets
the next run tell that run's leftovers from a user's files. The record is a file that anybody may have written, so it
is believed only where it names what the step itself makes, in the step's own folder.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.files import read_json

RECORD = 'made_by_cephalometric.json'
NEW_RECORD = f'{RECORD}.new'


@contextmanager
def staging(root: Path, name: str, made: re.Pattern[str]) -> Iterator['Staging']:
    """Make the hidden folder ``.NAME.partial`` in ``root``, after removing what a killed run has left of it.

    When the block ends, the hidden folder goes; if nothing was published, so do folders that had to be made for it.

    Args:
        root: The folder in which the files are to appear; made if need be.
        name: What to call the hidden folder by.
        made: Fits the names, relative to ``root`` and with forward slashes, of all files that the step makes. No other
            file is ever removed or published.

    Yields:
        Where to make the files and how to publish them.

    Raises:
        InputError: A folder of that name is there that no earlier run has made, its record names other files, or
            ``root`` cannot be written to.
    """
    stage = Staging(root, root / f'.{name}.partial', made)
    new_folders = [path for path in (root, *root.parents) if not path.exists()]
    try:
        stage.clear()
        stage.folder.mkdir(parents=True)
        stage.record([])
        try:
            yield stage
        finally:
            stage.clear()
            for path in new_folders:
                if not any(path.iterdir()):
                    path.rmdir()
    except OSError as error:
        raise InputError(f'{root} cannot be written to: {error}') from error


class Staging:
    """The hidden folder. A file made as ``folder / name`` is published as ``root / name``."""

    def __init__(self, root: Path, folder: Path, made: re.Pattern[str]):
        self.root = root
        self.folder = folder
        self._made = made

    def publish(self, names: Iterable[str], replaced: Iterable[str] = ()) -> None:
        """Move files into place.

        Args:
            names: Their names relative to ``folder``, in the order in which they are to appear: last the one whose
                presence says that all is complete.
            replaced: Names relative to ``root`` of older files that make way, in the order of their removal.

        Raises:
            ValueError: A name is none that the step makes.
        """
        names, replaced = list(names), list(replaced)
        foreign = [name for name in (*names, *replaced) if not self._made.fullmatch(name)]
        if foreign:
            raise ValueError(f'{foreign[0]!r} is not the name of a file of this step')
        self.record([*replaced, *names])
        for name in replaced:
            (self.root / name).unlink(missing_ok=True)
        for name in names:
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.folder / name).replace(self.root / name)
        self.record([])

    def record(self, names: list[str]) -> None:
        """Note which files below ``root`` are removed when the folder is cleared: those of an unfinished publishing."""
        (self.folder / NEW_RECORD).write_text(json.dumps(names), encoding='utf-8')
        (self.folder / NEW_RECORD).replace(self.folder / RECORD)

    def clear(self) -> None:
        """Remove the folder and whatever an unfinished publishing has put into place."""
        if self.folder.is_symlink() or (self.folder.exists() and not self.folder.is_dir()):
            raise self._in_the_way('is no folder')
        if not self.folder.exists():
            return
        found = [path for path in self.folder.rglob('*') if not self._is_ours(path)]
        recorded = (self.folder / RECORD).is_file()
        if found or (not recorded and any(path.name != NEW_RECORD for path in self.folder.iterdir())):
            raise self._in_the_way('was not made by an earlier run')
        for name in self._recorded() if recorded else []:
            (self.root / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def _is_ours(self, path: Path) -> bool:
        """Whether a path in the hidden folder is of the step: its files, their folders, half files, a lock."""
        if path.is_symlink():
            return False
        name = path.relative_to(self.folder).as_posix()
        passing = path.name.startswith('.') and path.name.endswith(('.partial', '.lock'))
        return path.is_dir() or passing or name in (RECORD, NEW_RECORD) or self._made.fullmatch(name) is not None

    def _recorded(self) -> list[str]:
        """The names in the record, which are all such as the step makes, and lead to nowhere outside ``root``."""
        names = read_json(self.folder / RECORD)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._in_the_way(f'holds a {RECORD} that is no list of names')
        for name in names:
            if not self._made.fullmatch(name):
                raise self._in_the_way(f'holds a {RECORD} that names {name!r}, which this step does not make')
            if (self.root / name).parent.is_symlink():
                raise self._in_the_way(f'holds a {RECORD} that names {name!r}, which lies behind a link')
        return names

    def _in_the_way(self, reason: str) -> InputError:
        return InputError(
            f'{self.folder} is in the way: it {reason}; nothing was removed; look at it, and move it elsewhere'
        )
