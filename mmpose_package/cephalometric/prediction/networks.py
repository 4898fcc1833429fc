"""What computes a model's networks: ONNX Runtime here, or PyTorch in :mod:`cephalometric.training.torch_networks`."""

import ctypes
import os
from pathlib import Path
from typing import Protocol

import numpy as np

from cephalometric.errors import InputError
from cephalometric.prediction.onnx_weights import not_finite_weights

CPU_PROVIDER, GPU_PROVIDER = 'CPUExecutionProvider', 'CUDAExecutionProvider'


class Networks(Protocol):
    """The networks of one model."""

    def coarse(self, images: np.ndarray) -> tuple[np.ndarray, ...]:
        """Whole X-rays, uint8, shape (B, 3, H, W) in BGR order, to outputs, each with B as its first length."""

    def refine(self, number: int, patches: np.ndarray) -> np.ndarray:
        """Patches, uint8, shape (B, K, size, size), to the distributions of a pass, shape (B, K, cells, cells)."""


class OnnxNetworks:
    """Networks that ONNX Runtime computes.

    Args:
        coarse: The graph of the network that looks at the whole X-ray.
        passes: Those of the refinement passes, in order.
        threads: For each network; 0 takes one for each core that this process may use.
        device: ``'cpu'``, or such as ``'cuda:0'``, which needs onnxruntime-gpu.

    Raises:
        InputError: ONNX Runtime is not installed, cannot run a graph or cannot use the GPU, or a graph has weights that
            are not finite.
    """

    def __init__(self, coarse: Path, passes: tuple[Path, ...] = (), threads: int = 0, device: str = 'cpu') -> None:
        self.coarse_session = _session(coarse, threads, device)
        self.pass_sessions = [_session(path, threads, device) for path in passes]

    def coarse(self, images: np.ndarray) -> tuple[np.ndarray, ...]:
        """See :class:`Networks`."""
        return _run(self.coarse_session, images)

    def refine(self, number: int, patches: np.ndarray) -> np.ndarray:
        """See :class:`Networks`."""
        return _run(self.pass_sessions[number], patches)[0]


def _run(session: object, batch: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)}))


def _usable_cores() -> int:
    """0, which leaves it to ONNX Runtime, unless a container or a queue keeps some of the cores from this process.

    ONNX Runtime would bind a thread to those as well, and say on stderr that it cannot.
    """
    if not hasattr(os, 'sched_getaffinity'):
        return 0
    usable = len(os.sched_getaffinity(0))
    return usable if usable < os.cpu_count() else 0


def onnxruntime_gpus() -> int:
    """How many GPUs ONNX Runtime can use: those of NVIDIA's driver, if it is onnxruntime-gpu; 0 for all else."""
    try:
        import onnxruntime

        driver = ctypes.CDLL('nvcuda.dll' if os.name == 'nt' else 'libcuda.so.1')
    except (ImportError, OSError):
        return 0
    count = ctypes.c_int()
    # Each returns 0 where it is done.
    if GPU_PROVIDER not in onnxruntime.get_available_providers() or driver.cuInit(0):
        return 0
    return 0 if driver.cuDeviceGetCount(ctypes.byref(count)) else count.value


def _session(path: Path, threads: int, device: str) -> object:
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f'ONNX Runtime is not installed ({error}): pip install onnxruntime') from None
    spoiled = not_finite_weights(path)
    if spoiled is not None:
        raise InputError(f'{path}: the weights {spoiled} are not finite: the training diverged; train it again')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _usable_cores()
    # Each network has threads of its own. Those that have nothing to do must not keep the others from the cores.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.log_severity_level = 3  # Errors; they are raised as well.
    providers = [CPU_PROVIDER]
    if device != 'cpu':
        if GPU_PROVIDER not in onnxruntime.get_available_providers():
            raise InputError(
                f'{device}: this ONNX Runtime computes on CPUs alone: pip install onnxruntime-gpu in its place'
            )
        onnxruntime.preload_dlls()  # NVIDIA's libraries, where pip has put them.
        providers.insert(0, (GPU_PROVIDER, {'device_id': device.partition(':')[2] or '0'}))
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions have no base class of their own.
        reason = str(error).splitlines()[0]
        raise InputError(
            f'{path}: ONNX Runtime {onnxruntime.__version__} cannot run it: {reason}: make the model folder again with '
            '"cephalometric export"'
        ) from None
    # It takes the CPU where it cannot use the GPU, and would only be slow.
    if device != 'cpu' and GPU_PROVIDER not in session.get_providers():
        raise InputError(
            f'{device}: ONNX Runtime {onnxruntime.__version__} cannot use it: is the driver new enough for CUDA 12?'
        )
    return session
