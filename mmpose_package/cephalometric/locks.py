"""Locks between processes, which the kernel lets go of when a process ends, however it ends."""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from cephalometric.errors import InputError
from cephalometric.names import printable

LOCK = '.cephalometric.lock'


def take_lock(path: Path) -> BaseFileLock | None:
    """Hold a lock's file, and say in it who does; None where the file system knows no locks or lets none be made.

    Raises:
        BlockingIOError: Another process, or another part of this one, holds it.
    """
    lock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise BlockingIOError(f'{path} is held') from None
    except (OSError, NotImplementedError, ValueError):
        return None
    with contextlib.suppress(OSError):
        words = ' '.join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        path.write_text(printable(f'process {os.getpid()} on {platform.node()}: {words}'), encoding='utf-8')
    return lock


def let_go(lock: BaseFileLock | None) -> None:
    """Let go of a lock, and remove its file."""
    if lock is not None:
        with contextlib.suppress(OSError):  # Before it is let go of: afterwards it may be another's.
            os.unlink(lock.lock_file)
        lock.release()


def holder(path: Path) -> str:
    """Who holds a lock's file, in words."""
    try:
        return printable(path.read_text(encoding='utf-8', errors='replace'))[:200] or 'it does not say which'
    except OSError:
        return 'it does not say which'


@contextmanager
def locked(folder: str | Path, name: str = LOCK) -> Iterator[bool]:
    """Hold a folder for this process alone, until the block ends or the process does.

    The folder is made if need be, and goes again if nothing is in it at the end. Where there are no locks, as on some
    network drives, or no file can be made, the block is entered without one.

    Args:
        folder: The folder.
        name: What the lock's file in it is called.

    Yields:
        Whether it is held.

    Raises:
        InputError: Another process holds it, or the folder cannot be made.
    """
    folder = Path(folder)
    made = _make(folder)
    lock = None
    try:
        try:
            lock = take_lock(folder / name)
        except BlockingIOError:
            raise InputError(
                f'{folder}: another run is writing there ({holder(folder / name)}): wait until it ends, or name '
                'another folder'
            ) from None
        yield lock is not None
    finally:
        let_go(lock)
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()


def _make(folder: Path) -> list[Path]:
    """Make a folder; returns what was not there before, the innermost first."""
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next((path for path in (folder, *folder.parents) if path.is_file() or path.is_symlink()), folder)
        reason = '' if file == folder else f'cannot be made, because {file} '
        raise InputError(f'{folder} {reason}is a file: name a folder') from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f'{folder} cannot be made: {reason}; name another folder') from None
    return made
