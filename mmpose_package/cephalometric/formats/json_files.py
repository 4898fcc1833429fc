"""JSON files: read with a clear message, written whole or not at all."""

import json
from pathlib import Path

from cephalometric.errors import InputError
from cephalometric.formats.atomic import atomic_write


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
