"""Hooks: what is saved when, and what a seed reaches."""

import csv
import fcntl
import os
import pty
import select
import struct
import termios

import torch
from conftest import TINY_RECIPE
from forks import Program
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cephalometric.training.checkpoints import latest_checkpoint, load_from_checked_file
from cephalometric.training.recipe import load_config


class Watch(Hook):
    """Notes which checkpoints exist when an epoch's validation begins, and a random number in each epoch."""

    def __init__(self, work_dir):
        self.work_dir, self.at_validation, self.numbers = work_dir, [], []

    def before_val_epoch(self, runner):
        newest = latest_checkpoint(self.work_dir)
        self.at_validation.append((runner.epoch, newest and newest.name))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            self.numbers.append(torch.rand(1).item())


def run(data_root, work_dir, epochs=2, interval=1, seed=1):
    options = {'train_cfg.max_epochs': epochs, 'train_cfg.val_interval': interval, 'randomness.seed': seed}
    for part in ('train', 'val'):  # What is looked at here happens in this process.
        options |= {f'{part}_dataloader.num_workers': 0, f'{part}_dataloader.persistent_workers': False}
    config = load_config(TINY_RECIPE, data_root, options=options)
    config.work_dir = str(work_dir)
    watch = Watch(work_dir)
    runner = Runner.from_cfg(config)
    runner.register_hook(watch)
    runner.train()
    return watch


def test_an_epoch_that_is_validated_is_saved_after_its_validation(data_root, tmp_path):
    watch = run(data_root, tmp_path)
    assert watch.at_validation == [(1, None), (2, 'epoch_1.pth')]
    saved = load_from_checked_file(str(tmp_path / 'epoch_2.pth'))
    assert saved['meta']['epoch'] == 2
    assert saved['message_hub']['runtime_info']['best_score'] > 0


def test_an_epoch_that_is_not_validated_is_saved_and_the_last_is_always_validated(data_root, tmp_path):
    watch = run(data_root, tmp_path, epochs=3, interval=2)
    assert watch.at_validation == [(2, 'epoch_1.pth'), (3, 'epoch_2.pth')]
    rows = list(csv.DictReader((tmp_path / 'curves.csv').open()))
    assert [bool(row['MRE']) for row in rows] == [False, True, True]
    assert all(row['loss'] for row in rows)


def test_each_epoch_has_random_numbers_of_its_own_that_follow_from_the_seed(data_root, tmp_path):
    first, again, other = (
        run(data_root, tmp_path / name, interval=2, seed=seed).numbers for name, seed in (('a', 1), ('b', 1), ('c', 2))
    )
    assert first == again and first != other and first[0] != first[1]


def test_a_terminal_shows_a_bar_over_all_steps(data_root, tmp_path):
    terminal, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))  # as large as a window
    arguments = ['step3_train_and_evaluation.py', TINY_RECIPE, '--data-root', data_root, '--work-dir', tmp_path / 'run']
    run = Program(arguments, tmp_path / 'stdout', os.ttyname(screen))
    shown = b''
    while (status := run.poll()) is None or select.select([terminal], [], [], 0)[0]:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536)
    assert status == 0, shown
    assert b'Training: 100%' in shown and b'6/6' in shown  # 3 epochs of 6 images in batches of 4
