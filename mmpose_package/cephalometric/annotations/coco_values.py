"""Single values of COCO files: texts, counts, keypoints, spacings, lines of a skeleton."""

import math

import numpy as np

from cephalometric.annotations.annotation import short

NOT_SUCH_A_FILE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading a file of another structure may raise."""


def texts(values: object) -> tuple[str, ...]:
    """A list of texts of a JSON file.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise TypeError(f'{short(values)} should be a list of texts')
    return tuple(values)


def skeleton_lines(skeleton: object, landmarks: int) -> tuple[tuple[int, int], ...]:
    """COCO's "skeleton", pairs of numbers from 1, as pairs of positions.

    Raises:
        TypeError, ValueError: It is something else.
    """
    lines = tuple((int(first) - 1, int(second) - 1) for first, second in skeleton)
    if not all(0 <= end < landmarks for line in lines for end in line):
        raise ValueError('its "skeleton" joins keypoints that it does not have')
    return lines


def is_count(value: object) -> bool:
    """Whether a value of a JSON file is a whole number from 1."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def keypoints_px(keypoints: object, landmarks: int) -> np.ndarray:
    """COCO's flat list x, y, visibility, ... as points, shape (K, 2); NaN where the visibility is 0.

    Raises:
        ValueError, TypeError, OverflowError: It is no such list of finite numbers.
    """
    if not isinstance(keypoints, list) or len(keypoints) != 3 * landmarks:
        raise ValueError(f'"keypoints" should be {3 * landmarks} numbers: x, y and visibility of {landmarks} landmarks')
    if any(isinstance(value, str | bool) for value in keypoints):
        raise TypeError('"keypoints" should be numbers')
    table = np.array(keypoints, float).reshape(landmarks, 3)
    if not np.isfinite(table).all():
        raise ValueError('"keypoints" should be finite numbers')
    return np.where(table[:, 2:] > 0, table[:, :2], np.nan)


def positive_spacing(value: object) -> float:
    """Millimetres per pixel.

    Raises:
        TypeError, ValueError, OverflowError: It is no positive, finite number.
    """
    spacing_mm = float(value)
    if not (math.isfinite(spacing_mm) and spacing_mm > 0):
        raise ValueError(f'a spacing is {short(value)}, and should be mm per pixel')
    return spacing_mm
