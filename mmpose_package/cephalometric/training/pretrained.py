"""Pretrained backbones: used when their weights are at hand, and said so when they are not."""

import socket
import urllib.error
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.config import Config

TIMEOUT_S = 20


def resolve_pretrained(config: Config) -> str:
    """Keep the pretrained weights of a config's backbone if they can be had, and drop them otherwise.

    A local file, a file of that name in torch's download folder, or a download are all "at hand".

    Args:
        config: Changed in place: without weights the backbone is initialised at random.

    Returns:
        One line for the user that says what the backbone starts from.
    """
    init = config.model.backbone.get('init_cfg')
    source = init.get('checkpoint') if isinstance(init, dict) else None
    if source is None:
        return 'The backbone is trained from scratch.'
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / Path(urlparse(source).path).name
    if Path(source).is_file() or cached.is_file() or _download(source, cached):
        return f'The backbone starts from pretrained weights: {source}'
    config.model.backbone.init_cfg = None
    return (
        f'The backbone is trained from scratch: its pretrained weights {source} are not at hand. To use them, put the '
        f'file at {cached}'
    )


def _download(url: str, target: Path) -> bool:
    if not url.startswith(('http://', 'https://')):
        return False
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), progress=True)
    except (urllib.error.URLError, OSError):
        return False
    finally:
        socket.setdefaulttimeout(patience)
    return True
