"""The data sets of a loader: one, or several that MMEngine joins or repeats."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.errors import InputError

Place = tuple[str | int, ...]


def dataset_configs(
    config: Config, loaders: tuple[str, ...] = ('train', 'val', 'test')
) -> Iterator[tuple[Place, dict]]:
    """The settings of every data set of a config, with the place where they stand; ConcatDataset and the like are none.

    Args:
        config: The config.
        loaders: Of which loaders.
    """
    for name in loaders:
        loader = config.get(f'{name}_dataloader')
        if isinstance(loader, Mapping) and isinstance(loader.get('dataset'), Mapping):
            yield from _parts(loader['dataset'], (f'{name}_dataloader', 'dataset'))


def _parts(dataset: Mapping, place: Place) -> Iterator[tuple[Place, dict]]:
    inner = dataset.get('dataset')
    several = dataset.get('datasets')
    if isinstance(inner, Mapping):
        yield from _parts(inner, (*place, 'dataset'))
    elif isinstance(several, (list, tuple)):
        for number, each in enumerate(several):
            if isinstance(each, Mapping):
                yield from _parts(each, (*place, 'datasets', number))
    else:
        yield place, dataset


def built_datasets(dataset: object) -> Iterator[BaseDataset]:
    """The data sets that a built one is made of; itself where it is one."""
    inner, several = getattr(dataset, 'dataset', None), getattr(dataset, 'datasets', None)
    if inner is not None:
        yield from built_datasets(inner)
    elif several is not None:
        for each in several:
            yield from built_datasets(each)
    else:
        yield dataset


def annotation_files(config: Config, loader: str) -> list[Path]:
    """The annotation files of a loader, which is ``'train'``, ``'val'`` or ``'test'``; each once."""
    found = [
        Path(dataset.get('data_root') or config.data_root, dataset['ann_file'])
        for _, dataset in dataset_configs(config, (loader,))
        if dataset.get('ann_file')
    ]
    return list(dict.fromkeys(found))


def load_joined(paths: list[Path]) -> LabelledImages:
    """What several COCO files hold, as one; their images are numbered anew.

    Raises:
        InputError: One cannot be read, or they are of other landmarks.
    """
    parts = [load_coco(path) for path in paths]
    if len(parts) == 1:
        return parts[0]
    for part in parts[1:]:
        if part.abbreviations != parts[0].abbreviations:
            raise InputError(f'{part.path} and {parts[0].path} are of other landmarks: prepare them with the same set')
    images = [
        replace(image, file_name=part.image_path(image).absolute().as_posix())
        for part in parts
        for image in part.images
    ]
    return replace(parts[0], images=tuple(replace(image, id=n) for n, image in enumerate(images, start=1)))
