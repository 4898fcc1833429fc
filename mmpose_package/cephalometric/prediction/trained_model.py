"""The one way from X-rays to landmarks: networks, orientation, expected errors and doubts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from cephalometric.errors import INSTALL_TRAINING, InputError
from cephalometric.files import sha256
from cephalometric.geometry import Orientation, content_crop
from cephalometric.landmarks import LandmarkSet
from cephalometric.parallel import usable_cores
from cephalometric.prediction.calibration import Calibration, load_calibration
from cephalometric.prediction.doubt import Plausibility, assumed_plausibility, doubts
from cephalometric.prediction.model_folder import CALIBRATION, ModelDescription, read_description
from cephalometric.prediction.networks import Networks, OnnxNetworks, onnxruntime_gpus
from cephalometric.prediction.orientation_search import UPRIGHT, USUAL_SCORE, predict_any_way
from cephalometric.prediction.predictor import Member, Prediction, Predictor

BACKENDS = ('auto', 'onnxruntime', 'torch')


@dataclass(frozen=True)
class Answer:
    """What a model says of one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in pixels of the X-ray as it lies.
        scores: Shape (K,), 0 to 1.
        spread_mm: How far the members of an ensemble lie from their mean, shape (K,); None for one model, and without a
            spacing.
        orientation: How the X-ray lies.
        expected_error_mm: Shape (K,); None without a calibration.
        doubts: Why this may be no lateral cephalogram that the model can read, one sentence each; empty for most.
        remarks: What else a user should know.
    """

    points_px: np.ndarray
    scores: np.ndarray
    spread_mm: np.ndarray | None
    orientation: Orientation
    expected_error_mm: np.ndarray | None
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class TrainedModel:
    """A trained model, or an ensemble of several, with its calibration.

    Args:
        folders: Model folders.
        calibration: A calibration file; by default that in the folder of a single model. False goes without.
        backend: ``'onnxruntime'``, ``'torch'``, or ``'auto'``: PyTorch, where it is installed, for a GPU, and for
            networks that have no ONNX graph, otherwise ONNX Runtime.
        device: ``'cpu'``, or such as ``'cuda:0'``.
        names: What the models are called in messages and reports; by default their folders.
        threads: Of each network on a CPU; by default one for each core. Whoever predicts several X-rays at once takes
            one: threads within a network wait for each other.

    Attributes:
        landmarks: The landmark set.
        descriptions: What ``model.json`` of each folder says.
        calibration: None where there is none.
        calibration_id: The SHA-256 of its file; empty where there is none.
        at_once: How many X-rays are best predicted at once, by threads of the caller.

    Raises:
        InputError: A folder cannot be used, the models have other landmarks, the calibration is of other models, or
            what computes is not installed.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        calibration: str | Path | bool | None = None,
        backend: str = 'auto',
        device: str = 'cpu',
        names: Sequence[str] | None = None,
        threads: int | None = None,
    ) -> None:
        self.folders = tuple(folders)
        self.names = tuple(names or map(str, folders))
        self.descriptions = tuple(read_description(folder) for folder in folders)
        self.landmarks: LandmarkSet = self.descriptions[0].landmarks
        for folder, description in zip(folders, self.descriptions, strict=True):
            if description.landmarks.abbreviations != self.landmarks.abbreviations:
                raise InputError(
                    f'{folder} finds the landmarks of {description.landmarks.name!r}, {folders[0]} those of '
                    f'{self.landmarks.name!r}: the models of an ensemble must find the same'
                )
        self.weights_ids = tuple(description.weights_id for description in self.descriptions)
        self.at_once = usable_cores() if threads == 1 and device == 'cpu' else 1
        self.calibration_id = ''
        self.calibration = self._calibration(calibration)
        members = [
            Member(name, _networks(folder, description, backend, device, threads), description.coarse,
                   description.refinement)
            for name, folder, description in zip(self.names, folders, self.descriptions, strict=True)
        ]  # fmt: skip
        self.predictor = Predictor(members, self.landmarks)

    def _calibration(self, path: str | Path | bool | None) -> Calibration | None:
        if path is False:
            return None
        if path is None:
            beside = self.folders[0] / CALIBRATION
            if len(self.folders) > 1 or not beside.is_file():
                return None
            path = beside
        calibration = load_calibration(path, self.landmarks, self.weights_ids)
        self.calibration_id = sha256(path)
        return calibration

    def answers(
        self, images: Sequence[np.ndarray], spacings_mm: Sequence[float | None], upright: bool = False
    ) -> list[Answer]:
        """Find the landmarks of X-rays.

        Args:
            images: uint8, shape (H, W), or (H, W, 3) in RGB order. Zero padding at the right and below is ignored.
            spacings_mm: Millimetres per pixel of each; None where it is not known.
            upright: Trust that no X-ray is mirrored, turned or inverted.
        """
        if upright:
            found = [(prediction, UPRIGHT) for prediction in self.predictor.predict_batch(images)]
        else:
            found = predict_any_way(self.predictor, images, self._usual_score)
        return [
            self._answer(image, prediction, orientation, spacing_mm)
            for image, (prediction, orientation), spacing_mm in zip(images, found, spacings_mm, strict=True)
        ]

    @property
    def _usual_score(self) -> float:
        return USUAL_SCORE if self.calibration is None else self.calibration.usual_score

    def _answer(
        self, image: np.ndarray, prediction: Prediction, orientation: Orientation, spacing_mm: float | None
    ) -> Answer:
        known = prediction.spread_px is not None and spacing_mm is not None
        spread_mm = prediction.spread_px * spacing_mm if known else None
        expected_mm = self.calibration and self.calibration.expected_error_mm(prediction.scores, spread_mm)
        remarks = ()
        if orientation.turned:
            remarks = (f'taken as an X-ray that is {orientation}; coordinates are those of the file as it is',)
        return Answer(
            prediction.points_px,
            prediction.scores,
            spread_mm,
            orientation,
            expected_mm,
            self._doubts(image, prediction, orientation),
            remarks,
        )

    def _doubts(self, image: np.ndarray, prediction: Prediction, orientation: Orientation) -> tuple[str, ...]:
        crop = content_crop(image)
        if crop is None:
            return ('it is blank: its landmarks are put at its centre',)
        size = crop.width, crop.height
        return doubts(self.plausibility, prediction.points_px, prediction.scores, size, orientation)

    @cached_property
    def plausibility(self) -> Plausibility:
        """What tells a lateral cephalogram from other pictures: as validation X-rays say or, without, as is assumed."""
        if self.calibration is not None:
            return self.calibration.plausibility
        refinement = self.descriptions[0].refinement
        return assumed_plausibility(None if refinement is None else refinement.mean_layout_mm)


