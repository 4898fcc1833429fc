"""In which folder the images of a COCO file lie: COCO itself does not say it."""

import os
from collections.abc import Sequence
from pathlib import Path

from cephalometric.errors import InputError


def way_to_images(path: Path, file_name: str, folders: Sequence[Path]) -> str | None:
    """The folder that the file names of a COCO file begin in.

    Args:
        path: The COCO file.
        file_name: That of its first image, as it says it.
        folders: Where to look first. After them come the folder of the COCO file, and the folders directly in it.

    Returns:
        The path from the folder of the COCO file to that folder; None where they are the same. Where the image is
        nowhere, the way to the first of ``folders``.

    Raises:
        InputError: It lies in several of the folders beside the COCO file, and nobody says which is meant.
    """
    home = path.parent
    asked = [folder for folder in (*folders, home) if _is_file(folder / file_name)]
    folder = (asked or _beside(path, file_name) or [*folders, home])[0]
    if folder == home:
        return None
    try:
        return os.path.relpath(folder, home)
    except ValueError:  # On Windows, on another drive.
        return os.path.abspath(folder)


def _beside(path: Path, file_name: str) -> list[Path]:
    try:
        beside = [each for each in sorted(path.parent.iterdir()) if each.is_dir() and not each.name.startswith('.')]
    except OSError:
        return []
    found = [each for each in beside if _is_file(each / file_name)]
    if len(found) > 1:
        raise InputError(
            f'{path}: its image {file_name} is in {" and in ".join(map(str, found))}: say which folder is meant with '
            "data_prefix=dict(img='FOLDER/') in the config, or move the others elsewhere"
        )
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # No name that a file can have.
        return False
