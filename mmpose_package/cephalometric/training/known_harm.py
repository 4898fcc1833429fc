"""What a recipe says that is known to make scores worse, each with its remedy; a recipe is never changed for it."""

import inspect
from collections.abc import Iterator, Mapping

from mmengine.config import Config
from mmpose.datasets.transforms import GetBBoxCenterScale, RandomFlip
from mmpose.registry import MODELS

from cephalometric.training.recipe_completion import transforms_of

OPTION = '--cfg-options '


def notes_on(config: Config) -> list[str]:
    """A sentence about each thing in a recipe that is known to hurt.

    Args:
        config: As :func:`cephalometric.training.recipe.load_config` returns it.
    """
    return [*_flips(config), *_paddings(config), *_missing_landmarks(config)]


def _flips(config: Config) -> Iterator[str]:
    sentence = (
        'all lateral X-rays face one way once step 2 has turned them, and a mirrored one has its landmarks elsewhere'
    )
    names = [place[0] for place, flip in transforms_of(config, RandomFlip) if flip.get('prob') != 0.0]
    if 'train_pipeline' in names or 'train_dataloader' in names:
        flip = next(each for _, each in transforms_of(config, RandomFlip))
        yield (
            f'train_pipeline flips X-rays ({flip["type"]}): {sentence}, so that it learns worse. Without: '
            f'{OPTION}train_pipeline.{flip["type"]}.prob=0.0'
        )
    if (config.model.get('test_cfg') or {}).get('flip_test'):
        yield (
            f'model.test_cfg.flip_test looks at each X-ray mirrored as well: {sentence}. Without: '
            f'{OPTION}model.test_cfg.flip_test=False'
        )


def _paddings(config: Config) -> Iterator[str]:
    said = {}
    for place, box in transforms_of(config, GetBBoxCenterScale):
        default = inspect.signature(GetBBoxCenterScale.__init__).parameters['padding'].default
        if place[0] in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            said[place[0]] = (float(box.get('padding', default)), box['type'])
    trained = said.pop('train_dataloader', None)
    tested = next((padding for padding in said.values() if trained and padding[0] != trained[0]), None)
    if tested:
        yield (
            f'X-rays are shown with padding {tested[0]:g} in testing and {trained[0]:g} in training, which is another '
            f'size than the model knows. As in training: {OPTION}test_pipeline.{tested[1]}.padding={trained[0]:g}'
        )


def _missing_landmarks(config: Config) -> Iterator[str]:
    head = config.model.head
    loss = head.get('loss')
    kind = MODELS.get(loss['type']) if isinstance(loss, Mapping) and isinstance(loss.get('type'), str) else None
    if not inspect.isclass(kind):
        return
    weight = inspect.signature(kind.__init__).parameters.get('use_target_weight')
    if weight is not None and not loss.get('use_target_weight', weight.default):
        yield (
            f'{loss["type"]} learns from landmarks that are missing in an X-ray as if they lay nowhere. To leave them '
            f'out: {OPTION}model.head.loss.use_target_weight=True'
        )
