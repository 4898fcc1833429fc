"""Decoded X-rays that several processes share."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmpose.registry import DATASETS
from torch import multiprocessing

from cephalometric.training.recipe import load_config
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


def put_there(shared: SharedXrays) -> None:
    shared.put('a', GREY)


METHODS = [each for each in ('fork', 'spawn') if each in multiprocessing.get_all_start_methods()]


@pytest.mark.parametrize('method', METHODS)
def test_what_one_process_has_decoded_all_have(method):
    shared = SharedXrays({'a': (40, 30)}, 10**6)
    process = multiprocessing.get_context(method).Process(target=put_there, args=(shared,))
    process.start()
    process.join()
    assert process.exitcode == 0
    np.testing.assert_array_equal(shared.get('a'), GREY)


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
