"""The networks of a model by PyTorch: run, or written as ONNX graphs."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmpose.models import build_pose_estimator
from mmpose.structures import PoseDataSample

from cephalometric.errors import InputError
from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator
from cephalometric.models.decoder_input import DecoderInput, decoded_by_codec
from cephalometric.prediction.model_folder import CONFIG, WEIGHTS, ModelDescription
from cephalometric.training.checkpoints import load_from_checked_file, weights_of
from cephalometric.training.config_reading import read_config


class TorchNetworks:
    """The networks of a folder by PyTorch; see :class:`cephalometric.prediction.networks.Networks`.

    Args:
        folder: A model folder.
        description: What its ``model.json`` says.
        device: Such as ``'cpu'`` or ``'cuda:0'``.

    Raises:
        InputError: Config or weights are missing, damaged, unsafe, or do not fit each other.
    """

    def __init__(self, folder: Path, description: ModelDescription, device: str = 'cpu') -> None:
        missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
        if missing:
            raise InputError(
                f'{folder} has no {missing[0]}, which PyTorch needs: use ONNX Runtime (backend onnxruntime)'
            )
        config = read_config_data(folder / CONFIG)
        self.model = build_model(config)
        load_weights(
            self.model, load_from_checked_file(str(folder / WEIGHTS), 'cpu'), folder / WEIGHTS, config.filename
        )
        if isinstance(self.model, CoarseToFinePoseEstimator):
            self.model.fold_normalization()
        self.model.to(device)
        decoded_here = description.coarse.decoding['kind'] == 'points'
        self.decoder_input = None if decoded_here else DecoderInput(self.model.head)
        self.metainfo = sample_metainfo(description.coarse.input_size, len(description.landmarks))

    @torch.inference_mode()
    def coarse(self, images: np.ndarray) -> tuple[np.ndarray, ...]:
        """See :class:`cephalometric.prediction.networks.Networks`."""
        samples = [PoseDataSample(metainfo=self.metainfo) for _ in images]
        batch = {'inputs': list(torch.from_numpy(np.ascontiguousarray(images))), 'data_samples': samples}
        inputs = self.model.data_preprocessor(batch, training=False)['inputs']
        if self.decoder_input is None:
            return decoded_by_codec(self.model, inputs, samples)
        outputs = self.decoder_input(self.model.extract_feat(inputs), samples, self.model.test_cfg)
        return tuple(output.float().cpu().numpy() for output in outputs)

    def refine(self, number: int, patches: np.ndarray) -> np.ndarray:
        """See :class:`cephalometric.prediction.networks.Networks`."""
        return self.model.refine(number, patches)


def sample_metainfo(input_size: tuple[int, int], landmarks: int) -> dict:
    """What heads ask a sample for: the size of the input as width and height, and that no landmark has a twin."""
    return {'input_size': input_size, 'flip_indices': list(range(landmarks))}


def read_config_data(path: Path) -> Config:
    """The ``config.json`` of a model folder.

    Raises:
        InputError: It is damaged, or names modules that are not there.
    """
    config = read_config(path)
    init_default_scope(config.get('default_scope', 'mmpose'))
    return config


def build_model(config: Config) -> torch.nn.Module:
    """The model of a config, for inference, with weights at random: they are to come from a checkpoint."""
    model_config = copy.deepcopy(config.model)
    model_config.train_cfg = None
    model_config.backbone.init_cfg = None
    return revert_sync_batchnorm(build_pose_estimator(model_config)).eval()


def load_weights(model: torch.nn.Module, checkpoint: object, path: Path, config_name: str) -> None:
    """Put the weights of a checkpoint into the model of a config.

    Args:
        model: Changed in place.
        checkpoint: As :func:`cephalometric.training.checkpoints.load_from_checked_file` reads it.
        path, config_name: What it and the config are called in messages.

    Raises:
        InputError: It holds no weights, others than the model's, or some that are not finite.
    """
    if not isinstance(checkpoint, Mapping) or 'state_dict' not in checkpoint:
        raise InputError(f'{path}: not a checkpoint of this toolkit: it holds no "state_dict"')
    weights = weights_of(checkpoint, str(path))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise InputError(
            f'{path} does not fit {config_name}: give the config and the landmark set (--landmarks) that it was '
            f'trained with ({reasons[0][:200]})'
        ) from None


OPSET = 17
COARSE = 'search.onnx'
OUTPUTS = {'heatmaps': ['heatmaps'], 'simcc': ['simcc_x', 'simcc_y'], 'coordinates': ['coordinates']}
"""What the graph of the coarse stage calls its outputs, for each kind of decoding."""
LARGE = 4096  # Bytes from which on it is worth while to store a weight once.


class CoarseNetwork(torch.nn.Module):
    """From pixels to what is decoded.

    Args:
        model: The whole model.
        preprocessing: The config of its ``PoseDataPreprocessor``.
        metainfo: Of a sample, for heads that ask for it.
    """

    def __init__(
        self, model: torch.nn.Module, preprocessing: Mapping[str, object], metainfo: Mapping[str, object]
    ) -> None:
        super().__init__()
        self.model, self.metainfo = model, dict(metainfo)
        self.decoder_input = DecoderInput(model.head)
        self.swap_channels = preprocessing.get('bgr_to_rgb', False)
        mean, std = preprocessing.get('mean', [0.0]), preprocessing.get('std', [1.0])
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Images: uint8, shape (B, 3, H, W), channels in the order of the dataset's, which is BGR."""
        images = images[:, [2, 1, 0]] if self.swap_channels else images
        features = self.model.extract_feat((images.float() - self.mean) / self.std)
        samples = [PoseDataSample(metainfo=self.metainfo) for _ in range(len(images))]
        return self.decoder_input(features, samples, self.model.test_cfg)


def pass_name(number: int) -> str:
    """The file of the network of a pass; they count from 1, in the order in which they look."""
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
    coarse = CoarseNetwork(
        model, preprocessing, sample_metainfo(description.coarse.input_size, len(description.landmarks))
    ).eval()
    outputs = OUTPUTS[description.coarse.decoding['kind']]
    _write(coarse, torch.zeros(1, 3, height, width, dtype=torch.uint8), folder / COARSE, 'images', outputs)
    names = [COARSE]
    if description.refinement is not None:
        size = description.refinement.patch_size
        patches = torch.zeros(1, len(description.landmarks), size, size, dtype=torch.uint8)
        for number, refiner in enumerate(model.refiners, start=1):
            names.append(pass_name(number))
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
            # Weights stay what they are in the checkpoint: ONNX Runtime joins convolution and normalization itself.
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            input_names=[input_name],
            output_names=list(outputs),
            dynamic_axes={name: {0: 'batch'} for name in (input_name, *outputs)},
        )
    onnx.checker.check_model(str(path), full_check=True)


def share_weights(graph: Path, weights: Path) -> None:
    """Let a graph take its large weights from the file that PyTorch has stored them in, in the same folder.

    Both then have the very same weights, once on disk (ONNX calls it external data).
    """
    import onnx
    from onnx import TensorProto

    content = weights.read_bytes()
    model = onnx.load(graph)
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight).tobytes()
        place = content.find(values) if len(values) >= LARGE else -1
        if place >= 0:
            weight.ClearField('raw_data')
            weight.data_location = TensorProto.EXTERNAL
            for key, value in (('location', weights.name), ('offset', place), ('length', len(values))):
                weight.external_data.add(key=key, value=str(value))
    onnx.save(model, graph)
    onnx.checker.check_model(str(graph), full_check=True)
