"""The measurements of the page, taken by the package while a landmark is dragged, and the lines to draw of them."""

from collections.abc import Mapping

import numpy as np

from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import Analysis, AssessedValue, Person, analyses_for, assess
from cephalometric.reporting.number_words import UNKNOWN, digits_of, format_number, with_unit

FIRST = 'steiner'


class ReviewValues:
    """Assesses landmarks by the analyses that a landmark set allows.

    Args:
        landmarks: Names the K landmarks.
    """

    def __init__(self, landmarks: LandmarkSet) -> None:
        self._landmarks = landmarks
        self.analyses: Mapping[str, Analysis] = dict(
            sorted(analyses_for(landmarks).items(), key=lambda one: one[0] != FIRST)
        )

    def titles(self) -> list[dict[str, str]]:
        """The analyses to choose from, of plain types."""
        return [{'name': name, 'title': analysis.title} for name, analysis in self.analyses.items()]

    def assessed(
        self,
        name: str,
        points_px: np.ndarray,
        spacing_mm: float | None,
        expected_mm: np.ndarray,
        doubtful: np.ndarray,
        person: Person,
    ) -> dict:
        """The values of an analysis and its lines, of plain types.

        Args:
            name: Of the analysis, one of ``analyses``.
            points_px: Shape (K, 2) as x, y; NaN where a landmark has no place or is not visible.
            spacing_mm: Millimetres per pixel; None where it is not known.
            expected_mm: Shape (K,): the errors to expect; NaN where they are not known.
            doubtful: Shape (K,): which landmarks a person should look at.
            person: Whom the norms are chosen for.
        """
        result = assess(
            points_px,
            self._landmarks,
            spacing_mm,
            self.analyses[name],
            person=person,
            expected_error_mm=expected_mm,
            flagged=doubtful,
        )
        return {
            'groups': [
                {'title': group.title, 'rows': [self._row(value, points_px, spacing_mm) for value in group.values]}
                for group in result.groups
            ],
            'lines': self._lines([value for value in result.values if np.isfinite(value.value)], points_px),
            'source': result.analysis.source,
        }

    def _row(self, one: AssessedValue, points_px: np.ndarray, spacing_mm: float | None) -> dict:
        # Not above: it brings along what draws on paper.
        from cephalometric.reporting.value_table import norm_words

        unit = one.measurement.unit
        known = one.standard_error is not None and np.isfinite(one.standard_error)
        return {
            'name': one.measurement.name,
            'title': one.measurement.title,
            'definition': one.measurement.definition,
            'landmarks': list(one.measurement.landmarks),
            'value': with_unit(one.value, unit) if np.isfinite(one.value) else UNKNOWN,
            'why_not': '' if np.isfinite(one.value) else self._why_not(one, points_px, spacing_mm),
            'error': f'± {format_number(one.standard_error, digits_of(unit))}' if known else '',
            'norm': norm_words(one) if one.norm else '',
            'whose': one.norm.name if one.norm else '',
            'deviation_sd': None if one.deviation_sd is None else round(float(one.deviation_sd), 3),
            'deviation': '' if one.deviation_sd is None else format_number(one.deviation_sd, 1, sign=True),
            'class': (one.class_name or '') + (' (undecided)' if one.undecided else ''),
            'normal': one.is_normal is not False,
            'flagged': bool(one.flagged),
        }

    def _why_not(self, one: AssessedValue, points_px: np.ndarray, spacing_mm: float | None) -> str:
        seen = np.isfinite(points_px).all(axis=1)
        there = {name for name, known in zip(self._landmarks.abbreviations, seen, strict=True) if known}
        missing = [name for name in one.measurement.landmarks if name not in there]
        if missing:
            return f'no {", ".join(missing)}'
        return 'no spacing' if one.measurement.unit == 'mm' and spacing_mm is None else 'not defined'

    def _lines(self, values: list[AssessedValue], points_px: np.ndarray) -> list[list]:
        """Each line once: x, y of both ends in pixels, and its role."""
        from cephalometric.reporting.tracing import finite_positions, segments_of

        positions = finite_positions(self._landmarks, points_px)
        segments = segments_of((value.measurement for value in values), positions)
        return [
            [*segment.start.round(2).tolist(), *segment.end.round(2).tolist(), segment.role] for segment in segments
        ]
