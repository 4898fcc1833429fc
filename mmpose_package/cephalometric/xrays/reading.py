"""Any X-ray that people have, one after another: pictures, MetaImage and DICOM files, folders and globs."""

import functools
import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.xrays.frames import (
    HEAD,
    Frame,
    check_spacing,
    chosen_spacing,
    file_spacing,
    grey_levels,
    is_dicom,
)
from cephalometric.xrays.mha import open_stack
from cephalometric.xrays.pictures import is_picture, read_picture
from cephalometric.xrays.xray_names import STACKS, SUFFIXES, name_xrays

META_IMAGE = re.compile(rb'\s*(ObjectType|NDims|Comment)[ \t]*[=:]')
# Above what JPEG makes of a grey film, and below any colour that a person would see in a picture.
COLOURED = 32
MOST_SUFFIXES = 5
_NUMBER = re.compile(r'[0-9]+')


@dataclass(frozen=True)
class Xray:
    """One X-ray, ready for the predictor. Of a DICOM file nothing but its pixels and its spacing is in it.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order if it is coloured. The coordinates of its landmarks are
            those of this picture: of the file's own pixels, except that a picture with an EXIF orientation is turned
            upright as viewers show it.
        spacing_mm: Millimetres per pixel; None where neither the file nor the user says.
        name: For the names of output files: the file's, and in files of several images the number of the image, such
            as ``stack_001``. Unique in a run if it is one of
            :func:`~cephalometric.xrays.xray_names.name_xrays`.
        path: The file.
        slice: The number of the image in its file, from 1; None where there is only one.
        warnings: What a user should know about how the image was read, one sentence each.
    """

    image: np.ndarray
    spacing_mm: float | None
    name: str
    path: Path
    slice: int | None = None
    warnings: tuple[str, ...] = ()


def find_xrays(inputs: Sequence[str | Path], recursive: bool = False) -> list[Path]:
    """The files that are meant, each once, in natural order (``film2`` before ``film10``).

    A file that is named is taken whatever it is. From a folder come the files with the suffix of a known format and
    DICOM files of any name, but not hidden ones and not those of its subfolders: their outputs may lie there. A glob
    such as ``'export/**/*'``, in quotes, reaches subfolders too; what is said of folders holds for what it matches.

    Args:
        inputs: Paths of files and folders, and globs.
        recursive: Look into the subfolders of folders too, at any depth, but not into the overlays of earlier results.

    Raises:
        InputError: There is nothing of that name, or no X-ray in it.
    """
    return [Path(path) for path in find_files(inputs, recursive)]


def find_files(inputs: Sequence[str | Path], recursive: bool = False) -> list[str]:
    """As :func:`find_xrays`, as texts, which take a tenth of the memory."""
    found: dict[str, str] = {}
    for text in inputs:
        several = False
        for path in _expand(str(text), recursive):
            found.setdefault(_real_path(path), path)
            several = True
        if not several:
            raise InputError(
                f'{text}: no X-ray found{_others(text)}: give a file, a folder with PNG, JPEG, TIFF, BMP, WebP, .mha, '
                f'.mhd or DICOM files, or a glob; {_subfolder_remedy(text)}'
            )
    _real_folder.cache_clear()
    return sorted(found.values(), key=_natural)


def _real_path(path: str) -> str:
    """The path without links; of the many files of a folder, the folder is looked at once."""
    folder, name = os.path.split(path)
    return os.path.realpath(path) if os.path.islink(path) else os.path.join(_real_folder(folder), name)


@functools.lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def subfolders_of(inputs: Sequence[str | Path]) -> list[Path]:
    """The subfolders of the folders among the inputs, which are not looked into unless that is asked for."""
    folders = [Path(text) for text in inputs if Path(text).is_dir()]
    return sorted(child for folder in folders for child in folder.iterdir() if _is_subfolder(child))


def _is_subfolder(path: Path) -> bool:
    results = path.name == 'overlays' and (path.parent / 'predictions.json').is_file()
    return path.is_dir() and not path.name.startswith('.') and not results


def _subfolder_remedy(text: str | Path) -> str:
    found = subfolders_of([text])
    return f'--recursive looks into its {len(found)} subfolders, such as {found[0].name}' if found else 'check the path'


def _others(text: str | Path) -> str:
    """What a folder holds instead of X-rays, by suffixes."""
    folder = Path(text)
    if not folder.is_dir():
        return ''
    names = (child.name for child in folder.iterdir() if child.is_file() and not child.name.startswith('.'))
    counts = Counter(Path(name).suffix.lower() or 'without suffix' for name in names).most_common(MOST_SUFFIXES)
    return f' (it holds {", ".join(f"{count} {suffix}" for suffix, count in counts)})' if counts else ''


def _files_below(folder: str, recursive: bool) -> Iterator[str]:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if recursive and not os.path.islink(path) and _is_subfolder(Path(path)):
            yield from _files_below(path, recursive)
        elif _is_candidate(path):
            yield path


def _expand(text: str, recursive: bool) -> list[str]:
    path = Path(text)
    try:
        if path.is_dir():
            return list(_files_below(str(path), recursive))
        if path.exists():
            return [str(path)]
        if glob.has_magic(text):
            return [match for match in map(os.path.normpath, glob.iglob(text, recursive=True)) if _is_candidate(match)]
    except (OSError, ValueError) as error:
        raise InputError(f'{text} cannot be read: {error}; name a file, a folder or a glob') from None
    raise InputError(f'{text}: there is no such file or folder; check the path')


