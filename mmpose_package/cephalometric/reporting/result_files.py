"""The files of a prediction, written as its X-rays come, with few of them in memory."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Measurement
from cephalometric.reporting.cases import small_jpeg
from cephalometric.reporting.drawing import made_small
from cephalometric.reporting.film_page import FilmPages
from cephalometric.reporting.marks import to_bgr
from cephalometric.reporting.tables import LandmarkTable, MeasurementTable
from cephalometric.results.predictions import PredictedXray, PredictionsWriter, xray_of

PREDICTIONS = 'predictions.json'
OUTPUTS = ('report.html', 'landmarks.csv', 'measurements.csv', PREDICTIONS, 'overlays')


class ResultFiles:
    """Writes ``predictions.json``, ``landmarks.csv``, ``measurements.csv`` and ``report.html``.

    Args:
        folder: Where they go; it is there.
        landmarks: Names the landmarks.
        measurements: What is measured.
        model: What predicts, of plain types.
        run: What was asked for, of plain types.
        page: Whether there is to be a page.

    Attributes:
        counts: X-rays, flagged landmarks, X-rays assessed and doubtful.
    """

    def __init__(
        self,
        folder: Path,
        landmarks: LandmarkSet,
        measurements: Sequence[Measurement],
        model: Mapping[str, object],
        run: Mapping[str, object],
        page: bool,
    ) -> None:
        self._landmarks = landmarks
        self._predictions = PredictionsWriter(folder / PREDICTIONS, landmarks, model, run)
        self._tables = (
            LandmarkTable(folder / 'landmarks.csv', landmarks),
            MeasurementTable(folder / 'measurements.csv', measurements),
        )
        self._page = FilmPages(folder, landmarks, _shown(model)) if page else None
        self.counts = dict.fromkeys(('X-rays', 'flags', 'assessed', 'doubtful'), 0)

    def add(self, entry: str, picture: bytes | None = None) -> PredictedXray:
        """Add an X-ray by its entry, and its picture for the page; without one it may be read again for that."""
        xray = xray_of(json.loads(entry), self._landmarks)
        self._predictions.add(entry)
        for table in self._tables:
            table.add(xray)
        if self._page:
            self._page.add(xray, picture)
        self.counts['X-rays'] += 1
        self.counts['doubtful'] += xray.doubtful
        if xray.flagged is not None:
            self.counts['assessed'] += 1
            self.counts['flags'] += int(xray.flagged.sum())
        return xray

    def finish(
        self, failed: Mapping[str, str], complete: bool, picture_of: Callable[[PredictedXray], bytes | None]
    ) -> None:
        """Write the files; an ``InputError`` if one cannot be written.

        Args:
            failed: Why a file could not be read, by the file.
            complete: Whether all was done that was asked for.
            picture_of: Finds a picture for the page.
        """
        if self._page:
            self._page.finish(failed, picture_of)
        for table in self._tables:
            table.finish()
        self._predictions.finish(failed, complete)

    def summary(self) -> str:
        """How many X-rays, landmarks, flags and doubts there are, in one line."""
        xrays, flags, assessed, doubtful = self.counts.values()
        parts = [f'{xrays} X-rays' + (f' with {len(self._landmarks)} landmarks each' if xrays else '')]
        parts.append(f'{flags} landmarks flagged' if assessed else 'not assessed')
        if doubtful:
            parts.append(f'{doubtful} X-rays doubtful: see the warnings')
        if assessed and assessed < xrays:
            parts.append(f'{xrays - assessed} X-rays not assessed')
        return ', '.join(parts)


def page_picture(image: object) -> bytes:
    """The picture of an X-ray for the page, of an image in RGB order or grey."""
    return small_jpeg(made_small(to_bgr(image))[0])


def _shown(model: Mapping[str, object]) -> dict[str, str]:
    """What predicted, as the head of the page says it."""
    return {
        'model': ', '.join(model['names']),
        'cephalometric': model['cephalometric'],
        'date': datetime.now().strftime('%Y-%m-%d'),
        'flagged beyond': f'{model["flag_mm"]:g} mm',
    }
