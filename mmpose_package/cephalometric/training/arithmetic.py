"""In which arithmetic a model trains: what the recipe says, the same on every machine unless it leaves the choice open.

float32 is the default, because every processor computes in it. bfloat16 (8 bits of mantissa) is faster where the
hardware has it; the weights, their average and prediction stay in float32.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS

from cephalometric.errors import InputError

ARITHMETICS = ('float32', 'bfloat16', 'auto')


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """MMEngine's optimizer wrapper, under which networks and losses compute in bfloat16, on CPUs as well as on GPUs.

    MMEngine's own for mixed precision refuses CPUs. bfloat16 has the range of float32, so that no loss is scaled.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        """Around the forward pass of a training step."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield


def check_arithmetic(config: Config) -> None:
    """Is the recipe's ``arithmetic`` one of :data:`ARITHMETICS`?

    Raises:
        InputError: It is not.
    """
    said = config.get('arithmetic', 'float32')
    if said not in ARITHMETICS:
        raise InputError(f'{config.filename}: arithmetic = {said!r}: say one of {", ".join(map(repr, ARITHMETICS))}')


def choose_arithmetic(config: Config, amp: bool = False) -> str:
    """Have a run compute in what its recipe or ``--amp`` says; the config is changed in place.

    Args:
        config: With ``arithmetic``, one of :data:`ARITHMETICS`; ``'auto'`` is bfloat16 where the hardware has it.
        amp: Mixed precision in float16, on GPUs.

    Returns:
        What is used, and why, for the log.

    Raises:
        InputError: The machine does not compute in it, or recipe and flag contradict each other.
    """
    check_arithmetic(config)
    said, there = config.get('arithmetic', 'float32'), torch.cuda.is_available()
    place = 'GPU' if there else 'processor'
    if amp and not there:
        raise InputError('--amp needs a GPU, and this machine shows none: leave the flag out')
    if amp and said == 'bfloat16':
        raise InputError(
            f"--amp computes in float16, but {config.filename} says arithmetic = 'bfloat16': leave out one of them"
        )
    if amp:
        _wrap(config, 'AmpOptimWrapper')
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
        return 'Arithmetic: float32 and float16 mixed, as --amp says'
    if said == 'float32':
        return 'Arithmetic: float32, as the recipe says'
    able = has_bfloat16()
    if not able and said == 'bfloat16':
        raise InputError(
            f"{config.filename}: arithmetic = 'bfloat16', which this {place} does not have; it would be many times "
            'slower than float32: say --cfg-options arithmetic=float32'
        )
    if not able:
        return f"Arithmetic: float32, because this {place} has no bfloat16 (the recipe says 'auto')"
    _wrap(config, 'BFloat16OptimWrapper')
    why = 'as the recipe says' if said == 'bfloat16' else f"because this {place} has it (the recipe says 'auto')"
    return f'Arithmetic: bfloat16, {why}'


def has_bfloat16() -> bool:
    """Whether the GPU, or the processor where there is none, computes in bfloat16 faster than in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        # Only oneDNN does, and not all builds of PyTorch have it.
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except AttributeError:
        return False


def _wrap(config: Config, kind: str) -> None:
    found = config.optim_wrapper.get('type', 'OptimWrapper')
    if found not in ('OptimWrapper', kind):
        raise InputError(
            f'{config.filename}: optim_wrapper.type = {found!r} has an arithmetic of its own: say arithmetic = '
            "'float32', without --amp"
        )
    config.optim_wrapper.type = kind
