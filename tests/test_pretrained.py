"""Pretrained weights: what comes from the internet is checked before it is read or kept, and what fits is counted."""

import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from conftest import ROOT
from mmengine.runner.checkpoint import CheckpointLoader, _load_checkpoint

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import UnsafeCheckpointError
from cephalometric.training.pretrained import NotAtHandError, find_weights, resolve_pretrained
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model

CONFIGS = ROOT / 'cldetection_configs'


class Payload:
    """Pickles into a call: whoever unpickles it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """Where torch would keep what it fetches."""
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    return tmp_path / 'hub' / 'checkpoints'


@pytest.fixture
def server():
    """The address of a server, and what it sends under which name."""
    files = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path.strip('/'))
            self.send_response(404 if content is None else 200)
            self.send_header('Content-Length', str(len(content or b'')))
            self.end_headers()
            # "half:" promises more than it sends.
            self.wfile.write((content or b'')[: len(content or b'') // (2 if 'half' in self.path else 1)])

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{running.server_port}', files
    running.shutdown()
    running.server_close()
    thread.join()


def saved(path, content):
    torch.save(content, path)
    return path.read_bytes()


def named_by_checksum(name, content):
    return f'{name}-{hashlib.sha256(content).hexdigest()[:8]}.pth'


def test_a_download_is_kept_when_it_is_what_its_name_says(server, hub, tmp_path):
    address, files = server
    content = saved(tmp_path / 'a.pth', {'state_dict': {'weight': torch.ones(3)}})
    name = named_by_checksum('net', content)
    files[name] = content
    assert find_weights(f'{address}/{name}') == hub / name
    files.clear()  # From now on the one that is kept is taken.
    assert torch.equal(_load_checkpoint(f'{address}/{name}', 'cpu')['state_dict']['weight'], torch.ones(3))
    assert (hub / name).read_bytes() == content and [path.name for path in hub.iterdir()] == [name]


def test_what_is_not_the_file_is_not_kept(server, hub, tmp_path):
    address, files = server
    content = saved(tmp_path / 'a.pth', {'state_dict': {'weight': torch.ones(3000)}})
    name = named_by_checksum('net', content)
    files |= {
        name: content.replace(b'weight', b'weighs'),  # Another file under that name.
        name.replace('.pth', '_20230131.pth'): content[:-1],
        'page.pth': b'<!DOCTYPE html><title>Please log in</title>',
        'half.pth': content,
        'list.pth': saved(tmp_path / 'b.pth', [1]),
    }
    for wanted, reason in [(name, 'SHA-256'), (name.replace('.pth', '_20230131.pth'), 'SHA-256')] + [
        (other, 'no checkpoint') for other in ('page.pth', 'half.pth', 'list.pth')
    ]:
        with pytest.raises(NotAtHandError, match=reason):
            find_weights(f'{address}/{wanted}')
        with pytest.raises(InputError, match='put the file at'):
            _load_checkpoint(f'{address}/{wanted}', 'cpu')
    with pytest.raises(NotAtHandError, match='404'):
        find_weights(f'{address}/gone.pth')
    assert list(hub.iterdir()) == []


@pytest.mark.parametrize('fetched', [True, False])
def test_code_in_what_is_fetched_or_was_kept_is_never_run(server, hub, tmp_path, fetched):
    address, files = server
    made = tmp_path / 'made_by_the_pickle'
    content = saved(tmp_path / 'evil.pth', {'state_dict': {'a': torch.ones(1)}, 'extra': Payload(made)})
    name = named_by_checksum('evil', content)
    hub.mkdir(parents=True)
    if fetched:
        files[name] = content
    else:
        (hub / name).write_bytes(content)
    for load in (find_weights, _load_checkpoint):
        with pytest.raises(UnsafeCheckpointError, match='mkdir'):
            load(f'{address}/{name}')
    assert not made.exists() and (hub / name).exists() == (not fetched)


def test_a_kept_file_that_is_not_what_its_name_says_is_named_and_left_alone(server, hub, tmp_path):
    hub.mkdir(parents=True)
    planted = hub / 'net-0123abcd.pth'
    content = saved(planted, {'state_dict': {'weight': torch.ones(3)}})
    with pytest.raises(InputError, match=r'not what its name says .*: remove it or move it elsewhere') as error:
        find_weights('https://nobody.invalid/net-0123abcd.pth')
    assert str(planted) in str(error.value) and planted.read_bytes() == content
    # A date is no checksum.
    planted.rename(hub / 'net-20230131.pth')
    assert find_weights('https://nobody.invalid/net-20230131.pth') == hub / 'net-20230131.pth'


def test_no_reader_of_mmengine_is_left_that_checks_nothing(hub):
    ours = {loader.__module__ for loader in CheckpointLoader._schemes.values()}
    assert all(module.startswith('cephalometric.training.') for module in ours), CheckpointLoader._schemes
    for source in ('s3://bucket/a.pth', 'pavi://a', 'petrel://a'):
        with pytest.raises(InputError, match='copy the file to this machine'):
            _load_checkpoint(source)
    with pytest.raises(InputError, match='knows no such weights'):
        _load_checkpoint('torchvision://no_such_network')


def test_a_short_name_of_mmengine_stands_for_its_address(hub):
    from torchvision.models import ResNet18_Weights

    hub.mkdir(parents=True)
    kept = hub / ResNet18_Weights.IMAGENET1K_V1.url.rpartition('/')[2]
    kept.write_bytes(b'damaged')
    with pytest.raises(InputError, match=f'{kept}: damaged'):
        _load_checkpoint('torchvision://resnet18')


@pytest.fixture
def config():
    return load_config(CONFIGS / 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss.py')


def test_it_is_said_how_many_weights_fit_and_none_is_an_error(config, tmp_path):
    backbone = build_model(config).backbone.state_dict()
    source = config.model.backbone.init_cfg.checkpoint = str(tmp_path / 'mine.pth')
    torch.save(backbone, source)
    line = resolve_pretrained(config)
    assert (
        line
        == f'The backbone starts from pretrained weights: {source} ({len(backbone)} of its {len(backbone)} tensors)'
    )

    names = list(backbone)
    some = {name: backbone[name] for name in names[:7]} | {names[8]: torch.ones(1, 2, 3), 'other': torch.ones(1)}
    torch.save({'state_dict': {f'module.{name}': value for name, value in some.items()}}, source)
    assert f'(7 of its {len(backbone)} tensors)' in resolve_pretrained(config)

    config.model.backbone.init_cfg.prefix = 'backbone.'
    with pytest.raises(InputError, match='none of its weights fit the backbone'):
        resolve_pretrained(config)
    torch.save({'state_dict': {f'backbone.{name}': value for name, value in some.items()}}, source)
    assert f'(7 of its {len(backbone)} tensors)' in resolve_pretrained(config)

    some[names[0]].view(-1)[0] = float('nan')
    torch.save({'state_dict': {f'backbone.{name}': value for name, value in some.items()}}, source)
    with pytest.raises(InputError, match='not finite'):
        resolve_pretrained(config)


def test_weights_that_cannot_be_had_are_dropped_with_a_word(config, hub):
    config.model.backbone.init_cfg.checkpoint = 'http://localhost:9/weights.pth'  # nobody listens there
    line = resolve_pretrained(config)
    assert 'from scratch' in line and 'not at hand' in line and str(hub / 'weights.pth') in line
    assert config.model.backbone.init_cfg is None
    assert list(hub.iterdir()) == []


def test_a_recipe_without_pretrained_weights_says_so():
    config = load_config(CONFIGS / 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py')
    assert resolve_pretrained(config) == 'The backbone is trained from scratch.'
