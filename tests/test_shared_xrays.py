"""Decoded X-rays that several processes share."""

import multiprocessing
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from cephalometric.training.config import load_config
from cephalometric.training.shared_xrays import SHARED_MEMORY, SharedXrays, shareable_bytes
from cephalometric.training.transforms import LoadXray

GREY = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)


def test_what_was_put_in_comes_out_and_cannot_be_changed():
    shared = SharedXrays({'a': (40, 30), 'b': (40, 30)}, 10**6)
    assert shared.get('a') is None
    shared.put('a', GREY)
    np.testing.assert_array_equal(shared.get('a'), GREY)
    with pytest.raises(ValueError, match='read-only'):
        shared.get('a')[0, 0] = 0
    assert shared.get('b') is None and shared.get('unknown') is None


def test_there_is_room_for_as_many_as_the_limit_allows():
    shared = SharedXrays({'a': (40, 30), 'large': (400, 300), 'b': (40, 30), 'c': (40, 30)}, 2 * GREY.size)
    assert len(shared) == 2
    for name in ('a', 'large', 'b', 'c'):
        shared.put(name, GREY)
    assert [shared.get(name) is None for name in ('a', 'large', 'b', 'c')] == [False, True, False, True]
    assert shareable_bytes() > 0


def test_an_image_of_another_size_than_was_said_is_not_kept():
    shared = SharedXrays({'a': (40, 30)}, 10**6)
    shared.put('a', GREY[:, :20])
    assert shared.get('a') is None


class ReadAgain:
    """The X-rays of a loader, as a data set; the files go after the first reading."""

    def __init__(self, path) -> None:
        self.path, self.load = str(path), LoadXray(color_type='unchanged')
        self.load.share({self.path: (40, 30)})

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> np.ndarray:
        return self.load({'img_path': self.path})['img'].copy()


@pytest.mark.parametrize(
    'method', [each for each in ('fork', 'spawn') if each in multiprocessing.get_all_start_methods()]
)
def test_what_one_process_has_decoded_all_have(tmp_path, method):
    path = tmp_path / 'x.png'
    cv2.imwrite(str(path), GREY)
    data_set = ReadAgain(path)
    loader = DataLoader(data_set, num_workers=1, multiprocessing_context=method, collate_fn=first_of)
    assert all((batch == GREY).all() for batch in loader)
    path.unlink()
    # Another worker, and this process, have what the first worker has decoded.
    assert all((batch == GREY).all() for batch in loader)
    np.testing.assert_array_equal(data_set[0], GREY)


def first_of(batch: list) -> np.ndarray:
    return batch[0]


def test_the_recipes_share_them(data_root):
    dataset = DATASETS.build(load_config(TINY_RECIPE, data_root).train_dataloader.dataset)
    (loader,) = (each for each in dataset.pipeline.transforms if isinstance(each, LoadXray))
    assert len(loader.shared) == len(dataset)


KILLED = """
import os
from cephalometric.training.shared_xrays import SharedXrays
import numpy as np
shared = SharedXrays({'a': (4000, 3000)}, 10**8)
shared.put('a', np.ones((3000, 4000), np.uint8))
print(os.getpid(), flush=True)
input()
"""


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason='looks where Linux keeps shared memory')
def test_nothing_of_a_killed_process_stays():
    process = subprocess.Popen([sys.executable, '-c', KILLED], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    number = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert number and not [path for path in SHARED_MEMORY.iterdir() if f'_{number}_' in path.name]
