"""Decoded X-rays in memory that all loading processes share, so that each is decoded once and kept once."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

# Where Linux keeps memory that processes share. Containers often give it little.
SHARED_MEMORY = Path('/dev/shm')


class SharedXrays:
    """Room for the grey levels of X-rays, which whoever decodes one first fills for all.

    It is made before the processes that load, and they have it by fork as well as by spawn. PyTorch holds the memory:
    it has no name that could stay behind, and the system takes it back when the last process ends, however that comes
    about. Memory is taken as X-rays come in, not before.

    Args:
        sizes: Width and height of each X-ray in pixels, by the path of its file. Those that no room is left for are
            decoded every time.
        limit_bytes: How much room there is at most; less where the system has less to share.
    """

    def __init__(self, sizes: Mapping[str, tuple[int, int]], limit_bytes: int) -> None:
        free = min(limit_bytes, shareable_bytes())
        self._places: dict[str, tuple[int, int, tuple[int, int]]] = {}
        used = 0
        for path, (width, height) in sizes.items():
            if path not in self._places and used + width * height <= free:
                self._places[path] = (len(self._places), used, (height, width))
                used += width * height
        self._filled = torch.zeros(max(len(self._places), 1), dtype=torch.uint8).share_memory_()
        # Not zeros(...).share_memory_(), which would write all of it now.
        self._memory = torch.empty(0, dtype=torch.uint8)
        self._memory.set_(torch.UntypedStorage._new_shared(max(used, 1)))

    def __len__(self) -> int:
        """How many X-rays there is room for."""
        return len(self._places)

    def get(self, path: str) -> np.ndarray | None:
        """The X-ray of a file, uint8, shape (H, W), which nobody may write to; None if it is not there (yet)."""
        number, place = self._find(path)
        return place if place is not None and self._filled[number] else None

    def put(self, path: str, image: np.ndarray) -> None:
        """Keep an X-ray, uint8, shape (H, W), if there is room for it and it has the size that was said."""
        number, place = self._find(path)
        if place is not None and place.shape == image.shape:
            # Two processes may do this at the same time: both write the same.
            place.flags.writeable = True
            place[:] = image
            self._filled[number] = 1

    def _find(self, path: str) -> tuple[int, np.ndarray | None]:
        if path not in self._places:
            return 0, None
        number, start, shape = self._places[path]
        place = self._memory[start : start + math.prod(shape)].numpy().reshape(shape)
        place.flags.writeable = False
        return number, place


def shareable_bytes() -> float:
    """How much memory the processes here may share: half of what the system sets aside for that and has free."""
    return shutil.disk_usage(SHARED_MEMORY).free / 2 if SHARED_MEMORY.is_dir() else math.inf
