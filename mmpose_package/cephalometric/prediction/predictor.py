"""The one predictor: an X-ray in, landmarks in its own pixels out."""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model.utils import revert_sync_batchnorm
from mmpose.models import build_pose_estimator

from cephalometric.errors import InputError
from cephalometric.geometry import content_crop
from cephalometric.landmarks import LandmarkSet, load_landmark_set
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.dataset import whole_image_bbox


@dataclass(frozen=True)
class Prediction:
    """The landmarks of one X-ray.

    Attributes:
        points_px: Shape (K, 2) as x, y, in pixels of the image given, finite.
        scores: Shape (K,), 0 to 1: how sure the model is; 0 where there was nothing to see.
        blank: True for an image of zeros alone: its landmarks are all put at the centre.
    """

    points_px: np.ndarray
    scores: np.ndarray
    blank: bool = False


class CephalometricPredictor:
    """Finds the landmarks of lateral skull X-rays that face right.

    Args:
        config: As :func:`cephalometric.training.config.load_config` returns it.
        checkpoint: A checkpoint of a run, or ``best_model_weight.pth``.
        device: Such as ``'cpu'`` or ``'cuda:0'``; see :func:`choose_device`.

    Raises:
        InputError: The checkpoint is missing, damaged, unsafe, or does not fit the config.
    """

    def __init__(self, config: Config, checkpoint: str | Path, device: str = 'cpu') -> None:
        self.landmarks: LandmarkSet = load_landmark_set(config.landmark_set)
        self.pipeline = Compose(config.test_pipeline)
        self.model = build_model(config)
        _load_weights(self.model, checkpoint, config, self.landmarks)
        self.model.to(device)

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
            with torch.inference_mode():
                results = self.model.test_step(pseudo_collate([sample for _, _, sample in samples]))
            for (index, crop, _), result in zip(samples, results, strict=True):
                instances = result.pred_instances
                points_px = crop.to_original(np.asarray(instances.keypoints[0], float))
                scores = np.clip(np.asarray(instances.keypoint_scores[0], float), 0, 1)
                predictions[index] = Prediction(points_px, scores)
        return [predictions[index] for index in range(len(images))]

    def _sample(self, image: np.ndarray) -> dict:
        colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
        height, width = image.shape[:2]
        return self.pipeline(
            {
                'img': np.ascontiguousarray(colour[..., ::-1]),  # MMPose's images are BGR
                'bbox': whole_image_bbox(width, height),
                'bbox_score': np.ones(1, np.float32),
            }
        )

    def _blank(self, image: np.ndarray) -> Prediction:
        height, width = image.shape[:2]
        centre = np.tile([(width - 1) / 2, (height - 1) / 2], (len(self.landmarks), 1))
        return Prediction(centre, np.zeros(len(self.landmarks)), blank=True)


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
