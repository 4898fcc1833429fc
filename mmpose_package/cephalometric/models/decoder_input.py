"""What a head hands to its codec, and how that is decoded: found out for any head, MMPose's or a user's own."""

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.structures import PoseDataSample

from cephalometric.errors import MALFORMED
from cephalometric.models.codec_geometry import numpy_decoding
from cephalometric.prediction.decoding import decode


class NothingToDecodeError(Exception):
    """A head predicts in a way of its own: no tensors reach its codec."""


class _Caught(Exception):
    def __init__(self, outputs: tuple) -> None:
        super().__init__()
        self.outputs = outputs


class CatchingCodec(BaseKeypointCodec):
    """Stands in for a codec, has all that the codec has, and lets nothing be decoded."""

    def __init__(self, codec: BaseKeypointCodec) -> None:
        super().__init__()
        self.codec = codec

    def __getattr__(self, name: str) -> object:
        if name == 'codec':  # Not there yet, as in a copy that is being made.
            raise AttributeError(name)
        return getattr(self.codec, name)

    def encode(self, *arguments, **named) -> dict:
        """As the codec that it stands in for."""
        return self.codec.encode(*arguments, **named)

    def decode(self, *encoded: object) -> None:
        """Stop here with what was to be decoded."""
        raise _Caught(encoded)

    # MMPose hands a codec that decodes whole batches the tensors as they are, and others arrays.
    batch_decode = decode


class DecoderInput:
    """From features to what the codec of a head decodes.

    Args:
        head: A head with a codec as its ``decoder``; it stays as it is.
    """

    def __init__(self, head: torch.nn.Module) -> None:
        # A copy that shares all weights.
        self.head = copy.copy(head)
        self.head.decoder = CatchingCodec(head.decoder)

    def __call__(self, features: object, samples: Sequence[PoseDataSample], test_cfg: dict) -> tuple[torch.Tensor, ...]:
        """What the head's ``predict`` would decode, each with the length of the batch first; arguments as for that.

        Raises:
            NothingToDecodeError: It decodes nothing, or no tensors.
        """
        try:
            self.head.predict(features, samples, test_cfg=test_cfg)
        except _Caught as caught:
            if all(isinstance(output, torch.Tensor) for output in caught.outputs):
                return caught.outputs
        raise NothingToDecodeError


def decoded_by_codec(
    model: torch.nn.Module, inputs: torch.Tensor, samples: Sequence[PoseDataSample]
) -> tuple[np.ndarray, np.ndarray]:
    """What the codec of a model's head finds, from one look or, with flip_test, from two.

    Args:
        model: The model.
        inputs: B preprocessed X-rays.
        samples: With ``input_size`` and ``flip_indices``.

    Returns:
        Landmarks as parts of width and height of the input, shape (B, K, 2) as x, y, and scores, shape (B, K).
    """
    features = model.extract_feat(inputs)
    if model.test_cfg.get('flip_test', False):
        features = [features, model.extract_feat(inputs.flip(-1))]
    found = model.head.predict(features, samples, test_cfg=model.test_cfg)
    instances = found[0] if isinstance(found, tuple) else found
    points = np.stack([np.asarray(instance.keypoints)[0] for instance in instances])
    scores = np.stack([np.asarray(instance.keypoint_scores)[0] for instance in instances])
    return points / samples[0].metainfo['input_size'], scores


BY_PYTORCH = {'kind': 'points'}


def decoding_of(model: torch.nn.Module, metainfo: Mapping[str, object]) -> dict:
    """How :mod:`cephalometric.prediction.decoding` decodes what the head of a model puts out.

    The codec says it. Whether the head does anything of its own besides is found out with two images of noise, which
    the head's ``predict`` and the decoding here must answer alike.

    Args:
        model: The model, in the state in which it predicts.
        metainfo: Of a sample, with ``input_size`` and ``flip_indices``.

    Returns:
        ``{'kind': 'points'}`` where only PyTorch can decode it.
    """
    # Two looks have two outputs, which only the head itself knows how to join.
    known = None if model.test_cfg.get('flip_test', False) else numpy_decoding(model.head.decoder)
    if known is None:
        return BY_PYTORCH
    width, height = metainfo['input_size']
    noise = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    samples = [PoseDataSample(metainfo=dict(metainfo)) for _ in noise]
    with torch.inference_mode():
        points, scores = decoded_by_codec(model, noise, samples)
        try:
            outputs = DecoderInput(model.head)(model.extract_feat(noise), samples, model.test_cfg)
        except NothingToDecodeError:
            return BY_PYTORCH
    try:
        found = [decode(known, arrays) for arrays in zip(*(output.float().numpy() for output in outputs), strict=True)]
        same = np.allclose([places for places, _ in found], points, atol=1e-4, equal_nan=True) and np.allclose(
            [sure for _, sure in found], np.clip(scores, 0, 1), atol=1e-4, equal_nan=True
        )
    except MALFORMED:  # They have another form than what the codec of that kind has.
        same = False
    return known if same else BY_PYTORCH
