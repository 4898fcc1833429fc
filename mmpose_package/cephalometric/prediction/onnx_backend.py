"""ONNX Runtime in the place of a model's networks; pre-processing, decoding and geometry stay the model's own."""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseDataPreprocessor

from cephalometric.errors import InputError
from cephalometric.files import read_json, sha256
from cephalometric.landmarks import load_landmark_set

FORMAT = 'cephalometric export 1'
EXPORT_NAME = 'export.json'
SEARCH_NAME = 'search.onnx'
REMEDY = 'export it again with "cephalometric export"'
INSTALL = 'install it with: pip install -r requirements.txt'


def refiner_name(number: int) -> str:
    """The file of a refiner's network; they count from 1, in the order in which they look."""
    return f'refiner_{number}.onnx'


class OnnxNetwork:
    """A network that ONNX Runtime computes, on as many threads as PyTorch would use.

    Args:
        path: The graph.

    Raises:
        InputError: ONNX Runtime is not installed, or cannot run the graph.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise InputError(f'--backend onnxruntime: ONNX Runtime is not installed: {INSTALL}') from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Each network has threads of its own. Those that have nothing to do must not keep the others from the cores.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        options.log_severity_level = 3  # Errors; they are raised as well.
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
        except Exception as error:  # ONNX Runtime's exceptions have no base class of their own.
            reason = str(error).splitlines()[0]
            raise InputError(
                f'{path}: ONNX Runtime {onnxruntime.__version__} cannot run it: {reason}: {REMEDY}'
            ) from None
        self.input_name = self.session.get_inputs()[0].name

    def __call__(self, batch: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """What the network makes of a batch: a tensor, or several where it has several outputs."""
        outputs = self.session.run(None, {self.input_name: batch.numpy()})
        tensors = tuple(torch.from_numpy(output) for output in outputs)
        return tensors if len(tensors) > 1 else tensors[0]


def run_exported(model: torch.nn.Module, export_file: str | Path, config: Config) -> None:
    """Let the networks of an export do the work of a model's own.

    Args:
        model: As :func:`cephalometric.prediction.predictor.build_model` makes it of ``config``.
        export_file: The ``export.json`` that :mod:`cephalometric.prediction.export` has written; its networks lie
            beside it.
        config: The recipe, or the config of the export, which say the same.

    Raises:
        InputError: A file is missing, damaged or of another export, the config is that of another model, or ONNX
            Runtime is not installed.
    """
    export = _read_export(Path(export_file), config)
    folder = Path(export_file).parent
    # The graph normalises by itself, and does the head's part as well: what is left to the head is the decoding.
    model.data_preprocessor = BaseDataPreprocessor()
    del model.backbone
    model.extract_feat = OnnxNetwork(folder / SEARCH_NAME)
    model.head.forward = _as_they_are
    for number, refiner in enumerate(getattr(model, 'refiners', ()), start=1):
        del refiner.backbone
        refiner.forward = OnnxNetwork(folder / refiner_name(number))
    if 'mean_layout_mm' in export:
        model.set_mean_layout(np.array(export['mean_layout_mm'], np.float32))


def _as_they_are(outputs: object) -> object:
    return outputs


def _read_export(path: Path, config: Config) -> dict:
    """The content of ``export.json``, after a look at the files beside it."""
    if path.suffix != '.json':
        raise InputError(
            f'{path} is no export: --backend onnxruntime takes the {EXPORT_NAME} that "cephalometric export" writes'
        )
    export = read_json(path)
    if not isinstance(export, dict) or export.get('format') != FORMAT or not isinstance(export.get('files'), dict):
        raise InputError(f'{path}: not "{FORMAT}", which this version reads: {REMEDY}')
    for name, checksum in export['files'].items():
        if sha256(path.parent / name) != checksum:
            raise InputError(f'{path.parent / name} is damaged or of another export than {path.name}: {REMEDY}')
    if export.get('settings_sha256') != settings_checksum(config):
        raise InputError(
            f'{path} was exported with another config or landmark set than {config.filename} with '
            f'{config.landmark_set!r}: give {path.parent / "config.py"}'
        )
    return export


def settings_checksum(config: Config) -> str:
    """A checksum of what a config says about prediction: the model, its codecs and the way to its input."""
    settings = {name: config[name] for name in ('model', 'test_pipeline')}
    plain = json.loads(json.dumps(settings))
    for training_only in ('train_cfg', 'init_cfg'):
        plain['model'].pop(training_only, None)
        plain['model']['backbone'].pop(training_only, None)
    plain['landmarks'] = load_landmark_set(config.landmark_set).abbreviations
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
