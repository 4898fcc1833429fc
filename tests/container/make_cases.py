#!/usr/bin/env python3
"""Make the inputs and the models that test_container.sh tries: a folder each, with what the platform would mount."""

import shutil
import sys
from pathlib import Path

import numpy as np
import SimpleITK

from cephalometric.xrays.mha import write_stack


def xray(size: int = 256) -> np.ndarray:
    """Something that is not blank, uint8, shape (size, size)."""
    return np.random.default_rng(size).integers(1, 256, (size, size), dtype=np.uint8)


def make_inputs(folder: Path) -> None:
    def case(name: str) -> Path:
        (folder / name).mkdir(parents=True)
        return folder / name

    good, blank = xray(), np.zeros((256, 256), np.uint8)
    case('no_file')
    two = case('two_files')
    for name in ('a.mha', 'b.mha'):
        write_stack(two / name, [good], 1)
    write_stack(case('one_slice') / 'stack.mha', [good], 1)
    write_stack(case('blank_slice') / 'stack.mha', [good, blank, good], 3)
    whole = case('truncated') / 'stack.mha'
    write_stack(whole, [good] * 3, 3)
    whole.write_bytes(whole.read_bytes()[:-1000])
    packed = case('truncated_compressed') / 'stack.mha'
    write_stack(packed, [good] * 3, 3, compressed=True)
    packed.write_bytes(packed.read_bytes().replace(b'CompressedDataSize', b'CompressedDataSomething')[:-1000])
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(good.astype(np.uint16)[None]), case('wrong_type') / 'stack.mha')
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(good), case('image_2d') / 'stack.mha')
    write_stack(case('long') / 'stack.mha', (xray(1000) for _ in range(400)), 400)


def make_models(folder: Path, model: Path) -> None:
    for name in ('empty', 'earlier_layout', 'half_ensemble/a'):
        (folder / name).mkdir(parents=True)
    for name in ('config.py', 'weights.pth'):
        (folder / 'earlier_layout' / name).touch()
    damaged = shutil.copytree(model, folder / 'damaged') / 'weights.pth'
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    for name in ('half_ensemble/b', 'ensemble/a', 'ensemble/b'):
        shutil.copytree(model, folder / name)


if __name__ == '__main__':
    make_inputs(Path(sys.argv[1]) / 'inputs')
    make_models(Path(sys.argv[1]) / 'models', Path(sys.argv[2]))
