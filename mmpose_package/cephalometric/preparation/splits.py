"""Which images train, which validate and which test."""

import random

from cephalometric.errors import InputError

SEED = 2023


def make_splits(
    count: int, sizes: tuple[int, int, int] | None = None, seed: int = SEED, folds: int = 0
) -> dict[str, list[int]]:
    """Deal images out to parts.

    The images are shuffled as by Python's ``random.seed(seed)`` and ``random.shuffle(list(range(count)))``; the first
    ones train, the next ones validate and the last ones test. With 400 images and nothing else said, these are the
    300, 50 and 50 of the CL-Detection 2023 baseline.

    Args:
        count: The number of images.
        sizes: How many train, validate and test; by default 3/4, 1/8 and 1/8 of them, none of the parts empty. Where
            none are to test, as when the test X-rays come from elsewhere, there is no part 'test', and where none are
            to validate, as in a last training on everything, no part 'valid'.
        seed: The seed of the shuffling.
        folds: For cross-validation, deal the images outside the test part out to so many folds too; 0 for none.

    Returns:
        Sorted positions (from 0) for 'train', 'valid' and 'test', and with folds for 'fold1_train', 'fold1_valid',
        'fold2_train', and so on: each fold validates on its own share and trains on the others.

    Raises:
        InputError: The sizes or the folds do not fit the number of images.
    """
    train, valid, test = sizes or _default_sizes(count)
    if train < 1 or min(valid, test) < 0 or train + valid + test != count:
        raise InputError(
            f'a split into {train} + {valid} + {test} images does not fit the {count} there are: give three numbers '
            f'that add up to {count}, of which only the first may not be 0'
        )
    order = list(range(count))
    random.Random(seed).shuffle(order)
    rest = order[: train + valid]
    parts = {'train': order[:train], 'valid': rest[train:], 'test': order[train + valid :]}
    parts = {name: indices for name, indices in parts.items() if indices}
    if folds and not 2 <= folds <= len(rest):
        raise InputError(f'{folds} folds: between 2 and the {len(rest)} images outside the test part are needed')
    for fold in range(folds):
        share = rest[fold::folds]
        parts[f'fold{fold + 1}_train'] = [index for index in rest if index not in share]
        parts[f'fold{fold + 1}_valid'] = share
    return {name: sorted(indices) for name, indices in parts.items()}


def _default_sizes(count: int) -> tuple[int, int, int]:
    if count < 3:
        raise InputError(f'{count} images cannot be split into training, validation and test: at least 3 are needed')
    eighth = max(1, round(count / 8))
    return count - 2 * eighth, eighth, eighth
