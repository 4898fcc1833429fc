"""Any X-ray that people have, one after another: pictures, MetaImage and DICOM files, folders and globs."""

import glob
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError
from cephalometric.names import file_stem
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

PICTURES = {'.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.bmp', '.webp'}
STACKS = {'.mha', '.mhd'}
SUFFIXES = PICTURES | STACKS | {'.tif', '.tiff', '.dcm', '.dicom'}
META_IMAGE = re.compile(rb'\s*(ObjectType|NDims|Comment)[ \t]*[=:]')
# Above what JPEG makes of a grey film, and below any colour that a person would see in a picture.
COLOURED = 32
MOST_SUFFIXES = 5


@dataclass(frozen=True)
class Xray:
    """One X-ray, ready for the predictor. Of a DICOM file nothing but its pixels and its spacing is in it.

    Attributes:
        image: uint8, shape (H, W), or (H, W, 3) in RGB order if it is coloured. The coordinates of its landmarks are
            those of this picture: of the file's own pixels, except that a picture with an EXIF orientation is turned
            upright as viewers show it.
        spacing_mm: Millimetres per pixel; None where neither the file nor the user says.
        name: For the names of output files: the file's, and in files of several images the number of the image, such
            as ``stack_001``. Unique in a run if the names of :func:`name_xrays` are used.
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
    found = {}
    for text in inputs:
        paths = _expand(str(text), recursive)
        if not paths:
            raise InputError(
                f'{text}: no X-ray found{_others(text)}: give a file, a folder with PNG, JPEG, TIFF, BMP, WebP, .mha, '
                f'.mhd or DICOM files, or a glob; {_subfolder_remedy(text)}'
            )
        for path in paths:
            found.setdefault(path.resolve(), path)
    return sorted(found.values(), key=_natural)


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


def _files_below(folder: Path, recursive: bool) -> Iterator[Path]:
    for child in folder.iterdir():
        if recursive and _is_subfolder(child) and not child.is_symlink():
            yield from _files_below(child, recursive)
        elif _is_candidate(child):
            yield child


def _expand(text: str, recursive: bool) -> list[Path]:
    path = Path(text)
    try:
        if path.is_dir():
            return list(_files_below(path, recursive))
        if path.exists():
            return [path]
        if glob.has_magic(text):
            return [match for match in map(Path, glob.glob(text, recursive=True)) if _is_candidate(match)]
    except (OSError, ValueError) as error:
        raise InputError(f'{text} cannot be read: {error}; name a file, a folder or a glob') from None
    raise InputError(f'{text}: there is no such file or folder; check the path')


def _is_candidate(path: Path) -> bool:
    if path.name.startswith('.') or path.name.upper() == 'DICOMDIR' or not path.is_file():
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open(path, 'rb') as file:
            return is_dicom(file.read(HEAD))
    except OSError:
        return False


def _natural(path: Path) -> list[tuple[int, int | str]]:
    parts = re.split(r'([0-9]+)', str(path).casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]


def name_xrays(paths: Sequence[Path]) -> list[str]:
    """Names for the outputs of these files that are unique on any file system, also with the numbers of slices.

    A name is the file's without its suffix; where two are equal but for their case, with the suffix (``film_png``),
    then with the folder's name (``monday_film_png``), and then with a number.
    """
    paths = [Path(path) for path in paths]
    names = [_stem(path) for path in paths]
    for longer in (_stem_and_suffix, _folder_and_stem):
        clashing = _clashing(names, paths)
        names = [longer(path) if clash else name for name, path, clash in zip(names, paths, clashing, strict=True)]
    number = 2
    while any(clashing := _clashing(names, paths)):
        last = len(names) - 1 - clashing[::-1].index(True)
        names[last] = f'{_folder_and_stem(paths[last])}-{number}'
        number += 1
    return names


def _stem(path: Path) -> str:
    """``film.png`` is a film, but the numbers of ``1.2.840.10008`` are no suffix."""
    return file_stem(path.stem if path.suffix.lower() in SUFFIXES else path.name)


def _stem_and_suffix(path: Path) -> str:
    return file_stem(_with_suffix(path))


def _folder_and_stem(path: Path) -> str:
    return file_stem(f'{path.absolute().parent.name}_{_with_suffix(path)}'.lstrip('_'))


def _with_suffix(path: Path) -> str:
    return f'{path.stem}_{path.suffix[1:]}' if path.suffix.lower() in SUFFIXES else path.name


def _clashing(names: list[str], paths: list[Path]) -> list[bool]:
    """Whether a name is another's, or could be that of a slice of another file."""
    lower = [name.casefold() for name in names]
    count = Counter(lower)
    stacks = {name for name, path in zip(lower, paths, strict=True) if path.suffix.lower() not in PICTURES}
    slices = [re.fullmatch(r'(.+)_[0-9]+', name) for name in lower]
    return [count[name] > 1 or bool(match and match[1] in stacks) for name, match in zip(lower, slices, strict=True)]


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
    name = name or _stem(path)
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
    red, green, blue = (image[..., channel] for channel in range(3))
    difference = (np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)).max()
    if difference == 0:
        return np.ascontiguousarray(red), ()
    if difference < COLOURED:
        return image, ()
    return image, ('it is coloured: X-rays are grey, and marks drawn on one can mislead the prediction',)
