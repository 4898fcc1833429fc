"""How each film of a review begins, and which of its landmarks to look at first."""

import numpy as np

from cephalometric.geometry import content_crop
from cephalometric.landmarks import LandmarkSet
from cephalometric.results.predictions import PredictedXray
from cephalometric.reviewing.first_places import mean_layout, places_around, places_in_picture
from cephalometric.reviewing.review_record import (
    BY_A_PERSON,
    LABELLED,
    PREDICTED,
    Beginning,
    ReviewMark,
    ReviewRecord,
)

FAR_MM = 3.0
"""A label that far from the prediction is in doubt, where no error is to be expected."""
TIMES_EXPECTED, LEAST_MM = 3.0, 1.5
"""Else one is that lies that many times the expected error from it, and at least as far."""
WHOLE_FILM = 1000.0


def beginning_of(
    landmarks: LandmarkSet,
    found: PredictedXray | None,
    labels_px: np.ndarray | None,
    spacing_mm: float | None,
    model: dict | None = None,
) -> Beginning:
    """What a reader is shown first: labels where there are some, else what a model finds, else nothing.

    Args:
        landmarks: The landmark set.
        found: What a model finds, or None.
        labels_px: What people have labelled, shape (K, 2) as x, y, NaN where they have not; or None.
        spacing_mm: Millimetres per pixel; None where it is not known.
        model: What found it, of plain types.
    """
    unknown = np.full(len(landmarks), np.nan)
    found_px = np.full((len(landmarks), 2), np.nan) if found is None else found.points_px
    expected_mm = unknown if found is None or found.expected_error_mm is None else found.expected_error_mm
    shown_px, status = (found_px, PREDICTED) if labels_px is None else (labels_px, LABELLED)
    marks = {}
    for name, (x, y) in zip(landmarks.abbreviations, shown_px.round(3).tolist(), strict=True):
        marks[name] = ReviewMark(x, y, True, status) if np.isfinite([x, y]).all() else ReviewMark()
    doubtful = np.zeros(len(landmarks), bool)
    if labels_px is None and found is not None:
        # What was not assessed is to be looked at, all of it.
        doubtful = np.ones(len(landmarks), bool) if found.flagged is None else found.flagged.astype(bool)
    elif found is not None:
        doubtful = _disagreement(found, labels_px, expected_mm) > 1
    reasons = found.warnings if found is not None and found.doubtful else ()
    return Beginning(marks, found_px, expected_mm, doubtful, spacing_mm, dict(model or {}), tuple(reasons))


def _distance_mm(found: PredictedXray, labels_px: np.ndarray) -> np.ndarray:
    spacing_mm = found.spacing_mm or np.nan
    return np.hypot(*(labels_px - found.points_px).T) * spacing_mm


def _disagreement(found: PredictedXray, labels_px: np.ndarray, expected_mm: np.ndarray) -> np.ndarray:
    """How far labels lie from the prediction, in parts of what is still usual; shape (K,), 0 where it is not known."""
    usual_mm = np.where(np.isfinite(expected_mm), np.maximum(TIMES_EXPECTED * expected_mm, LEAST_MM), FAR_MM)
    return np.nan_to_num(_distance_mm(found, labels_px) / usual_mm)


def doubt_of(
    landmarks: LandmarkSet, found: PredictedXray | None, labels_px: np.ndarray | None
) -> tuple[float | None, str]:
    """How doubtful a film is, for the order of the list, and why, in a few words.

    Returns:
        A number, larger for more doubt, or None where nothing is known; and the words.
    """
    if found is None:
        return None, ''
    if labels_px is not None:
        expected_mm = np.full(len(landmarks), np.nan) if found.expected_error_mm is None else found.expected_error_mm
        far = _disagreement(found, labels_px, expected_mm)
        worst, distance_mm = int(far.argmax()), _distance_mm(found, labels_px)
        if not far.any():
            return 0.0, 'not compared'
        words = f'{landmarks.abbreviations[worst]} {distance_mm[worst]:.1f} mm from the prediction'
        return float(far.max()), words
    if found.doubtful:
        return WHOLE_FILM, found.warnings[0] if found.warnings else 'doubtful'
    if found.flagged is None:
        return 0.0, 'not assessed'
    flags, errors_mm = int(found.flagged.sum()), found.expected_error_mm
    largest = 0.0 if errors_mm is None or not np.isfinite(errors_mm).any() else float(np.nanmax(errors_mm))
    words = f'{flags} flagged, up to {largest:.1f} mm' if flags else f'none flagged, up to {largest:.1f} mm'
    return flags + min(largest, 50.0) / 100, words


class Suggestions:
    """Where landmarks that nobody has placed would lie in a usual head.

    Args:
        landmarks: The landmark set.
    """

    def __init__(self, landmarks: LandmarkSet) -> None:
        self._layout = mean_layout(landmarks)

    def places(self, record: ReviewRecord, image: np.ndarray) -> np.ndarray:
        """Shape (K, 2) as x, y in pixels: as the landmarks that are placed say, else in the middle of the picture."""
        marks = record.marks.values()
        nowhere = (np.nan, np.nan)
        placed = np.array([(m.x_px, m.y_px) if m.is_placed and m.status in BY_A_PERSON else nowhere for m in marks])
        around = places_around(self._layout, placed.astype(float))
        if around is not None:
            return around
        crop = content_crop(image)
        return np.full_like(self._layout, np.nan) if crop is None else places_in_picture(self._layout, crop)
