"""From what a network puts out to landmarks: one function for each kind of output.

A place in the input of the whole-image network is given as a fraction of the region that the input shows: (0, 0) is
its upper left corner, (1, 1) its lower right one. Scores lie between 0 and 1.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

Decoded = tuple[np.ndarray, np.ndarray]


def decode_heatmaps(heatmaps: np.ndarray, blur_kernel_size: int = 11) -> Decoded:
    """The landmarks of UDP heatmaps, whose outer cells lie on the edges of the region.

    The highest cell of each heatmap is refined by a Newton step on its logarithm (DARK, F. Zhang et al., arXiv
    1910.06278), which is taken only where the surface has a maximum, and bounded by the cell in which that must lie.

    Args:
        heatmaps: Shape (K, H, W).
        blur_kernel_size: Of the Gaussian that smooths a heatmap before it is refined, in cells; odd.

    Returns:
        Fractions, shape (K, 2) as x, y, and scores, shape (K,). Where no cell is above 0, the middle with score 0.
    """
    count, height, width = heatmaps.shape
    last_cell = np.array([width, height]) - 1
    flat = heatmaps.reshape(count, -1)
    rows, columns = np.divmod(flat.argmax(axis=1), width)
    scores = flat.max(axis=1)
    found = scores > 0
    cells = np.tile(last_cell / 2, (count, 1))
    if found.any():
        highest = np.stack([columns, rows], axis=1)[found]
        cells[found] = highest + newton_step(_blurred(heatmaps[found], blur_kernel_size), highest)
    return np.clip(cells, 0, last_cell) / last_cell, np.clip(scores, 0, 1)


def decode_simcc(along_x: np.ndarray, along_y: np.ndarray, split_ratio: float, input_size: tuple[int, int]) -> Decoded:
    """The landmarks of SimCC (Y. Li et al., arXiv 2107.03332): a row of bins along x and one along y for each.

    Args:
        along_x, along_y: Shape (K, bins).
        split_ratio: Bins to a pixel of the input.
        input_size: Width and height of the input in pixels.

    Returns:
        Fractions, shape (K, 2) as x, y, and scores, shape (K,): the smaller of the two maxima.
    """
    bins = np.stack([along_x.argmax(axis=1), along_y.argmax(axis=1)], axis=1)
    scores = np.minimum(along_x.max(axis=1), along_y.max(axis=1))
    return bins / split_ratio / np.asarray(input_size, float), np.clip(scores, 0, 1)


def decode_points(fractions: np.ndarray, scores: np.ndarray) -> Decoded:
    """Landmarks that the network's own side has decoded, as PyTorch does for codecs that are not known here."""
    return np.asarray(fractions, float), np.clip(scores, 0, 1)


DECODINGS: Mapping[str, Callable[..., Decoded]] = {
    'heatmaps': decode_heatmaps,
    'simcc': decode_simcc,
    'points': decode_points,
}
"""By the name that ``model.json`` gives them as ``kind``; what else it says there are the arguments."""


def decode(decoding: Mapping[str, object], outputs: tuple[np.ndarray, ...]) -> Decoded:
    """Decode the outputs of one X-ray as ``decoding`` says: its ``kind``, and the arguments of that function."""
    arguments = {name: value for name, value in decoding.items() if name != 'kind'}
    return DECODINGS[decoding['kind']](*outputs, **arguments)


def decode_patches(distributions: np.ndarray, stride: int, window: float) -> Decoded:
    """The centre of mass near the highest cell of each distribution (a local soft-argmax).

    Args:
        distributions: Over the cells of N patches, each with the sum 1, shape (N, cells, cells).
        stride: Pixels of the patch that are one cell; pixel centres are at integers.
        window: Half the side of the square around the highest cell that is averaged, in pixels of the patch.

    Returns:
        Points, shape (N, 2) as x, y, in pixels of each patch, and scores, shape (N,): how much of the distribution
        lies within the window.
    """
    cells = distributions.shape[2]
    centres = np.arange(cells) * stride + (stride - 1) / 2
    rows, columns = np.divmod(distributions.reshape(len(distributions), -1).argmax(axis=1), cells)
    near_x = abs(centres[None] - centres[columns][:, None]) <= window
    near_y = abs(centres[None] - centres[rows][:, None]) <= window
    near = distributions * near_y[:, :, None] * near_x[:, None, :]
    total = near.sum(axis=(1, 2))
    divisor = np.maximum(total, np.finfo(float).tiny)
    x = (near.sum(axis=1) * centres).sum(axis=1) / divisor
    y = (near.sum(axis=2) * centres).sum(axis=1) / divisor
    return np.stack([x, y], axis=1), total


def newton_step(heatmaps: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """From the highest cell of each heatmap to the maximum of the parabola through the logarithms around it.

    Args:
        heatmaps: Shape (K, H, W).
        maxima: Their highest cells, shape (K, 2) as x, y, integers.

    Returns:
        Shape (K, 2) as x, y, in cells, at most 1 each; 0 where the surface has no maximum.
    """
    surface = np.log(np.clip(heatmaps.astype(float), 1e-3, None))
    surface = np.pad(surface, ((0, 0), (1, 1), (1, 1)), mode='edge')
    rows, columns, k = maxima[:, 1] + 1, maxima[:, 0] + 1, np.arange(len(maxima))

    def at(dx: int, dy: int) -> np.ndarray:
        return surface[k, rows + dy, columns + dx]

    gradient_x, gradient_y = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    xx = at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    yy = at(0, 1) - 2 * at(0, 0) + at(0, -1)
    xy = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
    determinant = xx * yy - xy**2
    is_maximum = (xx < 0) & (determinant > 1e-9)
    divisor = np.where(is_maximum, determinant, 1)
    step = np.stack([xy * gradient_y - yy * gradient_x, xy * gradient_x - xx * gradient_y], axis=1) / divisor[:, None]
    return np.where(is_maximum[:, None], np.clip(step, -1, 1), 0)


def _blurred(heatmaps: np.ndarray, kernel_size: int) -> np.ndarray:
    """Heatmaps smoothed, with zeros beyond the border, each with the maximum that it had."""
    blurred = np.empty_like(heatmaps)
    for k, heatmap in enumerate(heatmaps):
        cv2.GaussianBlur(heatmap, (kernel_size, kernel_size), 0, dst=blurred[k], borderType=cv2.BORDER_CONSTANT)
        blurred[k] *= heatmap.max() / blurred[k].max()
    return blurred
