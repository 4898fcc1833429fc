"""What was measured, as JSON: definitions, values, norms and classes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from cephalometric.files import atomic_write
from cephalometric.landmarks import LandmarkSet
from cephalometric.measurements import ANYBODY, Analysis, AssessedValue, Measurement, Norm, Person
from cephalometric.results.measured_xrays import AT_ONCE, assess_xrays
from cephalometric.results.predictions import NOTICE, PredictedXray

FORMAT = 'cephalometric measurements 2'


def write_measurement_json(
    path: str | Path,
    xrays: Iterable[PredictedXray],
    measurements: Sequence[Measurement],
    landmarks: LandmarkSet,
    analyses: Mapping[str, Analysis],
    person: Person = ANYBODY,
    norms: str | None = None,
) -> None:
    """Write what was measured: definitions and, for each image, the values; and each analysis with norms and classes.

    Values that cannot be taken are left out, and so are measurements that no image has.

    Args:
        path: The file to write.
        xrays: What was measured; they are gone through twice.
        measurements: All that could be.
        landmarks: Names the landmarks.
        analyses: Those whose norms and classes are written, by name.
        person: Whom the norms are chosen for.
        norms: The name of a population whose norms come before others.

    Raises:
        InputError: The file cannot be written.
    """
    names = {name for xray in xrays for name, value in xray.measurements.items() if np.isfinite(value)}
    used = [measurement for measurement in measurements if measurement.name in names]
    head = {
        'format': FORMAT,
        'notice': NOTICE,
        'sex': person.sex,
        'age': person.age,
        'measurements': [_definition(measurement) for measurement in used],
        'landmarks': _landmark_definitions(used, landmarks),
        'analyses': {name: {'title': a.title, 'source': a.source, 'note': a.note} for name, a in analyses.items()},
    }
    with atomic_write(path) as partial, open(partial, 'w', encoding='utf-8') as file:
        file.write(f'{json.dumps(head, allow_nan=False)[:-1]}, "images": [')
        between = ''
        for some in _batches(xrays):
            assessed = {
                name: _assessed(some, landmarks, analysis, person, norms) for name, analysis in analyses.items()
            }
            for n, xray in enumerate(some):
                entry = {
                    'image': xray.name,
                    'warnings': list(xray.warnings),
                    'doubtful': xray.doubtful,
                    'values': _values(xray, used),
                    'analyses': {name: results[n] for name, results in assessed.items()},
                }
                file.write(f'{between}\n{json.dumps(entry, allow_nan=False)}')
                between = ','
        file.write('\n]}\n')


def _batches(xrays: Iterable[PredictedXray]) -> Iterator[list[PredictedXray]]:
    left = iter(xrays)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _definition(measurement: Measurement) -> dict:
    return {
        'name': measurement.name,
        'title': measurement.title,
        'unit': measurement.unit,
        'landmarks': list(measurement.landmarks),
        'definition': measurement.definition,
        'sign': measurement.sign,
        'source': measurement.source,
    }


def _landmark_definitions(measurements: Sequence[Measurement], landmarks: LandmarkSet) -> dict:
    """Name and place of each landmark that a measurement uses."""
    used = {name for measurement in measurements for name in measurement.landmarks}
    return {
        abbreviation: {'name': landmarks.names[k], 'definition': landmarks.definition(k) or None}
        for k, abbreviation in enumerate(landmarks.abbreviations)
        if abbreviation in used
    }


def _values(xray: PredictedXray, measurements: Sequence[Measurement]) -> dict:
    values = {}
    for measurement in measurements:
        value, error = xray.measurements[measurement.name], xray.measurement_errors.get(measurement.name, np.nan)
        if np.isfinite(value):
            values[measurement.name] = {
                'value': value,
                'unit': measurement.unit,
                'standard_error': float(error) if np.isfinite(error) else None,
            }
            if xray.flagged is not None:
                values[measurement.name]['flagged'] = measurement.name in xray.flagged_measurements
    return values


def _assessed(
    xrays: Sequence[PredictedXray], landmarks: LandmarkSet, analysis: Analysis, person: Person, norms: str | None
) -> list[dict]:
    """What an analysis says of each X-ray."""
    return [
        {value.measurement.name: _judgement(value) for value in result.values if np.isfinite(value.value)}
        for result in assess_xrays(xrays, landmarks, analysis, person, norms)
    ]


def _judgement(value: AssessedValue) -> dict:
    return {
        'norm': value.norm and _norm(value.norm, value.mean),
        'deviation_sd': value.deviation_sd,
        'class': value.class_name,
        'class_source': value.class_source or None,
        'undecided': value.undecided,
    }


def _norm(norm: Norm, mean: float | None) -> dict:
    return {
        'name': norm.name,
        'mean': mean,
        'sd': norm.sd,
        'range': norm.range and list(norm.range),
        'sex': norm.sex,
        'ages': list(norm.ages),
        'origin': norm.origin,
        'n': norm.n,
        'source': norm.source,
        'confidence': norm.confidence,
        'note': norm.note,
    }
