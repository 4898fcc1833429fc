"""Weights that a model starts from: found or fetched, checked before they are read, and counted.

A file that comes from the internet, now or earlier, is taken only if its checksum is the one in its name, as OpenMMLab
and torchvision name their files, and if it is a checkpoint that runs no code. What is fetched lies under a temporary
name until then.
"""

import copy
import http.client
import re
import socket
import tempfile
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import (
    CheckpointLoader,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_torchvision_models,
)
from mmpose.registry import MODELS

from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.models.library_backbones import TIMM, timm_weights
from cephalometric.training.checkpoints import UnsafeCheckpointError, load_from_checked_file, weights_of

TIMEOUT_S = 20
ADDRESSES = ('http://', 'https://')
# name-0123abcd.pth or, as in newer ones of MMPose, name-0123abcd_20230131.pth.
CHECKSUM = re.compile(r'-([0-9a-f]{8,64})(?:_\d{8})?\.pth$')
DATE = re.compile(r'20\d{6}')
# What MMEngine has short names for.
CATALOGUES: dict[str, Callable[[], dict[str, str]]] = {
    'modelzoo://': get_torchvision_models,
    'torchvision://': get_torchvision_models,
    'open-mmlab://': get_external_models,
    'openmmlab://': get_external_models,
    'mmcls://': get_mmcls_models,
}
# As MMEngine spells them, which matches them as regular expressions.
NOT_READ = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://')


class NotAtHandError(InputError):
    """A file cannot be had now: there is no such file, no connection, or what came was not the file."""


def resolve_pretrained(config: Config) -> str:
    """Take the pretrained weights of a config from a file on this machine if they can be had, and drop them otherwise.

    Args:
        config: Changed in place: each part of the model that is to start from pretrained weights names a checked file,
            or is initialised at random.

    Returns:
        One line for the user that says what the model starts from.

    Raises:
        InputError: A file is damaged, unsafe, or holds none of the weights that the part has.
    """
    lines = [_resolved(name or 'model', part, init) for name, part, init in list(pretrained_parts(config.model))]
    return '. '.join(lines) or 'The backbone is trained from scratch.'


def pretrained_parts(part: object, name: str = '') -> Iterator[tuple[str, dict, dict]]:
    """The parts of a model that say ``init_cfg=dict(type='Pretrained', ...)``: dotted name, part, that ``init_cfg``."""
    if isinstance(part, (list, tuple)):
        for place, value in enumerate(part):
            yield from pretrained_parts(value, f'{name}.{place}')
    if isinstance(part, dict):
        said = part.get('init_cfg') or []
        for init in said if isinstance(said, (list, tuple)) else [said]:
            if isinstance(init, dict) and init.get('type') == 'Pretrained':
                yield name, part, init
        for key, value in part.items():
            if key != 'init_cfg':
                yield from pretrained_parts(value, f'{name}.{key}'.lstrip('.'))


def _resolved(name: str, part: dict, init: dict) -> str:
    source = str(init['checkpoint'])
    try:
        # What timm has fetched it finds again by that name.
        path = source if source.startswith(TIMM) else str(find_weights(source))
        weights = weights_of(_read(path), path)
    except NotAtHandError as error:
        part['init_cfg'] = None
        remedy = '' if source.startswith(TIMM) else f'. To use them, put the file at {_cached(source)}'
        return f'The {name} is trained from scratch: its pretrained weights {source} are not at hand ({error}){remedy}'
    if source.startswith('mmcls://'):
        init.setdefault('prefix', 'backbone.')
    init['checkpoint'] = path
    fitting, tensors = _count_fitting(part, weights, init)
    if not fitting:
        raise InputError(
            f'{source}: none of its weights fit the {name}, by name and shape: name weights of the same architecture '
            'in init_cfg (and the prefix that their names have, if any), or init_cfg=None to train from scratch'
        )
    return f'The {name} starts from pretrained weights: {source} ({fitting} of its {tensors} tensors)'


def _read(path: str) -> dict:
    return load_from_timm(path) if path.startswith(TIMM) else load_from_checked_file(path, 'cpu')


def _count_fitting(part: dict, weights: dict[str, torch.Tensor], init: dict) -> tuple[int, int]:
    alone = copy.deepcopy(part)
    alone['init_cfg'] = None
    own = MODELS.build(alone).state_dict()
    prefix = init.get('prefix')
    cut = r'^module\.' if prefix is None else f'^{re.escape(prefix.rstrip("."))}\\.'
    given = {re.sub(cut, '', name): value for name, value in weights.items() if prefix is None or re.match(cut, name)}
    return count_fitting(own, given), len(own)


