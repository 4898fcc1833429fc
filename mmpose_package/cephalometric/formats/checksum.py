"""Which file it was: checksums."""

import hashlib
from pathlib import Path

from cephalometric.errors import InputError


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
