"""Which image file an annotation means, by the name that it gives."""

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from cephalometric.xrays.reading import SUFFIXES


class FileNames:
    """Finds image files by the names that annotations give them.

    The files may have moved since, but a name is never taken for that of a file in another folder: its path fits as a
    whole, or as far as the file's path below the folder of all images goes, and at least as far as the folder that the
    file lies in. A name without a folder fits in any. Its suffix may be missing, or, as images are often converted,
    that of another format; a file with that very suffix goes first, and one that differs in upper and lower case last.

    Attributes:
        names: The paths of the files below their common folder, with forward slashes.
    """

    def __init__(self, paths: Sequence[Path]):
        absolute = [path.absolute() for path in paths]
        folder = os.path.commonpath([path.parent for path in absolute])
        self.names = [path.relative_to(folder).as_posix() for path in absolute]
        self._by_path = {os.path.normpath(path): name for name, path in zip(self.names, absolute, strict=True)}
        self._depths = {name: name.count('/') for name in self.names}
        self._parents = {
            name: _composed(path.parent.as_posix()).split('/') for name, path in zip(self.names, absolute, strict=True)
        }
        self._by_last: list[dict[str, list[str]]] = [{} for _ in _WAYS]
        for name in self.names:
            for known, way in zip(self._by_last, _WAYS, strict=True):
                known.setdefault(way(_composed(name).rpartition('/')[2]), []).append(name)

    def find(self, name: str, base: Path | None = None, ignore_folders: bool = False) -> list[str]:
        """The files that a name may mean: none, one, or several.

        Args:
            name: A path as an annotation has it, of Windows or of any other system.
            base: The folder of the annotations. What lies there by just that path is meant.
            ignore_folders: Look at the name of the file alone.
        """
        path = name.replace('\\', '/')
        if base is not None and not ignore_folders:
            there = self._by_path.get(os.path.normpath(base.absolute() / path))
            if there is not None:
                return [there]
        *folders, last = _composed(path).split('/')
        folders = [] if ignore_folders else [part for part in folders if not _NOWHERE.fullmatch(part)]
        for known, way in zip(self._by_last, _WAYS, strict=True):
            found = [other for other in known.get(way(last), []) if self._lies_in(other, folders)]
            # In the folder of all images, "1.png" is that file, also if there is an "old/1.png".
            whole = [other for other in found if _composed(other).split('/')[:-1] == folders]
            if found:
                return whole if len(whole) == 1 and not ignore_folders else found
        return []

    def _lies_in(self, name: str, folders: list[str]) -> bool:
        """Whether a file lies in folders of these names, as far as they must agree."""
        agreeing = 0
        for ours, theirs in zip(reversed(self._parents[name]), reversed(folders), strict=False):
            if ours != theirs:
                break
            agreeing += 1
        return agreeing == len(folders) or agreeing >= max(1, self._depths[name])


_NOWHERE = re.compile(r'\.{0,2}|[A-Za-z]:')
"""Parts of a path that are no folder's name: those of "/a", "./a" and "../a", and drives of Windows."""


def _composed(path: str) -> str:
    """A path with composed letters: macOS writes "\u00fc" as a letter and two dots."""
    return unicodedata.normalize('NFC', path)


def _stem(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in SUFFIXES else name


_WAYS: tuple[Callable[[str], str], ...] = (str, _stem, lambda name: _stem(name).casefold())