def count_fitting(own: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> int:
    """How many tensors of a model a checkpoint holds, by name and shape."""
    return sum(name in given and given[name].shape == value.shape for name, value in own.items())


def find_weights(source: str) -> Path:
    """The file of weights that a config names, on this machine and checked.

    Args:
        source: A path, an address, or one of MMEngine's short names, such as ``torchvision://resnet50``.

    Raises:
        NotAtHandError: It is neither on this machine nor to be had.
        InputError: What is there is damaged, is no checkpoint, or would run code.
    """
    if Path(source).expanduser().is_file():
        return Path(source).expanduser()
    address, cached = _address(source), _cached(source)
    if cached.is_file():
        wrong = _wrong_checksum(cached, cached.name)
        if wrong:
            raise InputError(f'{cached}: damaged, or not what its name says ({wrong}): remove it or move it elsewhere')
        load_from_checked_file(str(cached), 'cpu')
        return cached
    if not address.startswith(ADDRESSES):
        raise NotAtHandError('no such file')
    return _fetch(address, cached)


def _address(source: str) -> str:
    for scheme, catalogue in CATALOGUES.items():
        if source.startswith(scheme):
            name = source.removeprefix(scheme)
            known = catalogue()
            name = get_deprecated_model_names().get(name, name)
            if name not in known:
                raise InputError(f'{source}: MMEngine knows no such weights: give their address, or a file')
            return known[name]
    return source


def _cached(source: str) -> Path:
    """Where torch keeps what it has fetched, and where a user may put it."""
    return Path(torch.hub.get_dir(), 'checkpoints', Path(urlparse(_address(source)).path).name)


def _wrong_checksum(path: Path, name: str) -> str | None:
    """How the checksum differs from that in the name; None where it does not, or the name has none."""
    said = CHECKSUM.search(name)
    if said is None or DATE.fullmatch(said[1]):
        return None
    found = sha256(path)
    return None if found.startswith(said[1]) else f'SHA-256 {found[:8]}, not {said[1][:8]}'


def _fetch(address: str, target: Path) -> Path:
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix='.fetching-', dir=target.parent) as folder:
            arrived = Path(folder, 'weights')
            torch.hub.download_url_to_file(address, str(arrived), progress=True)
            wrong = _wrong_checksum(arrived, target.name)
            if wrong:
                raise NotAtHandError(f'what came from there is another file, or a part of it: {wrong}')
            load_from_checked_file(str(arrived), 'cpu', name=address)
            arrived.chmod(0o644)
            arrived.replace(target)
    except (UnsafeCheckpointError, NotAtHandError):
        raise
    except InputError:
        raise NotAtHandError('what came from there is no checkpoint, or a part of one') from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if type(error) is urllib.error.URLError else error
        raise NotAtHandError(str(reason)) from None
    finally:
        socket.setdefaulttimeout(patience)
    return target


@CheckpointLoader.register_scheme(prefixes=(*ADDRESSES, *CATALOGUES), force=True)
def load_from_checked_address(filename: str, map_location: object = None) -> dict:
    """Read weights from an address or by a short name; in the place of MMEngine's readers, which check nothing.

    Raises:
        InputError: They cannot be had, or must not be read.
    """
    try:
        path = find_weights(filename)
    except NotAtHandError as error:
        raise InputError(f'{filename}: cannot be had ({error}): put the file at {_cached(filename)}') from None
    checkpoint = load_from_checked_file(str(path), map_location)
    if not filename.startswith('mmcls://'):
        return checkpoint
    weights = weights_of(checkpoint, filename)
    backbone = {
        name.removeprefix('backbone.'): value for name, value in weights.items() if name.startswith('backbone.')
    }
    return {'state_dict': backbone}


@CheckpointLoader.register_scheme(prefixes=NOT_READ, force=True)
def load_from_nowhere(filename: str, map_location: object = None) -> dict:
    """Refuse what MMEngine would read without a check.

    Raises:
        InputError: Always.
    """
    raise InputError(f'{filename}: is not read from there: copy the file to this machine and give its path')


@CheckpointLoader.register_scheme(prefixes=TIMM, force=True)
def load_from_timm(filename: str, map_location: object = None) -> dict:
    """Read weights that timm knows by the name of a model; it reads them without running code from them.

    Raises:
        NotAtHandError: They cannot be had.
        InputError: timm is not installed.
    """
    try:
        return {'state_dict': timm_weights(filename)}
    except OSError as error:
        raise NotAtHandError(str(error)) from None
