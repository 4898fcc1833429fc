import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cephalometric.errors import InputError
from cephalometric.preparation.splits import make_splits


def test_the_default_split_of_400_is_that_of_the_baseline():
    state = random.getstate()
    random.seed(2023)
    order = list(range(400))
    random.shuffle(order)
    random.setstate(state)
    parts = make_splits(400)
    assert parts == {'train': sorted(order[:300]), 'valid': sorted(order[300:350]), 'test': sorted(order[350:])}


@given(st.integers(3, 500), st.integers(0, 9))
def test_every_image_is_in_exactly_one_part(count, seed):
    parts = make_splits(count, seed=seed)
    assert sorted(parts['train'] + parts['valid'] + parts['test']) == list(range(count))
    assert all(parts.values())
    assert abs(len(parts['valid']) - count / 8) < 1
    assert len(parts['valid']) == len(parts['test'])


@given(st.integers(4, 60), st.data())
def test_folds_share_out_what_is_not_tested(count, data):
    plain = make_splits(count)
    rest = sorted(plain['train'] + plain['valid'])
    folds = data.draw(st.integers(2, len(rest)))
    parts = make_splits(count, folds=folds)
    assert {name: parts[name] for name in plain} == plain
    assert len(parts) == 3 + 2 * folds
    shares = [parts[f'fold{fold}_valid'] for fold in range(1, folds + 1)]
    assert sorted(index for share in shares for index in share) == rest
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    for fold, share in enumerate(shares, start=1):
        assert sorted(parts[f'fold{fold}_train'] + share) == rest


def test_sizes_and_seed_are_honoured():
    parts = make_splits(150, (100, 20, 30))
    assert [len(parts[name]) for name in ('train', 'valid', 'test')] == [100, 20, 30]
    assert make_splits(150, (100, 20, 30), seed=1) != parts
    assert make_splits(150, (100, 20, 30)) == parts


@pytest.mark.parametrize('sizes', [(5, 2, 2), (5, 2, 4), (0, 5, 5), (9, 2, -1), (11, -2, 1)])
def test_sizes_that_do_not_fit(sizes):
    with pytest.raises(InputError, match='add up to 10'):
        make_splits(10, sizes)


def test_without_a_test_part_the_folds_share_out_everything():
    parts = make_splits(10, (8, 2, 0), folds=2)
    assert sorted(parts) == ['fold1_train', 'fold1_valid', 'fold2_train', 'fold2_valid', 'train', 'valid']
    assert sorted(parts['fold1_valid'] + parts['fold2_valid']) == list(range(10))


def test_all_images_may_train():
    assert make_splits(10, (10, 0, 0)) == {'train': list(range(10))}
    assert sorted(make_splits(10, (10, 0, 0), folds=2)) == [
        *('fold1_train', 'fold1_valid', 'fold2_train', 'fold2_valid', 'train')
    ]


def test_too_few_images():
    with pytest.raises(InputError, match='2 images cannot be split'):
        make_splits(2)


@pytest.mark.parametrize('folds', [-1, 1, 10])
def test_folds_that_do_not_fit(folds):
    with pytest.raises(InputError, match='folds'):
        make_splits(10, folds=folds)
