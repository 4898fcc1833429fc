"""Pixel values of any depth as 8 bits."""

import numpy as np

# Of an 8-megapixel X-ray 8000 pixels at either end: more than dead pixels and hot ones, less than a tooth or a filling.
PERCENTILES = (0.1, 99.9)


def robust_range(values: np.ndarray) -> tuple[float, float]:
    """The values between which an image lies, but for a few outliers: its 0.1 and 99.9 percentiles.

    Where these two are equal, as in a mask, the lowest and the highest value are taken. Values that are not finite do
    not count.
    """
    # As float64: NumPy takes the difference of neighbours in their own type, and that of 16-bit integers overflows.
    finite = values[np.isfinite(values)].astype(float)
    if not finite.size:
        return 0.0, 0.0
    low, high = np.percentile(finite, PERCENTILES)
    return (float(low), float(high)) if low < high else (float(finite.min()), float(finite.max()))


def to_uint8(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map ``low`` to 0 and ``high`` to 255, linearly between them; what lies beyond is cut off.

    Args:
        values: Any shape and any real type; NaN becomes 0.
        low, high: In the unit of the values. If ``high`` is not above ``low`` nothing is shown: all becomes 0.

    Returns:
        uint8, the shape of ``values``. A larger value never becomes a smaller one.
    """
    if not low < high:
        return np.zeros(values.shape, np.uint8)
    share = (np.clip(np.nan_to_num(values.astype(float), nan=low), low, high) - low) / (high - low)
    return np.rint(share * 255).astype(np.uint8)
