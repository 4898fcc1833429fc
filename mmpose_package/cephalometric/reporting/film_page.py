"""The page of a prediction: every X-ray with its landmarks to zoom into, flags, doubts and measurements."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path

import numpy as np

from cephalometric.files import atomic_write
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Analysis, AssessedValue, analyses_for
from cephalometric.reporting.cases import Case, Layer, Mark, data_url
from cephalometric.reporting.number_words import digits_of, format_number, with_unit
from cephalometric.reporting.page_template import PREDICTION_COLOUR, render_page
from cephalometric.reporting.value_table import UNTRACED_WORDS, norm_words
from cephalometric.results.measured_xrays import assess_xrays
from cephalometric.results.predictions import PredictedXray

PAGE = 'report.html'
FIRST = 'steiner'
"""The analysis that is shown first and open."""
ON_A_PAGE = 25
"""X-rays on one page: some megabytes, which a browser opens at once."""
SHOWN = 100
"""X-rays on all pages together: of more, those that most need a look."""


@dataclass(frozen=True)
class Film:
    """An X-ray of the page.

    Attributes:
        number: From 1, in the order of the run.
        xray: What was predicted.
        picture: The X-ray made smaller, as JPEG; None where it is not at hand.
        page: The file name of the page that it is on.
    """

    number: int
    xray: PredictedXray
    picture: bytes | None
    page: str = PAGE

    @property
    def state(self) -> str:
        """What is to be checked, in words."""
        xray = self.xray
        count = 0 if xray.flagged is None else int(xray.flagged.sum())
        if xray.doubtful:
            return 'doubtful: trust none of it'
        if xray.flagged is None:
            return 'not assessed'
        return f'{count} of {len(xray.flagged)} landmarks flagged' if count else 'nothing flagged'

    @cached_property
    def concern(self) -> float:
        """A number to sort by: doubtful X-rays come first, then those with many flags, then those with warnings."""
        flags = 0 if self.xray.flagged is None else int(self.xray.flagged.sum())
        return 1e6 * self.xray.doubtful + flags + 0.01 * len(self.xray.warnings)

    def __lt__(self, other: 'Film') -> bool:
        """Whether another one needs a look rather than this one; of equals the earlier one does."""
        return (self.concern, -self.number) < (other.concern, -other.number)

    @property
    def largest_error_mm(self) -> float:
        """The largest expected error; NaN where it is not known or means nothing."""
        errors_mm = self.xray.expected_error_mm
        known = errors_mm is not None and not self.xray.doubtful and np.isfinite(errors_mm).any()
        return float(np.nanmax(errors_mm)) if known else np.nan


class FilmPages:
    """Writes ``report.html`` and, for many X-rays, ``report_2.html`` and so on.

    Each page needs nothing else. The first one lists all X-rays that are shown: all of the run, or ``SHOWN`` of them.

    Args:
        folder: Where they go; it is there.
        landmarks: Names the K landmarks.
        about: What predicted, of plain types, for the head of the page.
    """

    def __init__(self, folder: Path, landmarks: LandmarkSet, about: Mapping[str, object]) -> None:
        self.folder, self.landmarks, self.about = folder, landmarks, about
        self.analyses: list[Analysis] = sorted(analyses_for(landmarks).values(), key=lambda one: one.name != FIRST)
        self.count = 0
        self._films: list[Film] = []

    def add(self, xray: PredictedXray, picture: bytes | None) -> None:
        """Add an X-ray with its picture, as :func:`~cephalometric.reporting.cases.small_jpeg` makes it.

        Without a picture, :meth:`finish` asks for it, should the X-ray be among those that are shown.
        """
        self.count += 1
        film = Film(self.count, xray, picture)
        if len(self._films) < SHOWN:
            heapq.heappush(self._films, film)
        else:
            heapq.heappushpop(self._films, film)

    def finish(
        self, failed: Mapping[str, str], picture_of: Callable[[PredictedXray], bytes | None] = lambda xray: None
    ) -> Path:
        """Write all pages; those of an earlier run under the same names are replaced.

        Args:
            failed: Why a file could not be read, by the file.
            picture_of: Finds the picture of an X-ray that was added without one.

        Returns:
            The path of the first page.
        """
        films = [
            replace(film, page=page_name(1 + place // ON_A_PAGE), picture=film.picture or picture_of(film.xray))
            for place, film in enumerate(sorted(self._films, key=lambda film: film.number))
        ]
        pages = {page: list(found) for page, found in groupby(films, key=lambda film: film.page)} or {PAGE: []}
        for page, following in zip(pages, [*list(pages)[1:], ''], strict=True):
            self._write(page, pages[page], following, films if page == PAGE else (), failed if page == PAGE else {})
        return self.folder / PAGE

    def _write(
        self, page: str, shown: list[Film], following: str, overview: Sequence[Film], failed: Mapping[str, str]
    ) -> None:
        assessed = self._assessed([film.xray for film in shown])
        first = page == PAGE
        text = render_page(
            'films.html.jinja',
            title=f'{self.count} X-ray{"" if self.count == 1 else "s"}' if first else _range(shown),
            about=self.about,
            first=PAGE,
            is_first=first,
            following=following,
            overview=overview,
            count=self.count,
            films=[
                (film, make_film_case(film.xray, film.picture, self.landmarks), its)
                for film, its in zip(shown, assessed, strict=True)
            ],
            failed=dict(islice(failed.items(), SHOWN)),
            not_named=len(failed) - SHOWN,
            mark_colours=[PREDICTION_COLOUR],
            untraced=UNTRACED_WORDS,
            landmarks=self.landmarks,
            landmark_rows=self._landmark_rows,
            calibrated=any(film.xray.expected_error_mm is not None for film in self._films),
        )
        with atomic_write(self.folder / page) as partial:
            partial.write_text(text, encoding='utf-8', errors='backslashreplace')

    def _landmark_rows(self, xray: PredictedXray) -> list[dict]:
        known = xray.expected_error_mm is not None and not xray.doubtful
        flags = np.zeros(len(self.landmarks), bool) if xray.flagged is None else xray.flagged
        return [
            {
                'short': short,
                'name': name,
                'definition': self.landmarks.definition(k),
                'x': float(xray.points_px[k, 0]),
                'y': float(xray.points_px[k, 1]),
                'error_mm': float(xray.expected_error_mm[k]) if known else np.nan,
                'flagged': bool(flags[k]),
            }
            for k, (short, name) in enumerate(zip(self.landmarks.abbreviations, self.landmarks.names, strict=True))
        ]

    def _assessed(self, xrays: Sequence[PredictedXray]) -> list[list[dict]]:
        """For each X-ray each analysis that has values on it, with its groups of rows."""
        # The expected errors of a doubtful X-ray mean nothing.
        xrays = [replace(xray, expected_error_mm=None) if xray.doubtful else xray for xray in xrays]
        found = [[] for _ in xrays]
        for analysis in self.analyses:
            for n, judged in enumerate(assess_xrays(xrays, self.landmarks, analysis) if xrays else ()):
                groups = [
                    {'title': group.title, 'rows': [_value_row(one) for one in group.values if np.isfinite(one.value)]}
                    for group in judged.groups
                ]
                groups = [group for group in groups if group['rows']]
                if groups:
                    found[n].append({'title': analysis.title, 'source': analysis.source, 'groups': groups})
        return found


def _value_row(one: AssessedValue) -> dict:
    unit = one.measurement.unit
    digits = digits_of(unit)
    known = one.standard_error is not None and np.isfinite(one.standard_error)
    return {
        'title': one.measurement.title,
        'help': one.measurement.definition,
        'value': with_unit(one.value, unit),
        'error': f'± {format_number(one.standard_error, digits)}' if known else '',
        'norm': norm_words(one) if one.norm else '',
        'whose': one.norm.name if one.norm else '',
        'deviation': '' if one.deviation_sd is None else format_number(one.deviation_sd, 1, sign=True),
        'class': (one.class_name or '') + (' (undecided)' if one.undecided else ''),
        'normal': one.is_normal is not False,
        'flagged': bool(one.flagged),
    }


def page_name(number: int) -> str:
    """The file name of a page, from 1."""
    return PAGE if number == 1 else f'{Path(PAGE).stem}_{number}.html'


def _range(films: Sequence[Film]) -> str:
    return f'X-rays {films[0].number} to {films[-1].number}'


def make_film_case(xray: PredictedXray, picture: bytes | None, landmarks: LandmarkSet) -> Case:
    """The picture of an X-ray with its predicted landmarks; flagged ones in a circle of their expected error."""
    seen = np.isfinite(xray.points_px).all(axis=1)
    points = xray.points_px.tolist()
    return Case(
        title=xray.name,
        file_name=xray.name,
        summary='',
        width=xray.width,
        height=xray.height,
        picture='' if picture is None else data_url(picture),
        truth=(),
        layers=(Layer('Landmarks', tuple(_mark(xray, landmarks, k) for k in np.flatnonzero(seen))),),
        lines=tuple((*points[a], *points[b]) for a, b in landmarks.lines if seen[a] and seen[b]),
    )


def _mark(xray: PredictedXray, landmarks: LandmarkSet, k: int) -> Mark:
    flagged = xray.flagged is not None and bool(xray.flagged[k])
    error_mm = None if xray.expected_error_mm is None or xray.doubtful else float(xray.expected_error_mm[k])
    words = [landmarks.names[k]]
    if error_mm is not None:
        words.append(f'expected error {error_mm:.1f} mm')
    if flagged:
        words.append('flagged')
    reach_px = error_mm / xray.spacing_mm if flagged and error_mm is not None and xray.spacing_mm else None
    x, y = map(float, xray.points_px[k])
    return Mark(landmarks.abbreviations[k], ', '.join(words), x, y, flagged=flagged, reach_px=reach_px)
