"""Export: the networks of a trained model as ONNX graphs, with all that is needed to run them elsewhere."""

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config

from cephalometric.errors import InputError
from cephalometric.files import RECORD, sha256, staging, write_json
from cephalometric.prediction.calibration import load_calibration, save_calibration
from cephalometric.prediction.export_description import describe, output_names
from cephalometric.prediction.onnx_backend import (
    EXPORT_NAME,
    FORMAT,
    INSTALL,
    SEARCH_NAME,
    refiner_name,
    settings_checksum,
)
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.config import write_config

LIMIT_PX = 0.1
OPSET = 17


def export_predictor(config: Config, checkpoint: str | Path, out: str | Path, xrays: Sequence[np.ndarray]) -> float:
    """Write a trained model as ONNX graphs, after checking them against PyTorch.

    ``out`` receives ``search.onnx`` and, of coarse-to-fine models, ``refiner_1.onnx`` and so on; ``config.py`` with all
    it inherits; ``landmarks.json`` for a landmark set of the user's own; the calibration, where the weights have one;
    and ``export.json``, which says in words and numbers what comes before and after the networks, with checksums.

    Args:
        config: As :func:`cephalometric.training.config.load_config` returns it.
        checkpoint: The weights.
        out: The folder; made if need be. All appears there, or nothing.
        xrays: Images to check with, as for :meth:`CephalometricPredictor.predict`.

    Returns:
        The largest distance, in pixels of these images, between a landmark by ONNX Runtime and by PyTorch.

    Raises:
        InputError: The weights cannot be used, a package is not installed, ``out`` is not empty, or a distance is
            beyond ``LIMIT_PX``.
    """
    _check_for_onnx()
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f'--out {out} is there already and not empty: name a new folder')
    if config.model.get('test_cfg', {}).get('flip_test'):
        raise InputError(f'{config.filename}: an export looks once: set model.test_cfg.flip_test to False')
    predictor = CephalometricPredictor(config, checkpoint)
    calibration = load_calibration([checkpoint], predictor.landmarks)
    with staging(out, 'export') as stage:
        write_config(config, stage.folder)
        _write_graphs(config, predictor.models[0], stage.folder)
        description = {
            'format': FORMAT,
            'notice': 'For research; not a medical device.',
            'cephalometric': version('cephalometric'),
            'landmarks': predictor.landmarks.abbreviations,
            'weights_sha256': sha256(checkpoint),
            'settings_sha256': settings_checksum(config),
            'files': {path.name: sha256(path) for path in _parts(stage.folder)},
            **describe(config, predictor.models[0]),
        }
        description_file = stage.folder / EXPORT_NAME
        write_json(description_file, description)
        exported = CephalometricPredictor(config, description_file, backend='onnxruntime')
        distance_px = _largest_distance_px(predictor, exported, xrays)
        if not distance_px <= LIMIT_PX:
            raise InputError(
                f'{checkpoint}: by ONNX Runtime a landmark lies {distance_px:.2f} pixels from where PyTorch finds it, '
                f'more than {LIMIT_PX}; nothing was written. Is the model trained, and are the X-rays (--check) such '
                'as it was trained on? Where a model is at a loss, two places are as good as each other'
            )
        check = {'xrays': len(xrays), 'largest_distance_px': round(distance_px, 6), 'limit_px': LIMIT_PX}
        write_json(description_file, description | {'checked_against_pytorch': check})
        if calibration is not None:
            save_calibration(calibration, [description_file])
        names = [path.name for path in _parts(stage.folder) if path != description_file]
        stage.publish([*names, EXPORT_NAME])
    return distance_px


class SearchNetwork(torch.nn.Module):
    """From pixels to what the head puts out, with the data preprocessor's normalisation inside.

    Args:
        model: The whole model.
        preprocessing: The config of its ``PoseDataPreprocessor``.
    """

    def __init__(self, model: torch.nn.Module, preprocessing: dict) -> None:
        super().__init__()
        self.model = model
        self.swap_channels = preprocessing.get('bgr_to_rgb', False)
        mean, std = preprocessing.get('mean', [0.0]), preprocessing.get('std', [1.0])
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Images: uint8, shape (B, 3, H, W), channels in the order of the dataset's, which is BGR."""
        images = images[:, [2, 1, 0]] if self.swap_channels else images
        return self.model.head(self.model.extract_feat((images.float() - self.mean) / self.std))


def _write_graphs(config: Config, model: torch.nn.Module, folder: Path) -> None:
    width, height = config.codec.input_size
    search = SearchNetwork(model, config.model.data_preprocessor).eval()
    images = torch.zeros(1, 3, height, width, dtype=torch.uint8)
    _write_graph(search, images, folder / SEARCH_NAME, 'images', output_names(config))
    for number, refiner in enumerate(getattr(model, 'refiners', ()), start=1):
        size = model.patch_size
        patches = torch.zeros(1, model.head.out_channels, size, size, dtype=torch.uint8)
        _write_graph(refiner, patches, folder / refiner_name(number), 'patches', ['distributions'])


def _write_graph(
    network: torch.nn.Module, example: torch.Tensor, path: Path, input_name: str, outputs: Sequence[str]
) -> None:
    """Write a network as a graph whose batches may have any size."""
    import onnx

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # About shapes that are constants here, and are meant to be.
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


def _largest_distance_px(
    predictor: CephalometricPredictor, exported: CephalometricPredictor, xrays: Sequence[np.ndarray]
) -> float:
    distances_px = [
        np.linalg.norm(exported.predict(xray).points_px - predictor.predict(xray).points_px, axis=1) for xray in xrays
    ]
    return float(np.max(distances_px))


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != RECORD)


def _check_for_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise InputError(f'export needs the packages onnx and onnxruntime ({error}): {INSTALL}') from None
