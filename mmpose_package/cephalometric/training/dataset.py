"""The COCO files of step 2 as an MMPose dataset."""

import inspect
import random
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import RepeatDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from cephalometric.annotations.coco import LabelledImage, LabelledImages, load_coco
from cephalometric.annotations.image_files import check_image_files
from cephalometric.errors import InputError
from cephalometric.geometry import mean_layout_mm
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.training.dataset_parts import built_datasets, dataset_configs, image_folders, labelled_part
from cephalometric.training.transforms import LoadXray

_COLOURS = ((76, 175, 80), (33, 150, 243), (255, 152, 0), (233, 30, 99), (156, 39, 176), (0, 188, 212))


def mmpose_metainfo(landmarks: LandmarkSet) -> dict:
    """A landmark set in the form that MMPose's ``parse_pose_metainfo`` reads."""
    groups = sorted(set(landmarks.groups))
    colours = {group: _COLOURS[index % len(_COLOURS)] for index, group in enumerate(groups)}
    rows = zip(landmarks.abbreviations, landmarks.groups, strict=True)
    return {
        'dataset_name': landmarks.name,
        'keypoint_info': {
            index: {'name': text, 'id': index, 'color': colours[group], 'type': '', 'swap': ''}
            for index, (text, group) in enumerate(rows)
        },
        'skeleton_info': {
            index: {
                'link': (landmarks.abbreviations[a], landmarks.abbreviations[b]),
                'id': index,
                'color': colours[landmarks.groups[a]],
            }
            for index, (a, b) in enumerate(landmarks.lines)
        },
        # MMPose asks for both; neither enters a loss or a score here.
        'joint_weights': [1.0] * len(landmarks),
        'sigmas': [0.05] * len(landmarks),
    }


def whole_image_bbox(width: int, height: int) -> np.ndarray:
    """The box of a whole image, shape (1, 4) as left, top, right, bottom, from pixel centre to pixel centre."""
    return np.array([[0, 0, width - 1, height - 1]], np.float32)


@DATASETS.register_module()
class CephalometricDataset(BaseCocoStyleDataset):
    """Lateral X-rays with landmarks, one whole image a sample, ``spacing`` (mm per pixel) beside it.

    Augmentation draws from generators that are seeded anew for every sample from (seed, epoch, index), so that a sample
    does not depend on the number of workers, nor on whether the run was interrupted and resumed.

    Attributes:
        mean_layout_mm: The mean layout of the landmarks, shape (K, 2); every sample has it, too.

    Args:
        landmark_set: Name or path of the landmark set (see :mod:`cephalometric.landmarks`).
        metainfo: Taken for the sake of configs that say it, and not used: names, colours and lines are the landmark
            set's.
        **kwargs: As for MMPose's ``BaseCocoStyleDataset``.

    Raises:
        InputError: The annotation file is not there, or was made for other landmarks.
    """

    def __init__(self, landmark_set: str, metainfo: dict | None = None, **kwargs) -> None:
        self.landmarks = load_landmark_set(landmark_set)
        self.image_folders = image_folders(kwargs)
        # Shared memory, because persistent workers hold a copy of the dataset that was made before the first epoch.
        self._seed_and_epoch = torch.zeros(2, dtype=torch.int64).share_memory_()
        self.repetition = 0
        super().__init__(metainfo=mmpose_metainfo(self.landmarks), **kwargs)

    def set_epoch(self, seed: int, epoch: int) -> None:
        """Tell all workers which epoch the next samples are for."""
        self._seed_and_epoch[0], self._seed_and_epoch[1] = seed, epoch

    def load_data_list(self) -> list[dict]:
        """One record for every X-ray of the annotation file that has a landmark, in MMPose's terms."""
        labelled = load_coco(self.ann_file, self.landmarks, self.image_folders)
        if labelled.abbreviations != self.landmarks.abbreviations:
            raise InputError(
                f'{self.ann_file}: made for the {len(labelled.abbreviations)} landmarks of {labelled.landmark_set!r}, '
                f'but the config asks for {self.landmarks.name!r} of {len(self.landmarks)}: say '
                f'--landmarks {labelled.landmark_set}, or the path of its .json table'
            )
        images = [image for image in labelled.images if image.visible.any()]
        if not images:
            raise InputError(f'{self.ann_file}: holds no X-ray with a landmark: prepare it with more images')
        spacings_mm = np.array([image.spacing_mm for image in images])
        self.mean_layout_mm = mean_layout_mm(np.stack([image.points_px for image in images]), spacings_mm)
        return [_record(labelled, image) for image in images]

    def get_data_info(self, idx: int) -> dict:
        """MMPose's record of an X-ray, with the mean layout."""
        return super().get_data_info(idx) | {'mean_layout_mm': self.mean_layout_mm}

    def full_init(self) -> None:
        """As MMPose's; besides, the workers that load samples are to share the decoded X-rays."""
        if self._fully_initialized:
            return
        super().full_init()
        loaders = [transform for transform in self.pipeline.transforms if isinstance(transform, LoadXray)]
        if loaders:
            records = (self.get_data_info(index) for index in range(len(self)))
            sizes = {record['img_path']: record['image_size'] for record in records}
            for loader in loaders:
                loader.share(sizes)

    def prepare_data(self, idx: int) -> dict:
        """One sample; its augmentation depends on seed, epoch, index and repetition alone."""
        if not self.test_mode:
            seed, epoch = (int(value) for value in self._seed_and_epoch)
            again = (self.repetition,) if self.repetition else ()
            state = np.random.SeedSequence((seed, epoch, idx, *again)).generate_state(1)[0]
            np.random.seed(state)
            random.seed(int(state))
        return super().prepare_data(idx)


class RepeatedXrays(RepeatDataset):
    """MMEngine's ``RepeatDataset``, whose repetitions differ: each X-ray is changed in another way every time."""

    def __getitem__(self, idx: int) -> object:
        """One sample."""
        for dataset in built_datasets(self.dataset):
            dataset.repetition = idx // len(self.dataset)
        return super().__getitem__(idx)


# Within MMPose, so that a config says RepeatDataset here as everywhere.
DATASETS.register_module('RepeatDataset', module=RepeatedXrays)


def _record(labelled: LabelledImages, image: LabelledImage) -> dict:
    return {
        'id': image.id,
        'img_id': image.id,
        'img_path': str(labelled.image_path(image)),
        'spacing': image.spacing_mm,
        'image_size': (image.width, image.height),
        'bbox': whole_image_bbox(image.width, image.height),
        'bbox_score': np.ones(1, np.float32),
        'keypoints': np.nan_to_num(image.points_px).astype(np.float32)[None],
        'keypoints_visible': image.visible.astype(np.float32)[None],
    }


def check_data(config: Config) -> None:
    """Look at the annotations and image files that a training will use, before its first epoch.

    Args:
        config: As :func:`cephalometric.training.recipe.load_config` returns it.

    Raises:
        InputError: An annotation file is missing or unusable, or image files are not those that were labelled.
    """
    parts = []
    for _, dataset in dataset_configs(config, ('train', 'val')):
        kind = DATASETS.get(dataset['type'])
        if inspect.isclass(kind) and issubclass(kind, CephalometricDataset):
            path = Path(dataset['data_root']) / dataset['ann_file']
            if not path.is_file():
                raise InputError(
                    f'{path}: no such file: say with --data-root which folder step 2 has filled, with train.json and '
                    'valid.json in it'
                )
            parts.append(labelled_part(dataset))
    check_image_files(parts)
