"""The one predictor: an X-ray in, landmarks in its own pixels out."""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model.utils import revert_sync_batchnorm
from mmpose.models import build_pose_estimator

from cephalometric.errors import InputError
from cephalometric.geometry import content_crop
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator
from cephalometric.prediction.onnx_backend import run_exported
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.dataset import whole_image_bbox


@dataclass(frozen=True)
class Prediction:
    """The landmarks of one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in pixels of the image given, finite.
        scores: Shape (K,), 0 to 1: how sure the model is; 0 where there was nothing to see.
        blank: True for an image of zeros alone: its landmarks are all put at the centre.
        spread_px: Shape (K,): how far the members of an ensemble lie from their mean, root mean square, in pixels of
            the image; None for a single model.
    """

    points_px: np.ndarray
    scores: np.ndarray
    blank: bool = False
    spread_px: np.ndarray | None = None


class CephalometricPredictor:
    """Finds the landmarks of lateral skull X-rays that face right.

    Args:
        config: As :func:`cephalometric.training.config.load_config` returns it.
        checkpoint: A checkpoint of a run, or ``best_model_weight.pth``. Several, such as those of the folds of a
            cross-validation, are an ensemble: a landmark is where its members find it in the mean.
        device: Such as ``'cpu'`` or ``'cuda:0'``; see :func:`choose_device`.
        backend: What computes the networks: ``'torch'``, or ``'onnxruntime'`` on the CPU, for which a checkpoint is the
            ``export.json`` of :mod:`cephalometric.prediction.export`.

    Raises:
        InputError: The checkpoint is missing, damaged, unsafe, or does not fit the config.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str | Path | Sequence[str | Path],
        device: str = 'cpu',
        backend: str = 'torch',
    ) -> None:
        self.landmarks: LandmarkSet = load_landmark_set(config.landmark_set)
        self.pipeline = Compose(config.test_pipeline)
        self.models = []
        for file in [checkpoint] if isinstance(checkpoint, str | Path) else checkpoint:
            model = build_model(config)
            if backend == 'onnxruntime':
                run_exported(model, file, config)
            else:
                _load_weights(model, file, config, self.landmarks)
                if isinstance(model, CoarseToFinePoseEstimator):
                    model.fold_normalization()
                model.to(device)
            self.models.append(model)

    def predict(self, image: np.ndarray) -> Prediction:
        """Find the landmarks of one X-ray.

        Args:
            image: Shape (H, W), or (H, W, 3) in RGB order, uint8. Zero padding at the right and below is ignored.

        Raises:
            ValueError: The image has another shape or type.
        """
        return self.predict_batch([image])[0]

    def predict_batch(self, images: Sequence[np.ndarray]) -> list[Prediction]:
        """Find the landmarks of several X-rays in one pass of the network; arguments as for :meth:`predict`."""
        samples, predictions = [], {}
        for index, image in enumerate(images):
            _check(image)
            crop = content_crop(image)
            if crop is None:
                predictions[index] = self._blank(image)
            else:
                samples.append((index, crop, self._sample(crop.cut(image))))
        if samples:
            points, scores = self._run([sample for _, _, sample in samples])
            for n, (index, crop, _) in enumerate(samples):
                predictions[index] = _mean_of(crop.to_original(points[:, n]), scores[:, n])
        return [predictions[index] for index in range(len(images))]

    def _run(self, samples: list[dict]) -> tuple[np.ndarray, np.ndarray]:
        """The points, shape (members, N, K, 2), and scores, shape (members, N, K), of N samples."""
        points, scores = [], []
        for model in self.models:
            with torch.inference_mode():
                results = model.test_step(pseudo_collate(samples))
            points.append([result.pred_instances.keypoints[0] for result in results])
            scores.append([result.pred_instances.keypoint_scores[0] for result in results])
        return np.array(points, float), np.clip(np.array(scores, float), 0, 1)

    def _sample(self, image: np.ndarray) -> dict:
        height, width = image.shape[:2]
        sample = self.pipeline(
            {
                # MMPose's images are BGR. A grey one gets its channels when it has its small size.
                'img': image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
                'bbox': whole_image_bbox(width, height),
                'bbox_score': np.ones(1, np.float32),
            }
        )
        sample['inputs'] = sample['inputs'].expand(3, -1, -1)
        return sample

    def _blank(self, image: np.ndarray) -> Prediction:
        height, width = image.shape[:2]
        centre = np.tile([(width - 1) / 2, (height - 1) / 2], (len(self.landmarks), 1))
        return Prediction(centre, np.zeros(len(self.landmarks)), blank=True)


def _mean_of(points_px: np.ndarray, scores: np.ndarray) -> Prediction:
    """One prediction of the members' points, shape (members, K, 2), and scores, shape (members, K)."""
    mean_px = points_px.mean(axis=0)
    spread_px = np.sqrt(((points_px - mean_px) ** 2).sum(axis=2).mean(axis=0)) if len(points_px) > 1 else None
    return Prediction(mean_px, scores.mean(axis=0), spread_px=spread_px)


def choose_device(cuda_id: int = 0) -> str:
    """The GPU of that number where there is one, and the CPU where there is none.

    In a distributed run each process has the GPU of its own local rank.

    Raises:
        InputError: There are GPUs, but none of that number.
    """
    if not torch.cuda.is_available():
        return 'cpu'
    cuda_id = int(os.environ.get('LOCAL_RANK', cuda_id))
    if not 0 <= cuda_id < torch.cuda.device_count():
        raise InputError(f'--cuda_id {cuda_id}: this machine has the GPUs 0 to {torch.cuda.device_count() - 1}')
    return f'cuda:{cuda_id}'


def _check(image: np.ndarray) -> None:
    fits = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not fits:
        raise ValueError(f'an X-ray is uint8 of shape (H, W) or (H, W, 3), not {image.dtype} {image.shape}')


def build_model(config: Config) -> torch.nn.Module:
    """The model of a config, for inference, with weights at random: they are to come from a checkpoint."""
    model_config = copy.deepcopy(config.model)
    model_config.train_cfg = None
    model_config.backbone.init_cfg = None
    return revert_sync_batchnorm(build_pose_estimator(model_config)).eval()


def _load_weights(model: torch.nn.Module, checkpoint: str | Path, config: Config, landmarks: LandmarkSet) -> None:
    content = load_from_checked_file(str(checkpoint), map_location='cpu')
    if not isinstance(content, dict) or 'state_dict' not in content:
        raise InputError(f'{checkpoint}: not a checkpoint of this toolkit: it holds no "state_dict"')
    try:
        model.load_state_dict(content['state_dict'])
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise InputError(
            f'{checkpoint} does not fit {config.filename} with its {len(landmarks)} landmarks: give the config that '
            f'the checkpoint was trained with ({reasons[0][:200]})'
        ) from None
