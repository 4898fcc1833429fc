"""Files that appear whole or not at all, one or many together, and their checksums.

Many files that are to appear together are made in a hidden folder first, and moved into place when all is well.
Whatever stops the work before, nothing of it is in place. If the moving itself is cut short, by SIGKILL or a power
failure, a record in the hidden folder lets the next run tell that run's leftovers from a user's files.
"""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.locks import let_go, take_lock

# What says that a place cannot be written to; other errors may come from what is read meanwhile.
WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name in its own folder, and give it its name when the block ends well.

    Whatever stops the block, a file that already had the name stays as it was. If the name is that of a link, the file
    that it leads to is written, and the link stays. Several at once do not disturb each other: the last one counts.

    Args:
        path: The file to write.

    Yields:
        The temporary path to write to: a hidden file in the same folder.

    Raises:
        InputError: The folder does not exist or cannot be written to, the disk is full, or ``path`` is a folder or a
            device; or, named by itself, a file that is read in the block cannot be.
    """
    path = Path(path)
    target = _target(path)
    name = f'.{target.name[:40]}'
    try:
        lock = take_lock(target.with_name(f'{name}.lock'))
    except BlockingIOError:
        lock = None
    # One name for whoever holds the lock, so that what a killed run leaves goes with the next; else a name of its own.
    partial = target.with_name(f'{name}.{"" if lock else secrets.token_hex(8) + "."}partial')
    try:
        _create(partial)  # A folder that cannot be written to is found out before the work, not after it.
    except OSError as error:
        let_go(lock)
        raise InputError(f'{path} cannot be written: {error.strerror}') from error
    try:
        yield partial
        _sync(partial)
        os.replace(partial, target)
        sync_folder(target.parent)
    except OSError as error:
        ours = error.filename is None or str(error.filename) in (str(partial), str(target))
        if not ours:
            raise InputError(f'{error.filename}: {error.strerror}; {path} was not written') from error
        said = 'cannot be written' if error.errno in WRITING or error.filename else 'was not written'
        raise InputError(f'{path} {said}: {error.strerror or error}') from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        let_go(lock)


def check_place(path: str | Path) -> None:
    """Find out before the work whether a file can be written at its end.

    Raises:
        InputError: As :func:`atomic_write`.
    """
    partial = _target(Path(path)).with_name(f'.{secrets.token_hex(8)}.partial')
    try:
        _create(partial)
        partial.unlink()
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error.strerror}') from error


def _target(path: Path) -> Path:
    """The file that is meant: that which a link leads to."""
    try:
        if '\0' in str(path):
            raise ValueError('a name holds no null bytes')
        target = path.resolve() if path.is_symlink() else path
        if target.is_dir():
            raise InputError(f'{path} is a folder: name a file')
        if target.exists() and not target.is_file():
            raise InputError(f'{path} is neither a file nor new: name a file')
        if not target.parent.is_dir():
            raise InputError(f'{path}: the folder {target.parent} does not exist; make it first or name another')
    except (OSError, RuntimeError, ValueError) as error:  # A name that is too long, or a circle of links.
        raise InputError(f'{path} cannot be written: {getattr(error, "strerror", None) or error}') from error
    return target


def _create(partial: Path) -> None:
    """A new empty file, with the rights that new files have; a link of that name is not followed."""
    partial.unlink(missing_ok=True)
    # Not what tempfile makes, which nobody else may read.
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))


def _sync(path: Path) -> None:
    """Have a file on the disk, and not only on its way there."""
    with open(path, 'rb+') as file:
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):  # A file system without.
                raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where that is possible: not on Windows."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_json(path: str | Path) -> object:
    """The content of a JSON file.

    Raises:
        InputError: The file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the path of a JSON file') from None
    except (ValueError, RecursionError) as error:
        raise InputError(f'{path}: invalid JSON: {error}') from None


def write_json(path: str | Path, content: object) -> None:
    """Write a JSON file, the same bytes for the same content.

    Raises:
        InputError: The file cannot be written there.
        ValueError: The content holds NaN or infinity, which JSON does not know.
    """
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(content, allow_nan=False) + '\n', encoding='utf-8')


def sha256(path: str | Path) -> str:
    """The SHA-256 checksum of a file, in hexadecimal digits.

    Raises:
        InputError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, 'rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from None
    return digest.hexdigest()


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
