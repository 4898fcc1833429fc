"""The draws of the bootstrap: what one call of NumPy draws, whatever their number."""

import numpy as np
import pytest

from cephalometric.resampling import KEPT_DRAWS, RESAMPLES, SEED, resamples


@pytest.mark.parametrize('images', [1, 7, 700, KEPT_DRAWS // RESAMPLES + 1])
def test_they_are_those_of_a_single_call_each_time(images):
    expected = np.random.default_rng(SEED).multinomial(images, np.full(images, 1 / images), RESAMPLES)
    for _ in range(2):
        start = 0
        for draws in resamples(images):
            np.testing.assert_array_equal(draws, expected[start : start + len(draws)])
            start += len(draws)
        assert start == RESAMPLES
