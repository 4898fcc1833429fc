"""Backbones of timm and torchvision, by their names there."""

import difflib
from collections.abc import Mapping, Sequence

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS

from cephalometric.errors import InputError

TIMM = 'timm://'
"""What the address of pretrained weights begins with that timm knows by the name of a model."""


class LibraryBackbone(BaseModule):
    """A network of another library that gives features.

    Its weights are called here as they are there, so that pretrained ones load.

    Args:
        network: From images, shape (B, 3, H, W), to features, one or several.
        channels_last: Whether the features have the shape (B, H, W, C).
        init_cfg: MMEngine's, such as ``dict(type='Pretrained', checkpoint=...)``.
    """

    def __init__(self, network: torch.nn.Module, channels_last: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.network, self.channels_last = network, channels_last
        self._register_state_dict_hook(_leave_out_name)
        self._register_load_state_dict_pre_hook(_add_name)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Features from fine to coarse, each of the shape (B, C, h, w)."""
        features = self.network(images)
        features = tuple(features.values() if isinstance(features, Mapping) else features)
        return tuple(part.permute(0, 3, 1, 2) for part in features) if self.channels_last else features


def _leave_out_name(_module: torch.nn.Module, weights: dict, prefix: str, _metadata: object) -> None:
    for name in [name for name in weights if name.startswith(f'{prefix}network.')]:
        weights[prefix + name.removeprefix(f'{prefix}network.')] = weights.pop(name)


def _add_name(weights: dict, prefix: str, *_: object) -> None:
    for name in [name for name in weights if name.startswith(prefix)]:
        weights[f'{prefix}network.{name.removeprefix(prefix)}'] = weights.pop(name)


@MODELS.register_module()
class TimmBackbone(LibraryBackbone):
    """A network of timm (``pip install timm``), by its name there, such as ``'resnet18'`` or ``'convnext_tiny'``.

    Pretrained weights: ``init_cfg=dict(type='Pretrained', checkpoint='timm://resnet18.a1_in1k')``.

    Args:
        model_name: As ``timm.list_models()`` gives it.
        out_indices: Which levels of features; -1 is the coarsest.
        init_cfg: MMEngine's.
        **options: As for timm's ``create_model``, such as ``img_size=(height, width)`` of vision transformers.
    """

    def __init__(
        self, model_name: str, out_indices: Sequence[int] = (-1,), init_cfg: dict | None = None, **options
    ) -> None:
        network = _timm_network(model_name, out_indices=tuple(out_indices), **options)
        super().__init__(network, str(getattr(network, 'output_fmt', '')).endswith('NHWC'), init_cfg)


def _timm_network(name: str, **options) -> torch.nn.Module:
    try:
        import timm
    except ImportError as error:
        raise InputError(f'backbone {name}: timm cannot be imported ({error}): pip install timm') from None
    try:
        return timm.create_model(name, features_only=True, **options)
    except Exception as error:  # Whatever timm, or what it fetches weights with, raises.
        if options.get('pretrained'):
            raise
        near = _near(name, timm.list_models())
        raise InputError(f'backbone {name}: timm cannot make it: {_reason(error)}{near}') from None


def timm_weights(source: str) -> dict[str, torch.Tensor]:
    """The pretrained weights of a network of timm, which timm fetches and keeps, named as in ``TimmBackbone``.

    Args:
        source: Such as ``'timm://resnet18.a1_in1k'``.

    Raises:
        InputError: timm is not installed.
        OSError: The weights cannot be had.
    """
    try:
        return _timm_network(source.removeprefix(TIMM), pretrained=True).state_dict()
    except InputError:
        raise
    except Exception as error:
        raise OSError(_reason(error)) from None


@MODELS.register_module()
class TorchvisionBackbone(LibraryBackbone):
    """A network of torchvision, by its name there, such as ``'resnet18'``.

    Pretrained weights: ``init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')``.

    Args:
        model_name: As ``torchvision.models.list_models()`` gives it.
        nodes: Where the features are taken from, such as ``('layer4',)`` of a ResNet or ``('features',)`` of others.
        init_cfg: MMEngine's.
        **options: As for torchvision's ``get_model``.
    """

    def __init__(self, model_name: str, nodes: Sequence[str], init_cfg: dict | None = None, **options) -> None:
        # Not above: it is slow to import, and few models need it.
        from torchvision.models import get_model, list_models
        from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

        try:
            network = get_model(model_name, **{'weights': None, **options})
        except (TypeError, ValueError) as error:
            near = _near(model_name, list_models())
            raise InputError(f'backbone {model_name}: torchvision cannot make it: {_reason(error)}{near}') from None
        try:
            features = create_feature_extractor(network, {node: node for node in nodes})
        except ValueError:
            known = dict.fromkeys(name.partition('.')[0] for name in get_graph_node_names(network)[1])
            raise InputError(
                f'backbone {model_name}: nodes = {list(nodes)}: not all of them are in it; it has {", ".join(known)}, '
                'and finer ones, such as torchvision.models.feature_extraction.get_graph_node_names lists'
            ) from None
        super().__init__(features, init_cfg=init_cfg)


def _near(name: str, known: Sequence[str]) -> str:
    near = [] if name in known else difflib.get_close_matches(name, known, n=3)
    return f'; did you mean {" or ".join(near)}?' if near else ''


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
