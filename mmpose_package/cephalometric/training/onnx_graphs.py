"""The networks of a trained model as ONNX graphs, with the normalisation of their inputs inside."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from cephalometric.errors import InputError
from cephalometric.prediction.model_folder import ModelDescription
from cephalometric.training.torch_networks import heatmaps_of

OPSET = 17
SEARCH = 'search.onnx'


class SearchNetwork(torch.nn.Module):
    """From pixels to what is decoded.

    Args:
        model: The whole model.
        preprocessing: The config of its ``PoseDataPreprocessor``.
    """

    def __init__(self, model: torch.nn.Module, preprocessing: Mapping[str, object]) -> None:
        super().__init__()
        self.model = model
        self.swap_channels = preprocessing.get('bgr_to_rgb', False)
        mean, std = preprocessing.get('mean', [0.0]), preprocessing.get('std', [1.0])
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Images: uint8, shape (B, 3, H, W), channels in the order of the dataset's, which is BGR."""
        images = images[:, [2, 1, 0]] if self.swap_channels else images
        features = self.model.extract_feat((images.float() - self.mean) / self.std)
        return heatmaps_of(self.model.head, self.model.head(features))


def view_name(number: int) -> str:
    """The file of the network of a view; they count from 1, in the order in which they look."""
    return f'refine_{number}.onnx'


def write_graphs(
    model: torch.nn.Module, preprocessing: Mapping[str, object], description: ModelDescription, folder: Path
) -> tuple[str, ...]:
    """Write the graphs; their batches may have any size.

    Returns:
        The names of the files, that of the coarse stage first.

    Raises:
        InputError: The package onnx is not installed. Whatever the exporter does not know raises its own exceptions.
    """
    width, height = description.coarse.input_size
    search = SearchNetwork(model, preprocessing).eval()
    outputs = ['simcc_x', 'simcc_y'] if description.coarse.decoding['kind'] == 'simcc' else ['heatmaps']
    _write(search, torch.zeros(1, 3, height, width, dtype=torch.uint8), folder / SEARCH, 'images', outputs)
    names = [SEARCH]
    if description.refinement is not None:
        size = description.refinement.patch_size
        patches = torch.zeros(1, len(description.landmarks), size, size, dtype=torch.uint8)
        for number, refiner in enumerate(model.refiners, start=1):
            names.append(view_name(number))
            _write(refiner, patches, folder / names[-1], 'patches', ['distributions'])
    return tuple(names)


def _write(
    network: torch.nn.Module, example: torch.Tensor, path: Path, input_name: str, outputs: Sequence[str]
) -> None:
    try:
        import onnx
    except ImportError as error:
        raise InputError(f'writing ONNX graphs needs the package onnx ({error}): pip install onnx') from None
    with torch.no_grad():
        torch.onnx.export(
            network,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[input_name],
            output_names=list(outputs),
            dynamic_axes={name: {0: 'batch'} for name in (input_name, *outputs)},
        )
    onnx.checker.check_model(str(path), full_check=True)
