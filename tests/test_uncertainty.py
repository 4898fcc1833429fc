"""Standard errors: what the simulation says, and where there is none."""

import numpy as np
import pytest
from second_measurements import HEAD

from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import errors_of_xray, load_measurements, measure_all, standard_errors
from cephalometric.measurements.uncertainty import sigma_per_axis

LANDMARKS = load_landmark_set('cldetection2023')
MEASUREMENTS = load_measurements()
POINTS = np.array([HEAD[name] for name in LANDMARKS.abbreviations], float) * 10
RNG = np.random.default_rng(4)
EXPECTED_MM = RNG.uniform(0.4, 1.6, len(LANDMARKS))


def errors(points=POINTS, expected=EXPECTED_MM, spacing=0.1):
    return standard_errors(points[None], expected[None], LANDMARKS, np.array([spacing]), MEASUREMENTS)[0]


def test_the_mean_radial_error_of_the_model_is_the_expected_error():
    offsets = RNG.normal(0, sigma_per_axis(1.3), (200_000, 2))
    assert np.linalg.norm(offsets, axis=1).mean() == pytest.approx(1.3, rel=0.01)


@pytest.mark.parametrize('mirror', [1, -1])
def test_standard_errors_are_those_of_a_simulation(mirror):
    """Errors of a tenth, where the formulas are straight enough for the first order to be exact."""
    small, count = 0.1 * EXPECTED_MM, 20_000
    sigma_px = sigma_per_axis(small)[None, :, None] / 0.1
    films = (POINTS + sigma_px * RNG.standard_normal((count, *POINTS.shape))) * (mirror, 1)
    values = measure_all(films, LANDMARKS, np.full(count, 0.1), MEASUREMENTS)
    assert errors(POINTS * (mirror, 1), small) == pytest.approx(values.std(axis=0), rel=0.04)


def test_at_errors_as_they_come_the_first_order_is_near_enough():
    count = 20_000
    films = POINTS + sigma_per_axis(EXPECTED_MM)[None, :, None] / 0.1 * RNG.standard_normal((count, *POINTS.shape))
    values = measure_all(films, LANDMARKS, np.full(count, 0.1), MEASUREMENTS)
    assert errors() == pytest.approx(values.std(axis=0), rel=0.15)


def test_a_distance_has_the_errors_of_its_ends():
    place = LANDMARKS.abbreviations.index
    sn = [measurement.name for measurement in MEASUREMENTS].index('S_N_mm')
    ends = sigma_per_axis(EXPECTED_MM[[place('S'), place('N')]])
    assert errors()[sn] == pytest.approx(np.hypot(*ends), rel=1e-6)


@pytest.mark.parametrize('degrees', range(0, 360, 45))
def test_they_do_not_depend_on_how_the_film_lies(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert errors(POINTS @ turn * 3 + 500, spacing=0.1 / 3) == pytest.approx(errors(), rel=1e-4)


def test_what_is_not_known_has_none():
    unknown = EXPECTED_MM.copy()
    unknown[LANDMARKS.abbreviations.index('S')] = np.nan
    for measurement, error in zip(MEASUREMENTS, errors(expected=unknown), strict=True):
        assert np.isnan(error) == ('S' in measurement.landmarks), measurement.name
    assert np.isnan(errors(spacing=np.nan)).all()
    assert errors_of_xray(POINTS, None, LANDMARKS, 0.1, MEASUREMENTS) == {}
    assert errors_of_xray(POINTS, EXPECTED_MM, LANDMARKS, None, MEASUREMENTS) == {}
    found = errors_of_xray(POINTS, EXPECTED_MM, LANDMARKS, 0.1, MEASUREMENTS)
    assert found == pytest.approx(dict(zip((m.name for m in MEASUREMENTS), errors(), strict=True)))


def test_no_films_and_no_measurements_are_fine():
    none = standard_errors(np.empty((0, 38, 2)), np.empty((0, 38)), LANDMARKS, np.empty(0), MEASUREMENTS)
    assert none.shape == (0, len(MEASUREMENTS))
    assert standard_errors(POINTS[None], EXPECTED_MM[None], LANDMARKS, np.ones(1), []).shape == (1, 0)
