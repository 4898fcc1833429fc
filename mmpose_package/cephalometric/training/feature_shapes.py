"""The features that a backbone gives to the head, found out by trying it, so that no recipe need say them."""

import copy

import torch
from mmengine.config import Config, ConfigDict
from mmpose.registry import MODELS

from cephalometric.errors import InputError
from cephalometric.training.config_checks import known_names
from cephalometric.training.config_reading import first_line


def feature_arguments(config: Config, also_said: bool = False) -> dict[str, object]:
    """What the head of a recipe must be told of its features, where its class takes it and the recipe leaves it out.

    Args:
        config: With ``codec.input_size`` and ``model``.
        also_said: Find out, too, what the recipe says.

    Returns:
        ``in_channels``, and ``in_featuremap_size`` as width and height.

    Raises:
        InputError: They are needed, and backbone and neck cannot be tried out.
    """
    head = config.model.head
    names = ('in_channels', 'in_featuremap_size')
    taken = [name for name in names if name in known_names(head, 'model.head').names]
    wanted = [name for name in taken if also_said or head.get(name) is None]
    if not wanted:
        return {}
    try:
        channels, *size = _features(config)
    except InputError:
        if all(head.get(name) is not None for name in wanted):
            return {}
        raise
    found = {'in_channels': channels} | ({'in_featuremap_size': tuple(size[::-1])} if size else {})
    return {name: found[name] for name in wanted if name in found}


def _features(config: Config) -> tuple[int, ...]:
    """Channels, height and width of the last features that reach the head; channels alone where they are pooled."""
    for device in ('meta', 'cpu'):
        try:
            # On "meta" without memory and arithmetic, as far as backbone and neck allow it.
            return _tried_out(config.model, config.codec.input_size, device)
        except InputError:
            raise
        except Exception as error:  # They may be classes of the user's own.
            reason = f'{type(error).__name__}: {first_line(error)}'
    raise InputError(
        f'{config.filename}: model.head does not say its in_channels, and backbone and neck cannot be tried '
        f'out: {reason}'
    )


def _tried_out(model: ConfigDict, input_size: tuple[int, int], device: str) -> tuple[int, ...]:
    width, height = input_size
    with torch.device(device), torch.no_grad():
        features = torch.zeros(1, 3, height, width)
        for part in (model.backbone, model.get('neck')):
            if part is not None:
                network = MODELS.build(copy.deepcopy(part))
                network.eval()  # Not in one line: some backbones of MMPose return nothing here.
                features = network(features)
    last = features[-1] if isinstance(features, (list, tuple)) else features
    return tuple(last.shape[1:])
