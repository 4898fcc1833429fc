"""Files that appear whole or not at all, texts in the encodings that people use, and checksums."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cephalometric.errors import InputError


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name in its own folder, and give it its name when the block ends well.

    Whatever stops the block, a file that already had the name stays as it was.

    Args:
        path: The file to write.

    Yields:
        The temporary path to write to: a hidden file beside ``path``.

    Raises:
        InputError: The folder does not exist or cannot be written to, or ``path`` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f'{path} is a folder: name a file')
    if not path.parent.is_dir():
        raise InputError(f'{path}: the folder {path.parent} does not exist; make it first or name another')
    partial = path.with_name(f'.{path.name}.partial')
    try:
        partial.touch()  # A folder that cannot be written to is found out before the work, not after it.
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f'{path} cannot be written: {error}') from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


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
