"""How often each image is drawn in the resamples of a bootstrap: the same every time, and drawn once."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

RESAMPLES = 4000
SEED = 2023
# Of the bootstrap, so that its memory is bounded: numbers in one array, and numbers that are kept for the next set of
# errors, in two bytes each.
DRAWS_AT_A_TIME = 2**20
KEPT_DRAWS = 2**24


def resamples(images: int) -> Iterator[np.ndarray]:
    """How often each image is drawn in each of the resamples, float64, shape (rows, images), some rows at a time."""
    kept = RESAMPLES * images <= KEPT_DRAWS
    for draws in _kept_draws(images) if kept else _draws(images):
        yield draws.astype(float)


@lru_cache(maxsize=2)
def _kept_draws(images: int) -> tuple[np.ndarray, ...]:
    """Drawing takes nearly all of the time, and what is drawn depends on the number of images alone."""
    return tuple(draws.astype(np.uint16) for draws in _draws(images))


def _draws(images: int) -> Iterator[np.ndarray]:
    random, left = np.random.default_rng(SEED), RESAMPLES
    while left:
        rows = min(left, max(1, DRAWS_AT_A_TIME // images))
        yield random.multinomial(images, np.full(images, 1 / images), rows)
        left -= rows
