"""Many files that are to appear together: made in a hidden folder first, moved into place when all is well.

Whatever stops the work before, nothing of it is in place. If the moving itself is cut short, by SIGKILL or a power
failure, a record in the hidden folder lets the next run tell that run's leftovers from a user's files.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError

RECORD = 'made_by_cephalometric.json'
NEW_RECORD = f'{RECORD}.new'


@contextmanager
def staging(root: Path, name: str) -> Iterator['Staging']:
    """Make the hidden folder ``.NAME.partial`` in ``root``, after removing what a killed run has left of it.

    When the block ends, the hidden folder goes; if nothing was published, so do folders that had to be made for it.

    Args:
        root: The folder in which the files are to appear; made if need be.
        name: What to call the hidden folder by.

    Yields:
        Where to make the files and how to publish them.

    Raises:
        InputError: A folder of that name is there that no earlier run has made, or ``root`` cannot be written to.
    """
    stage = Staging(root, root / f'.{name}.partial')
    made = [path for path in (root, *root.parents) if not path.exists()]
    try:
        stage.clear()
        stage.folder.mkdir(parents=True)
        stage.record([])
        try:
            yield stage
        finally:
            stage.clear()
            for path in made:
                if not any(path.iterdir()):
                    path.rmdir()
    except OSError as error:
        raise InputError(f'{root} cannot be written to: {error}') from error


class Staging:
    """The hidden folder. A file made as ``folder / name`` is published as ``root / name``."""

    def __init__(self, root: Path, folder: Path):
        self.root = root
        self.folder = folder

    def publish(self, names: Iterable[str], replaced: Iterable[str] = ()) -> None:
        """Move files into place.

        Args:
            names: Their names relative to ``folder``, in the order in which they are to appear: last the one whose
                presence says that all is complete.
            replaced: Names relative to ``root`` of older files that make way, in the order of their removal.
        """
        names, replaced = list(names), list(replaced)
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
        if not self.folder.exists():
            return
        recorded = (self.folder / RECORD).is_file()
        if not recorded and any(path.name != NEW_RECORD for path in self.folder.iterdir()):
            raise InputError(f'{self.folder} is in the way and was not made by an earlier run: move it elsewhere')
        if recorded:
            for name in json.loads((self.folder / RECORD).read_text(encoding='utf-8')):
                (self.root / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder)
