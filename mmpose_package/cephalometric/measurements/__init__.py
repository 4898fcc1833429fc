"""Clinical measurements from landmarks, for research."""

from cephalometric.measurements.entries import (
    Measurement,
    Norm,
    analyses_of,
    load_measurements,
    measurements_for,
)
from cephalometric.measurements.measuring import (
    ClassSuccess,
    MeasurementError,
    class_successes,
    classify,
    faces_right,
    flagged_measurements,
    measure,
    measure_all,
    measurement_errors,
)

__all__ = [
    'ClassSuccess',
    'Measurement',
    'MeasurementError',
    'Norm',
    'analyses_of',
    'class_successes',
    'classify',
    'faces_right',
    'flagged_measurements',
    'load_measurements',
    'measure',
    'measure_all',
    'measurement_errors',
    'measurements_for',
]
