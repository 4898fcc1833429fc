"""The data sets of a loader, joined and repeated."""

import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmpose.registry import DATASETS

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.preparation.preparing import prepare
from cephalometric.training.dataset_parts import built_datasets, dataset_configs, joined, labelled_images
from cephalometric.training.recipe import load_config

REPEATED = """
_base_ = {base!r}
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=[
    dict(type='CephalometricDataset', ann_file='train.json'),
    dict(type='RepeatDataset', times=3,
         dataset=dict(type='CephalometricDataset', ann_file='valid.json', data_root={other!r})),
]))
"""


@pytest.fixture
def config(data_root, tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(REPEATED.format(base=str(TINY_RECIPE), other=str(data_root)))
    return load_config(path, data_root)


def test_every_part_is_completed_and_found(config, data_root):
    parts = dict(dataset_configs(config, ('train',)))
    first, second = parts.values()
    assert list(parts) == [
        ('train_dataloader', 'dataset', 'datasets', 0),
        ('train_dataloader', 'dataset', 'datasets', 1, 'dataset'),
    ]
    assert first['pipeline'] == second['pipeline'] == config.train_pipeline
    assert first['landmark_set'] == second['landmark_set'] == 'cldetection2023'
    assert len(labelled_images(config, 'train')) == 6 + 2, 'each file once'
    assert labelled_images(config, 'test').path == data_root / 'test.json'


def test_repeated_xrays_are_changed_in_another_way_every_time(config):
    dataset = DATASETS.build(config.train_dataloader.dataset)
    assert len(dataset) == 6 + 3 * 2 and len(list(built_datasets(dataset))) == 2
    for part in built_datasets(dataset):
        part.set_epoch(1, 0)
    shown = [dataset[6 + 2 * repetition]['inputs'].numpy() for repetition in range(3)]
    assert not any(np.array_equal(shown[a], shown[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    again = dataset[8]['inputs'].numpy()
    assert np.array_equal(shown[1], again), 'and in the same way when it is drawn again'


def test_joined_files_are_as_one(data_root):
    parts = [load_coco(data_root / name) for name in ('train.json', 'test.json')]
    whole = joined(parts)
    assert len(whole) == sum(map(len, parts)) and len({image.id for image in whole.images}) == len(whole)
    assert all(whole.image_path(image).is_file() for image in whole.images)
    assert joined(parts[:1]) is parts[0]


def test_files_of_other_landmarks_are_not_joined(data_root, tiny, tmp_path):
    from cephalometric.landmarks import load_landmark_set
    from cephalometric.preparation.sources import ChallengeSource

    prepare(
        ChallengeSource(tiny.stack_path, tiny.annotation_path),
        tmp_path / 'other' / 'images',
        load_landmark_set('isbi2015'),
        sizes=(6, 1, 1),
        unusual_spacing=True,
    )
    with pytest.raises(InputError, match='are of other landmarks'):
        joined([load_coco(folder / 'train.json') for folder in (data_root, tmp_path / 'other')])
