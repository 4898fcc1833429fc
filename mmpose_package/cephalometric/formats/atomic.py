"""Files appear whole or not at all."""

import contextlib
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
