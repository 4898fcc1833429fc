"""The commands of the command line: flags, loop and printing. What they have in common stands here."""

import argparse

from cephalometric.commands.number_flags import whole_number
from cephalometric.errors import InputError


def example(text: str) -> dict:
    """The arguments by which a parser ends its help with examples."""
    return {'epilog': f'example:{text}', 'formatter_class': argparse.RawDescriptionHelpFormatter}


def add_model_arguments(parser: argparse.ArgumentParser, default: str | None = None, required: bool = True) -> None:
    """The flags that say what predicts.

    Args:
        parser: Gets them.
        default: The model without --model; None where there is none.
        required: Whether there must be a model.
    """
    parser.add_argument(
        '--model',
        nargs='+',
        metavar='MODEL',
        required=required and default is None,
        default=[default] if default else None,
        help='the name of a model that ships, a model folder, or the work dir of a training; several are an ensemble'
        + (f' [{default}]' if default else ''),
    )
    parser.add_argument('--calibration', metavar='JSON', help="of calibrate [that in the model's folder]")
    parser.add_argument(
        '--backend',
        choices=['auto', 'onnxruntime', 'torch'],
        default='auto',
        help='what computes the networks; auto is PyTorch for a GPU and for networks without ONNX graphs [auto]',
    )
    parser.add_argument(
        '--cuda_id', type=whole_number('--cuda_id'), metavar='N', help='compute on this GPU, with PyTorch'
    )


def device_of(backend: str, cuda_id: int | None) -> str:
    """What the flags of :func:`add_model_arguments` say of the device.

    Raises:
        InputError: A GPU is asked of ONNX Runtime, which computes on the CPU here.
    """
    if cuda_id is None:
        return 'cpu'
    if backend == 'onnxruntime':
        raise InputError(f'--cuda_id {cuda_id} goes with --backend torch: ONNX Runtime computes on the CPU here')
    return f'cuda:{cuda_id}'
