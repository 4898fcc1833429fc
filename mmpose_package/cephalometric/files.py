"""Files that appear whole or not at all, texts in the encodings that people use, and checksums."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
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


def write_unsynced(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, where nobody else writes and :func:`sync_disk` is called later.

    That takes a tenth of the time of :func:`atomic_write`.

    Raises:
        InputError: It cannot be written.
    """
    partial = path.with_name(f'.{path.name}.partial')
    try:
        with open(partial, 'wb') as file:
            file.write(content)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error.strerror or error}') from error


def sync_disk() -> None:
    """Have all that was written on the disk, where the system has a call for that."""
    if hasattr(os, 'sync'):
        os.sync()


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


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Other encodings cannot be told from each other, and a wrong guess would change names without a word.

    Raises:
        InputError: The file is missing or unreadable, or its encoding is another one.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # A name with a zero byte is a ValueError.
        raise InputError(f'{path} cannot be read: {getattr(error, "strerror", None) or error}; name a file') from None
    try:
        # It looks at the first four bytes, which are ASCII in a table's header as they are in JSON.
        return content.decode(json.detect_encoding(content)).removeprefix('\ufeff')
    except UnicodeDecodeError as error:
        place = content.count(b'\n', 0, error.start) + 1
        raise InputError(
            f'{path}: is no text in UTF-8, UTF-16 or UTF-32 (line {place}): it may be one in GB18030, Windows-1252 or '
            'another encoding, and then: save it as UTF-8'
        ) from None


def read_json(path: str | Path) -> object:
    """The content of a JSON file, in an encoding that :func:`read_text` knows.

    Raises:
        InputError: The file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(read_text(path))
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
