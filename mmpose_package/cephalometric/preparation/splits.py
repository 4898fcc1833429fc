"""Which images train, which validate and which test."""

import random
from collections.abc import Sequence

from cephalometric.errors import InputError

SEED = 2023
PARTS = {
    **dict.fromkeys(('train', 'training'), 'train'),
    **dict.fromkeys(('valid', 'val', 'validation'), 'valid'),
    **dict.fromkeys(('test', 'testing'), 'test'),
}
"""What data sets call their parts, in lower case, and what they are called here."""


def make_splits(
    count: int,
    sizes: tuple[int, int, int] | None = None,
    seed: int = SEED,
    folds: int = 0,
    groups: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, list[int]]:
    """Deal images out to parts.

    The images are shuffled as by Python's ``random.seed(seed)`` and ``random.shuffle(list(range(count)))``; the first
    ones train, the next ones validate and the last ones test. With 400 images and nothing else said, these are the
    300, 50 and 50 of the CL-Detection 2023 baseline.

    With groups, whole groups are shuffled and dealt out in the same way, so that each part comes near to its size. A
    group that no longer fits into the test or validation part is passed over there, so a very large one trains. Groups
    of one image each give the same parts as no groups.

    Args:
        count: The number of images.
        sizes: How many train, validate and test; by default 3/4, 1/8 and 1/8 of them, none of the parts empty. Where
            none are to test, as when the test X-rays come from elsewhere, there is no part 'test', and where none are
            to validate, as in a last training on everything, no part 'valid'.
        seed: The seed of the shuffling.
        folds: For cross-validation, deal the images outside the test part out to so many folds too; 0 for none.
        groups: The name of the group of each image, such as its patient. No group is in two parts, nor in two folds.
        names: The part that each image is in, as ``PARTS`` has them in any case of letters, instead of ``sizes``.

    Returns:
        Sorted positions (from 0) for 'train', 'valid' and 'test', and with folds for 'fold1_train', 'fold1_valid',
        'fold2_train', and so on: each fold validates on its own share and trains on the others.

    Raises:
        InputError: The sizes or the folds do not fit the number of images or groups; a name is not that of a part; a
            group is in two parts.
    """
    members = _members(range(count) if groups is None else groups)
    random.Random(seed).shuffle(members)
    if names is None:
        rest, parts = _drawn(members, count, sizes)
    else:
        rest, parts = _named(members, names)
    if folds and not 2 <= folds <= len(rest):
        what = 'images' if groups is None else 'groups'
        raise InputError(f'{folds} folds: between 2 and the {len(rest)} {what} outside the test part are needed')
    for fold, share in enumerate(_shares(rest, folds), start=1):
        others = {position for group in share for position in group}
        parts[f'fold{fold}_train'] = [group for group in rest if group[0] not in others]
        parts[f'fold{fold}_valid'] = share
    return {name: sorted(position for group in chosen for position in group) for name, chosen in parts.items()}


_Groups = list[list[int]]


def _drawn(members: _Groups, count: int, sizes: tuple[int, int, int] | None) -> tuple[_Groups, dict[str, _Groups]]:
    """Deal groups in their order out to parts of about these sizes.

    Returns:
        What is not to test, in order, and the parts that are not empty.
    """
    train, valid, test = sizes or _default_sizes(count)
    if train < 1 or min(valid, test) < 0 or train + valid + test != count:
        raise InputError(
            f'a split into {train} + {valid} + {test} images does not fit the {count} there are: give three numbers '
            f'that add up to {count}, of which only the first may not be 0'
        )
    wanted = [name for name, size in (('train', train), ('valid', valid), ('test', test)) if size]
    if len(members) < len(wanted):
        raise InputError(
            f'{_groups(len(members))} cannot be split into {", ".join(wanted[:-1])} and {wanted[-1]}, no group in two: '
            'use --group with smaller groups, or --split with a 0 for a part'
        )
    rest, tested = _take(members, test, others=1 + bool(valid))
    trained, validated = _take(rest, valid, others=1)
    parts = {'train': trained, 'valid': validated, 'test': tested}
    return rest, {name: chosen for name, chosen in parts.items() if chosen}


def _named(members: _Groups, names: Sequence[str]) -> tuple[_Groups, dict[str, _Groups]]:
    """The groups that each part holds by the names of its images; returns the same."""
    unknown = sorted({name for name in names if name.casefold() not in PARTS})
    if unknown:
        raise InputError(f'--split-by: {unknown[0]!r} is no part: use train, valid and test')
    parts: dict[str, _Groups] = {'train': [], 'valid': [], 'test': []}
    for group in members:
        own = sorted({PARTS[names[position].casefold()] for position in group})
        if len(own) > 1:
            raise InputError(
                f'--split-by puts images of one group into {" and ".join(own)}: give another --group, or draw the '
                'parts by --split'
            )
        parts[own[0]].append(group)
    if not parts['train']:
        raise InputError('--split-by: no image is to train: call a part train')
    tested = {group[0] for group in parts['test']}
    rest = [group for group in members if group[0] not in tested]
    return rest, {name: chosen for name, chosen in parts.items() if chosen}


def _members(names: Sequence[object]) -> _Groups:
    """The positions of each group, in the order in which the groups come."""
    members: dict[object, list[int]] = {}
    for position, name in enumerate(names):
        members.setdefault(name, []).append(position)
    return list(members.values())


def _take(groups: _Groups, size: int, others: int) -> tuple[_Groups, _Groups]:
    """Deal groups out to a part of about a size, from the last one on, and leave at least some for other parts.

    Returns:
        What is left, and the part.
    """
    most = len(groups) - others if size else 0
    chosen: set[int] = set()
    free = size
    for number in reversed(range(len(groups))):
        if len(chosen) < most and len(groups[number]) <= free:
            chosen.add(number)
            free -= len(groups[number])
    left = [number for number in reversed(range(len(groups))) if number not in chosen]
    if len(chosen) < most and left:
        smallest = min(left, key=lambda number: len(groups[number]))
        if not chosen or len(groups[smallest]) - free < free:
            chosen.add(smallest)
    return (
        [group for number, group in enumerate(groups) if number not in chosen],
        [group for number, group in enumerate(groups) if number in chosen],
    )


def _shares(groups: _Groups, folds: int) -> list[_Groups]:
    """Deal groups out evenly: the largest first, each to the share with the fewest images."""
    shares: list[_Groups] = [[] for _ in range(folds)]
    counts = [0] * folds
    for group in sorted(groups, key=len, reverse=True) if folds else ():
        fewest = counts.index(min(counts))
        shares[fewest].append(group)
        counts[fewest] += len(group)
    return shares


def _groups(count: int) -> str:
    return '1 group' if count == 1 else f'{count} groups'


def _default_sizes(count: int) -> tuple[int, int, int]:
    if count < 3:
        raise InputError(f'{count} images cannot be split into training, validation and test: at least 3 are needed')
    eighth = max(1, round(count / 8))
    return count - 2 * eighth, eighth, eighth
