"""What a codec does with places, found out by encoding some and decoding them: no name of a codec says it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from mmpose.codecs import IntegralRegressionLabel, RegressionLabel, SimCCLabel
from mmpose.codecs.base import BaseKeypointCodec

from cephalometric.models.udp_heatmap import BoundedUDPHeatmap

RUN_PX, STEP_PX, BORDER_PX = 32, 0.5, 48
CLEAR = 0.4


def is_edge_to_edge(codec: BaseKeypointCodec, input_size: Sequence[int]) -> bool | None:
    """Whether the X-ray must be warped to the network's input as UDP does it (J. Huang et al., arXiv 1911.07524).

    Then the centres of the outer pixels of the input lie on the edges of the region that the input shows, and a place
    x of the input, which is W pixels wide, is the part x / (W - 1) of the region; in the classic geometry it is x / W.
    MMPose takes what a codec decodes for a part of W, whatever the codec. So a codec of the classic geometry
    gives places back as they were, and one of UDP's gives them W / (W - 1) times as large.

    Args:
        codec: The codec.
        input_size: Width and height of the input in pixels.

    Returns:
        None where the codec gives back neither, or cannot be tried out.
    """
    size = np.asarray(input_size, float)
    places = np.stack([_runs(length) for length in size], axis=-1)
    decoded = round_trip(codec, places.reshape(-1, 2))
    if decoded is None:
        return None
    added = (decoded.reshape(places.shape) - places).mean(axis=1)
    # What is added over the distance between the two runs, as a part of what UDP adds.
    stretch = (added[1] - added[0]) / (places[1] - places[0]).mean(axis=0) * (size - 1)
    if abs(stretch).max() < CLEAR:
        return False
    return True if abs(stretch - 1).max() < CLEAR else None


def _runs(length: float) -> np.ndarray:
    """Two runs of places side by side along an axis, far from each other and from the border; shape (2, N).

    What is rounded to cells, bins or pixels is rounded up in a run as often as down.
    """
    run, margin = min(RUN_PX, length // 4), min(max(length / 8, BORDER_PX), length / 4)
    steps = np.linspace(0, run, int(RUN_PX / STEP_PX), endpoint=False)
    return np.stack([margin + steps, length - margin - run + steps])


def round_trip(codec: BaseKeypointCodec, places: np.ndarray) -> np.ndarray | None:
    """Places, shape (K, 2) as x, y, in pixels of the input, encoded and decoded; None where there is no way back."""
    visible = np.ones((1, len(places)), np.float32)
    encoded = codec.encode(places[None].astype(np.float32), visible)
    for parts in _arguments(encoded):
        try:
            decoded = np.asarray(codec.decode(*parts)[0], float)
        except Exception:  # A codec may raise anything for what it does not decode.
            continue
        if decoded.shape == (1, *places.shape) and np.isfinite(decoded).all():
            return decoded[0]
    return None


def _arguments(encoded: Mapping[str, object]) -> Iterator[tuple]:
    """What ``decode`` may want of what ``encode`` returns: all but the weights, or one of them."""
    parts = [part for name, part in encoded.items() if not name.endswith('weights')]
    yield tuple(parts)
    yield from ((part,) for part in parts)


def numpy_decoding(codec: BaseKeypointCodec) -> dict | None:
    """How :mod:`cephalometric.prediction.decoding` decodes what this codec does; None where it does not know it.

    A class that inherits from a codec that is known there is known, too, unless it decodes in its own way.
    """
    how = type(codec).decode
    if how is IntegralRegressionLabel.decode:
        how = type(codec.keypoint_codec).decode
    if how is BoundedUDPHeatmap.decode:
        return {'kind': 'heatmaps', 'blur_kernel_size': int(codec.blur_kernel_size)}
    if how is SimCCLabel.decode and not codec.use_dark:
        size = [int(length) for length in codec.input_size]
        return {'kind': 'simcc', 'split_ratio': float(codec.simcc_split_ratio), 'input_size': size}
    if how is RegressionLabel.decode:
        return {'kind': 'coordinates'}
    return None
