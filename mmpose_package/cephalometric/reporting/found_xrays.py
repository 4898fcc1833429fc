"""The X-rays that results name, found again on disk, and sure to be the same."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import numpy as np
from tqdm import tqdm

from cephalometric.errors import InputError
from cephalometric.names import unique_stems
from cephalometric.results.predictions import PredictedXray
from cephalometric.xrays.reading import read_xrays


def find_xrays_of(
    xrays: Iterable[PredictedXray], say: Callable[[str], None]
) -> Iterator[tuple[str, PredictedXray, np.ndarray]]:
    """Read the X-rays of results, file by file.

    Args:
        xrays: The results; they are gone through twice.
        say: Is told, a line each, what is not found or is another image by now; the others come all the same.

    Yields:
        A stem for files, unique among the results; the result; the image, uint8, (H, W), or (H, W, 3) in RGB order.
    """
    stems = unique_stems(xray.name for xray in xrays)
    files = groupby(zip(stems, xrays, strict=True), key=lambda pair: pair[1].file)
    progress = tqdm(total=len(stems), desc='Drawing', unit='X-ray')
    for file, found in files:
        if not file:
            if not progress.n:
                say('nothing is drawn, because a CSV file names no X-ray files: give predictions.json, or --images')
            break
        slices = {xray.slice: (stem, xray) for stem, xray in found}
        try:
            # With the spacing of the result: a film whose pixels are not square is not read without one.
            spacing_mm = next(iter(slices.values()))[1].spacing_mm
            for picture in read_xrays(file, spacing_mm):
                if picture.slice in slices:
                    stem, xray = slices[picture.slice]
                    _check_is_the_same(xray, picture.image)
                    yield stem, xray, picture.image
        except InputError as error:
            say(f'not drawn: {error}')
        progress.update(len(slices))
    progress.close()


def _check_is_the_same(xray: PredictedXray, image: np.ndarray) -> None:
    # A table does not say how large its X-rays are.
    if xray.width and image.shape[:2] != (xray.height, xray.width):
        raise InputError(
            f'{xray.file} is {image.shape[1]} x {image.shape[0]} pixels, but its landmarks are for '
            f'{xray.width} x {xray.height}: it is another image by now'
        )
