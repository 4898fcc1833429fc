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


GROUPS = st.lists(st.sampled_from('abcdefghijklmnopqrst'), min_size=3, max_size=80).filter(lambda g: len(set(g)) >= 3)


def groups_of(part, groups):
    return {groups[position] for position in part}


@given(GROUPS, st.integers(0, 9))
def test_no_group_is_in_two_parts_and_parts_are_near_their_sizes(groups, seed):
    count = len(groups)
    parts = make_splits(count, seed=seed, groups=groups)
    assert sorted(position for part in parts.values() for position in part) == list(range(count))
    assert all(parts.values()) and len(parts) == 3
    assert sum(len(groups_of(part, groups)) for part in parts.values()) == len(set(groups))
    largest = max(map(groups.count, groups))
    plain = make_splits(count, seed=seed)
    for name, part in parts.items():
        assert abs(len(part) - len(plain[name])) < 2 * largest
    assert parts == make_splits(count, seed=seed, groups=groups)


@given(st.integers(3, 60), st.integers(0, 9), st.integers(0, 3), st.data())
def test_groups_of_one_image_each_are_dealt_out_as_images_are(count, seed, folds, data):
    valid = data.draw(st.integers(0, count // 3))
    test = data.draw(st.integers(0, count // 3))
    sizes = (count - valid - test, valid, test)
    folds = folds if 2 <= folds <= count - test else 0
    names = [f'patient{n}' for n in range(count)]
    assert make_splits(count, sizes, seed, folds, names) == make_splits(count, sizes, seed, folds)


@given(GROUPS, st.integers(2, 5), st.integers(0, 9))
def test_no_group_is_in_two_folds(groups, folds, seed):
    tested = make_splits(len(groups), seed=seed, groups=groups)['test']
    rest = sorted(set(range(len(groups))) - set(tested))
    if len(groups_of(rest, groups)) < folds:
        with pytest.raises(InputError, match='groups outside the test part are needed'):
            make_splits(len(groups), seed=seed, folds=folds, groups=groups)
        return
    parts = make_splits(len(groups), seed=seed, folds=folds, groups=groups)
    shares = [parts[f'fold{fold}_valid'] for fold in range(1, folds + 1)]
    assert all(shares) and sorted(position for share in shares for position in share) == rest
    assert sum(len(groups_of(share, groups)) for share in shares) == len(groups_of(rest, groups))
    assert max(map(len, shares)) - min(map(len, shares)) <= max(map(groups.count, groups))
    for fold, share in enumerate(shares, start=1):
        assert sorted(parts[f'fold{fold}_train'] + share) == rest


def test_groups_of_two_make_parts_of_the_very_sizes():
    groups = [f'patient{n // 2}' for n in range(400)]
    parts = make_splits(400, groups=groups)
    assert [len(parts[name]) for name in ('train', 'valid', 'test')] == [300, 50, 50]
    assert make_splits(400, seed=1, groups=groups) != parts


def test_a_group_that_fits_into_no_small_part_trains():
    groups = ['clinic'] * 80 + [f'patient{n}' for n in range(20)]
    parts = make_splits(100, (84, 8, 8), groups=groups)
    assert [len(part) for part in parts.values()] == [84, 8, 8]
    assert set(range(80)) <= set(parts['train'])


@pytest.mark.parametrize(
    ('groups', 'sizes', 'expected'),
    [
        ('aaaaabbbbb', None, '2 groups cannot be split into train, valid and test'),
        ('aaaaaaaaaa', (8, 0, 2), '1 group cannot be split into train and test'),
    ],
)
def test_too_few_groups(groups, sizes, expected):
    with pytest.raises(InputError, match=expected):
        make_splits(10, sizes, groups=groups)
    assert list(make_splits(10, (10, 0, 0), groups=groups)) == ['train']


@given(st.lists(st.sampled_from(['train', 'Valid', 'TEST', 'validation', 'val']), max_size=30), st.integers(0, 3))
def test_the_parts_that_a_data_set_has_are_kept(names, folds):
    names = ['Training', 'train', 'train', *names]
    folds = folds if folds > 1 else 0
    parts = make_splits(len(names), folds=folds, names=names)
    for position, name in enumerate(names):
        assert position in parts[{'tr': 'train', 'va': 'valid', 'te': 'test'}[name.lower()[:2]]]
    assert sum(len(parts.get(name, [])) for name in ('train', 'valid', 'test')) == len(names)
    tested = parts.get('test', [])
    assert all(not set(part) & set(tested) for name, part in parts.items() if name != 'test')


@pytest.mark.parametrize(
    ('names', 'groups', 'expected'),
    [
        (['train', 'holdout'], None, "'holdout' is no part"),
        (['valid', 'test'], None, 'no image is to train'),
        (['train', 'test'], ['a', 'a'], 'images of one group into test and train'),
    ],
)
def test_names_that_are_no_parts(names, groups, expected):
    with pytest.raises(InputError, match=expected):
        make_splits(2, groups=groups, names=names)
