"""Names that come from outside, made fit: to be printed, to be those of files on any system, to stay in a folder."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# Of 255 bytes, which file systems allow: an analysis, the number of a slice, a suffix and a temporary ending follow.
LONGEST = 180
UNPRINTABLE = {'Cc', 'Cs', 'Zl', 'Zp'}  # Control characters, halves of characters, breaks of lines and paragraphs.
FORBIDDEN = set('/\\:*?"<>|')
RESERVED = re.compile(r'(CON|PRN|AUX|NUL|COM\d|LPT\d)(\.|$)', re.IGNORECASE)


def printable(text: str) -> str:
    """A text of one line that UTF-8 can hold: what cannot be printed becomes ``%XX``, the bytes that it stands for.

    Python reads a byte of a file name that is not UTF-8 as half of a character, which no file and no console takes.
    """
    if text.isascii() and text.isprintable():  # As nearly all are.
        return text
    return ''.join(_escaped(each) if unicodedata.category(each) in UNPRINTABLE else each for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    is_byte = 0xDC80 <= code <= 0xDCFF
    return ''.join(f'%{value:02X}' for value in ([code - 0xDC00] if is_byte else _bytes(character)))


def _bytes(text: str) -> bytes:
    return text.encode('utf-8', 'surrogatepass')


def file_stem(name: str) -> str:
    """A name as the stem of a file, which needs a suffix, on any file system: never a path, and not too long for one.

    Most names stay as they are. The same name gives the same stem; of names that are too long a checksum tells them
    apart.
    """
    stem = ''.join(_escaped(each) if each in FORBIDDEN else each for each in printable(name)) or 'unnamed'
    if stem.startswith('.') or RESERVED.match(stem):
        stem = _escaped(stem[0]) + stem[1:]
    if len(_bytes(stem)) <= LONGEST:
        return stem
    digest = hashlib.sha256(_bytes(name)).hexdigest()[:8]
    return f'{_bytes(stem)[: LONGEST - 9].decode("utf-8", "ignore")}~{digest}'


def unique_stems(names: Iterable[str]) -> list[str]:
    """The :func:`file_stem` of each name, with a number where two are equal but for their case."""
    stems, taken, last = [], set(), {}
    for name in names:
        stem = base = file_stem(name)
        number = last.get(base, 1)
        while stem.casefold() in taken:
            number += 1
            stem = f'{base}-{number}'
        last[base] = number
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def inside(folder: str | Path, name: str, links: bool = False) -> Path | None:
    """The path of that name below a folder; None where the name leads elsewhere.

    Args:
        folder: The folder.
        name: A relative path, from a file that somebody else may have made.
        links: Whether links within the folder may lead out of it.
    """
    path = Path(name)
    if not name or '\0' in name or path.anchor or name.startswith('\\') or '..' in re.split(r'[/\\]', name):
        return None
    path = Path(folder, path)
    try:
        return path if links or path.resolve().is_relative_to(Path(folder).resolve()) else None
    except (OSError, RuntimeError, ValueError):  # A circle of links, or a name that cannot be one.
        return None
