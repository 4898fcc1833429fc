"""The X-rays that a table names without their files, found among images by their names."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cephalometric.results.predictions import PredictedXray, Predictions
from cephalometric.xrays.reading import find_xrays, name_xrays

_SLICE = re.compile(r'(.+)_([0-9]{3,})')


def with_image_files(points: Predictions, images: Sequence[str | Path], say: Callable[[str], None]) -> Predictions:
    """The same landmarks, each X-ray with its file.

    An X-ray is called as ``predict`` and ``review`` call it, ``film`` or ``stack_001``, or as its file, ``film.png``.

    Args:
        points: The landmarks; what names a file already is left as it is.
        images: Files, folders and globs of X-rays.
        say: Is told, a line each, what is not found.

    Raises:
        InputError: There is no X-ray of that name.
    """
    paths = find_xrays(images)
    files = {path.name: path for path in paths} | dict(zip(name_xrays(paths), paths, strict=True))
    found = [_with_file(xray, files) for xray in points.xrays]
    missing = [xray.name for xray in found if not xray.file]
    if missing:
        more = f' and {len(missing) - 5} more' if len(missing) > 5 else ''
        say(f'not drawn, because no image of --images has its name: {", ".join(missing[:5])}{more}')
    # What has no file comes last, so that it costs the others nothing.
    return replace(points, xrays=tuple(sorted(found, key=lambda xray: not xray.file)))


def _with_file(xray: PredictedXray, files: dict[str, Path]) -> PredictedXray:
    if xray.file:
        return xray
    if xray.name in files:
        return replace(xray, file=str(files[xray.name]))
    of_several = _SLICE.fullmatch(xray.name)
    if of_several and of_several[1] in files:
        return replace(xray, file=str(files[of_several[1]]), slice=int(of_several[2]))
    return xray
