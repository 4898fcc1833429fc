"""The data sets of a loader: one, or several that MMEngine joins or repeats."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import BaseDataset

from cephalometric.annotations.coco import LabelledImages, load_coco
from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set

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


def image_folders(dataset: Mapping[str, object]) -> list[Path]:
    """Where a data set says that its images lie, by ``data_prefix``; empty where it does not say it.

    Args:
        dataset: Its settings, or the arguments that it is built with.
    """
    prefix = (dataset.get('data_prefix') or {}).get('img')
    return [Path(dataset.get('data_root') or '', prefix)] if prefix else []


def labelled_part(dataset: Mapping[str, object]) -> LabelledImages:
    """What the settings of one data set name: its COCO file, read for its landmark set and its image folder.

    Raises:
        InputError: As :func:`cephalometric.annotations.coco.load_coco`.
    """
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    return load_coco(path, load_landmark_set(dataset['landmark_set']), image_folders(dataset))


def labelled_images(config: Config, loader: str) -> LabelledImages | None:
    """What the COCO files of a loader hold, each once, as one; the images of several are numbered anew.

    Args:
        config: As :func:`cephalometric.training.recipe.load_config` returns it.
        loader: ``'train'``, ``'val'`` or ``'test'``.

    Returns:
        The images; None where no data set of the loader names such a file.

    Raises:
        InputError: One cannot be read, or they are of other landmarks.
    """
    files: dict[Path, Mapping[str, object]] = {}
    for _, dataset in dataset_configs(config, (loader,)):
        if dataset.get('ann_file'):
            known = {'data_root': config.data_root, 'landmark_set': config.landmark_set}
            known |= {name: value for name, value in dataset.items() if value is not None}
            files.setdefault(Path(known['data_root'], known['ann_file']), known)
    parts = [labelled_part(dataset) for dataset in files.values()]
    return joined(parts) if parts else None


def joined(parts: Sequence[LabelledImages]) -> LabelledImages:
    """Several as one.

    Raises:
        InputError: They are of other landmarks.
    """
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
