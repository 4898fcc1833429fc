"""CephalometricDataset: what step 2 wrote becomes samples, the same ones whoever loads them."""

import json
import shutil

import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmengine.dataset import DefaultSampler
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.geometry import mean_layout_mm
from cephalometric.training.dataset import check_data
from cephalometric.training.recipe import load_config


def build(data_root, part, **changes):
    config = load_config(TINY_RECIPE, data_root, options=changes)
    return DATASETS.build(config[f'{part}_dataloader'].dataset)


def test_samples_are_those_of_the_file_in_original_pixels(data_root):
    dataset, labelled = build(data_root, 'test'), load_coco(data_root / 'test.json')
    assert len(dataset) == len(labelled)
    for index, image in enumerate(labelled.images):
        sample = dataset[index]['data_samples']
        np.testing.assert_allclose(sample.gt_instances.keypoints[0], image.points_px)
        assert sample.spacing == image.spacing_mm and sample.img_id == image.id
        assert sample.ori_shape == (image.height, image.width)


def test_it_knows_the_mean_layout_in_mm(data_root):
    dataset, labelled = build(data_root, 'train'), load_coco(data_root / 'train.json')
    expected = mean_layout_mm(
        np.stack([image.points_px for image in labelled.images]),
        np.array([image.spacing_mm for image in labelled.images]),
    )
    np.testing.assert_allclose(dataset.mean_layout_mm, expected)
    np.testing.assert_allclose(dataset.get_data_info(0)['mean_layout_mm'], expected)


def test_metainfo_names_the_landmarks(data_root):
    meta = build(data_root, 'test').metainfo
    assert [meta['keypoint_id2name'][index] for index in range(3)] == ['S', 'N', 'Or']
    assert meta['num_keypoints'] == 38


def test_augmentation_depends_on_seed_epoch_and_index_alone(data_root):
    dataset = build(data_root, 'train')

    def inputs(seed, epoch, workers=0):
        dataset.set_epoch(seed, epoch)
        loader = DataLoader(
            dataset, sampler=DefaultSampler(dataset, shuffle=False), num_workers=workers, collate_fn=lambda batch: batch
        )
        return np.stack([batch[0]['inputs'].numpy() for batch in loader])

    first = inputs(1, 0)
    np.random.seed(99)
    np.testing.assert_array_equal(inputs(1, 0), first)
    np.testing.assert_array_equal(inputs(1, 0, workers=2), first)
    assert (inputs(1, 1) != first).any() and (inputs(2, 0) != first).any()


def test_persistent_workers_hear_of_a_new_epoch(data_root):
    dataset = build(data_root, 'train')
    loader = DataLoader(dataset, num_workers=1, persistent_workers=True, collate_fn=lambda batch: batch)
    epochs = []
    for epoch in (0, 1):
        dataset.set_epoch(1, epoch)
        epochs.append(np.stack([batch[0]['inputs'].numpy() for batch in loader]))
    dataset.set_epoch(1, 1)
    np.testing.assert_array_equal(epochs[1], np.stack([dataset[i]['inputs'].numpy() for i in range(len(dataset))]))
    assert (epochs[0] != epochs[1]).any()


def test_a_missing_landmark_has_no_weight_and_no_heat(data_root, tmp_path):
    content = json.loads((data_root / 'train.json').read_text())
    for entry in content['images']:
        entry['file_name'] = str(data_root / entry['file_name'])
    content['annotations'][0]['keypoints'][3:6] = [0, 0, 0]
    (tmp_path / 'train.json').write_text(json.dumps(content))
    fields = build(tmp_path, 'train')[0]['data_samples']
    weights = fields.gt_instance_labels.keypoint_weights[0]
    assert weights[1] == 0 and weights[0] == 1
    assert not fields.gt_fields.heatmaps[1].any() and fields.gt_fields.heatmaps[0].any()


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r'train\.json'):
        build(tmp_path, 'train')


def test_a_file_for_other_landmarks_is_refused(data_root):
    config = load_config(TINY_RECIPE, data_root, landmark_set='isbi2015')
    with pytest.raises(InputError, match='--landmarks cldetection2023'):
        DATASETS.build(config.train_dataloader.dataset)


def test_a_file_without_a_labelled_image_is_refused(data_root, tmp_path):
    content = json.loads((data_root / 'train.json').read_text()) | {'images': [], 'annotations': []}
    (tmp_path / 'train.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match='no X-ray'):
        build(tmp_path, 'train')


def test_the_images_of_a_training_are_looked_at_before_it_starts(data_root, tmp_path):
    check_data(load_config(TINY_RECIPE, data_root))
    shutil.copytree(data_root, tmp_path / 'data')
    names = [
        json.loads((data_root / f'{part}.json').read_text())['images'][0]['file_name'] for part in ('train', 'valid')
    ]
    (tmp_path / 'data' / names[0]).unlink()
    (tmp_path / 'data' / names[1]).write_bytes(b'half')
    config = load_config(TINY_RECIPE, tmp_path / 'data')
    with pytest.raises(InputError, match='2 problems') as error:
        check_data(config)
    assert all(name in str(error.value) for name in names)
    config.val_dataloader = None
    with pytest.raises(InputError, match='1 problem'):
        check_data(config)


def test_a_missing_annotation_file_names_the_flag(tmp_path):
    with pytest.raises(InputError, match=r'train\.json.*--data-root'):
        check_data(load_config(TINY_RECIPE, tmp_path))