def _is_candidate(path: str) -> bool:
    name = os.path.basename(path)
    if name.startswith('.') or name.upper() == 'DICOMDIR' or not os.path.isfile(path):
        return False
    if os.path.splitext(name)[1].lower() in SUFFIXES:
        return True
    try:
        with open(path, 'rb') as file:
            return is_dicom(file.read(HEAD))
    except OSError:
        return False


def _natural(path: str) -> str:
    """A key by which texts are sorted in natural order; one text, because an archive has many files.

    A number sorts before any letter, by its length without zeros and then by its digits.
    """
    return _NUMBER.sub(lambda number: f'\0{len(digits := number[0].lstrip("0")):04d}{digits}', path.casefold())


def read_xrays(path: str | Path, spacing_mm: float | None = None, name: str | None = None) -> Iterator[Xray]:
    """Read the X-ray of a file, or each of its slices, pages or frames, with one in memory at a time.

    What a file is, its content says and not its suffix. See :func:`~cephalometric.xrays.pictures.read_picture` and
    :func:`~cephalometric.xrays.dicom.read_dicom` for how grey levels, colours and orientation are treated, and
    :mod:`~cephalometric.xrays.frames` for which spacing is trusted.

    Args:
        path: A file, as :func:`find_xrays` returns it.
        spacing_mm: Millimetres per pixel; used before what the file says, with a warning if they differ by over 5 %.
        name: What to call its outputs; by default its own name without the suffix.

    Raises:
        InputError: While iterating. The file is missing, is not an X-ray, is damaged or incomplete; in a file of
            several images those before the damage have come by then.
    """
    path = Path(path)
    check_spacing(spacing_mm)
    name = name or name_xrays([path])[0]
    for number, frame in enumerate(_reader(path)(path), start=1):
        if frame.not_square and spacing_mm is None:
            raise InputError(frame.not_square)
        used_mm, disagreement = chosen_spacing(frame.spacing_mm, spacing_mm)
        image, colour = _without_colours(frame.image)
        several = frame.count > 1
        yield Xray(
            image=image,
            spacing_mm=used_mm,
            name=f'{name}_{number:0{max(3, len(str(frame.count)))}d}' if several else name,
            path=path,
            slice=number if several else None,
            warnings=frame.warnings + disagreement + colour,
        )


def _reader(path: Path) -> Callable[[Path], Iterator[Frame]]:
    head = _head(path)
    if is_dicom(head):
        # Not above: the libraries that read DICOM cost 30 MB, and most runs have none.
        from cephalometric.xrays.dicom import read_dicom

        return read_dicom
    if is_picture(head):
        return read_picture
    if path.suffix.lower() in STACKS or META_IMAGE.match(head):
        return _read_stack
    raise InputError(
        f'{path}: not an X-ray file: it begins with {head[:8]!r}; PNG, JPEG, TIFF, BMP, WebP, MetaImage (.mha, '
        '.mhd) and DICOM can be read: save it as one of them'
    )


def _head(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f'{path} is a folder: give a file, or let the files in it be found')
        if path.exists() and not path.is_file():
            raise InputError(f'{path} is neither a file nor a folder: give the file of an X-ray')
        with open(path, 'rb') as file:
            head = file.read(HEAD)
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}; give the file of an X-ray') from None
    if not head:
        raise InputError(f'{path} is empty (0 bytes): copy or export it again')
    return head


def _read_stack(path: Path) -> Iterator[Frame]:
    stack = open_stack(path, deep=True)
    spacing_mm, warnings = None, stack.warnings
    if stack.pixel_size_mm:
        spacing_mm, warnings = file_spacing(path, 'ElementSpacing (height, width)', stack.pixel_size_mm)
    for image in stack:
        if image.dtype != np.uint8:
            image = grey_levels(image)
        yield Frame(image, stack.count, spacing_mm, warnings)


def _without_colours(image: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """A grey image as one channel, and a warning if it is coloured."""
    if image.ndim == 2:
        return image, ()
    # OpenCV takes a third of the time that numpy does.
    red, green, blue = cv2.split(image)
    if cv2.norm(red, green, cv2.NORM_INF) == 0 and cv2.norm(red, blue, cv2.NORM_INF) == 0:
        return red, ()
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    difference = cv2.norm(highest, lowest, cv2.NORM_INF)
    if difference < COLOURED:
        return image, ()
    return image, ('it is coloured: X-rays are grey, and marks drawn on one can mislead the prediction',)


def as_xray(xray: str | Path | np.ndarray | Xray, spacing_mm: float | None) -> Xray:
    """The one X-ray that is meant by a path, an array, or itself; errors as of ``Model.predict``."""
    check_spacing(spacing_mm)
    if isinstance(xray, Xray):
        if spacing_mm is None:
            return xray
        raise InputError(f'{xray.path}: spacing_mm goes to read_xrays, which read this X-ray')
    if isinstance(xray, np.ndarray):
        fits = xray.ndim == 2 or (xray.ndim == 3 and xray.shape[2] == 3)
        if xray.dtype != np.uint8 or not fits:
            raise TypeError(f'an X-ray is uint8 of shape (H, W) or (H, W, 3), not {xray.dtype} {xray.shape}')
        return Xray(xray, spacing_mm, 'array', Path('array'))
    if not isinstance(xray, str | Path):
        raise TypeError(f'an X-ray is a path, an array or what read_xrays yields, not {type(xray).__name__}')
    found = list(zip(read_xrays(xray, spacing_mm), range(2), strict=False))
    if len(found) > 1:
        raise InputError(f'{xray} holds several X-rays: predict what read_xrays yields, one after another')
    return found[0][0]
