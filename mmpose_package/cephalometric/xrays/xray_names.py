"""What X-rays are called in results: unique on any file system, and patients told apart by their folders."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from cephalometric.names import file_stem

PICTURES = {'.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.bmp', '.webp'}
"""Suffixes of files that hold one image."""
STACKS = {'.mha', '.mhd'}
SUFFIXES = PICTURES | STACKS | {'.tif', '.tiff', '.dcm', '.dicom'}
_SLICE = re.compile(r'(.+)_[0-9]+')
_WITH_SUFFIX = 1
"""The length of a name that has the suffix; each further step is a folder more."""


def name_xrays(paths: Sequence[str | Path]) -> list[str]:
    """Names for the outputs of these files that are unique on any file system, also with the numbers of slices.

    A name is the file's without its suffix; where two are equal but for their case, with the suffix (``film_png``), and
    then with as many of its folders as tell them apart (``patient1_DICOM_film_png``). What folders cannot tell apart
    gets a number.
    """
    paths = [os.fspath(path) for path in paths]
    stacks = [os.path.splitext(path)[1].lower() not in PICTURES for path in paths]
    lengths = [0] * len(paths)
    names = [_name(path, 0) for path in paths]
    while groups := _clashing(names, stacks):
        longer = [n for group in groups for n in _can_tell_apart(group, paths, lengths)]
        if not longer:
            break
        for n in longer:
            lengths[n] += 1
            names[n] = _name(paths[n], lengths[n])
    _number(names, stacks)
    return names


def _name(path: str, length: int) -> str:
    folders, file = _split(path)
    stem, suffix = os.path.splitext(file)
    if suffix.lower() in SUFFIXES:  # The numbers of 1.2.840.10008 are no suffix.
        file = stem if length == 0 else f'{stem}_{suffix[1:]}'
    more = length - _WITH_SUFFIX
    return file_stem('_'.join([*folders[-more:], file])) if more > 0 else file_stem(file)


def _split(path: str) -> tuple[list[str], str]:
    folder, file = os.path.split(os.path.abspath(path))
    return [part for part in Path(folder).parts if part.strip('/\\')], file


def _can_tell_apart(group: Sequence[int], paths: Sequence[str], lengths: Sequence[int]) -> Iterator[int]:
    """Those of files of one name whose names can be made longer to some purpose."""
    if len(group) == 1:  # It clashes with the slice of another: the suffix and one folder may do.
        yield from (n for n in group if lengths[n] <= _WITH_SUFFIX)
        return
    several = len({os.path.dirname(os.path.abspath(paths[n])).casefold() for n in group}) > 1
    for n in group:
        if lengths[n] <= _WITH_SUFFIX or (several and lengths[n] - _WITH_SUFFIX < len(_split(paths[n])[0])):
            yield n


def _clashing(names: Sequence[str], stacks: Sequence[bool]) -> list[list[int]]:
    """Positions of names that are another's or could be that of a slice of another file, those of one name together."""
    groups: dict[str, list[int]] = {}
    for n, name in enumerate(names):
        groups.setdefault(name.casefold(), []).append(n)
    of_stacks = {name.casefold() for name, stack in zip(names, stacks, strict=True) if stack}
    return [group for name, group in groups.items() if len(group) > 1 or _is_slice_of(name, of_stacks)]


def _is_slice_of(name: str, stacks: set[str]) -> bool:
    match = _SLICE.fullmatch(name)
    return bool(match) and match[1] in stacks


def _number(names: list[str], stacks: Sequence[bool]) -> None:
    """Number the names that clash still; the first of several keeps its own."""
    taken, last = {name.casefold() for name in names}, Counter()
    while groups := _clashing(names, stacks):
        for group in groups:
            for n in group if len(group) == 1 else group[1:]:
                base = re.sub(r'-[0-9]+$', '', names[n]) if last[names[n]] else names[n]
                last[base] += 1
                while f'{base}-{last[base] + 1}'.casefold() in taken:
                    last[base] += 1
                names[n] = f'{base}-{last[base] + 1}'
                taken.add(names[n].casefold())