def best_device(cuda_id: int = 0) -> str:
    """The GPU of that number that PyTorch sees or, without PyTorch, onnxruntime-gpu; the CPU where there is none.

    Raises:
        InputError: There are GPUs, but none of that number.
    """
    try:
        # By name, because this room imports nothing of PyTorch's.
        return import_module('cephalometric.training.run').choose_device(cuda_id)
    except ModuleNotFoundError:
        gpus = onnxruntime_gpus()
    if not gpus:
        return 'cpu'
    if not 0 <= cuda_id < gpus:
        raise InputError(f'--cuda_id {cuda_id}: this machine has the GPUs 0 to {gpus - 1}')
    return f'cuda:{cuda_id}'


def _networks(folder: Path, description: ModelDescription, backend: str, device: str, threads: int | None) -> Networks:
    if backend not in BACKENDS:
        raise InputError(f'backend {backend!r}: choose one of {", ".join(BACKENDS)}')
    if backend == 'auto':
        without_torch = device == 'cpu' or find_spec('torch') is None
        backend = 'onnxruntime' if description.networks and without_torch else 'torch'
    if backend == 'torch':
        return _torch_networks(folder, description, device, threads)
    if not description.networks:
        raise InputError(
            f'{folder}: ONNX Runtime cannot compute its networks ({description.why_no_networks}): use PyTorch '
            '(backend torch)'
        )
    coarse, *passes = (folder / name for name in description.networks)
    return OnnxNetworks(coarse, tuple(passes), threads or 0, device=device)


def _torch_networks(folder: Path, description: ModelDescription, device: str, threads: int | None) -> Networks:
    try:
        # By name, because this room imports nothing of PyTorch's.
        module = import_module('cephalometric.training.torch_networks')
    except ImportError as error:
        why = f' ({description.why_no_networks})' if description.why_no_networks else ''
        raise InputError(
            f'{folder}: PyTorch is to compute its networks{why}, and {error.name or error} is missing: '
            f'{INSTALL_TRAINING}'
        ) from None
    if threads:
        module.torch.set_num_threads(threads)
    return module.TorchNetworks(folder, description, device)
