"""From what a network puts out to landmarks: one function for each kind of output.

A place in the input of the whole-image network is given as a fraction of the region that the input shows: (0, 0) is
its upper left corner, (1, 1) its lower right one. Scores lie between 0 and 1.
"""

from collections.abc import Callable, Mapping

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
    height, width = heatmaps.shape[1:]
    last_cell = np.array([width, height]) - 1
    scores = heatmaps.reshape(len(heatmaps), -1).max(axis=1)
    cells = [
        _peak(heatmap, blur_kernel_size) if score > 0 else last_cell / 2
        for heatmap, score in zip(heatmaps, scores, strict=True)
    ]
    return np.array(cells).reshape(-1, 2) / last_cell, np.clip(scores, 0, 1)


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


def decode_coordinates(coordinates: np.ndarray) -> Decoded:
    """The landmarks of a regression: the network puts out the places themselves, as parts of the region.

    Args:
        coordinates: Shape (K, 2) as x, y, or (K, 4), where two standard deviations follow, along x and along y, as
            residual log-likelihood estimation learns them (J. Li et al., arXiv 2107.11291), from 0 to 1. A length of 1
            may stand before.

    Returns:
        Fractions, shape (K, 2) as x, y, and scores, shape (K,): 1 less the mean of the two deviations or, without them,
        1 for all, which says nothing.
    """
    places = np.asarray(coordinates, float).reshape(-1, coordinates.shape[-1])
    scores = 1 - places[:, 2:].mean(axis=1) if places.shape[1] > 2 else np.ones(len(places))
    return places[:, :2], np.clip(scores, 0, 1)


def decode_points(fractions: np.ndarray, scores: np.ndarray) -> Decoded:
    """Landmarks that the network's own side has decoded, as PyTorch does for codecs that are not known here."""
    return np.asarray(fractions, float), np.clip(scores, 0, 1)


DECODINGS: Mapping[str, Callable[..., Decoded]] = {
    'heatmaps': decode_heatmaps,
    'simcc': decode_simcc,
    'coordinates': decode_coordinates,
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


def _peak(heatmap: np.ndarray, kernel_size: int) -> np.ndarray:
    """The maximum of the parabola through the logarithms around the highest cell, as x and y in cells, within the map.

    It is at most one cell off the highest one in x and in y, and that cell itself where the surface has no maximum.
    """
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    (middle_row, along_y), (middle_column, along_x) = (
        smoothing(cell, length, kernel_size) for cell, length in zip((row, column), heatmap.shape, strict=True)
    )
    smooth = along_y @ heatmap.astype(float) @ along_x.T
    near = np.log(np.maximum(smooth * (heatmap.max() / max(smooth.max(), 1e-30)), 1e-3))
    gradient_x, gradient_y = (near[1, 2] - near[1, 0]) / 2, (near[2, 1] - near[0, 1]) / 2
    xx, yy = near[1, 2] - 2 * near[1, 1] + near[1, 0], near[2, 1] - 2 * near[1, 1] + near[0, 1]
    xy = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    determinant = xx * yy - xy**2
    highest = place = np.array([column, row], float)
    if xx < 0 and determinant > 1e-9:
        step = np.array([xy * gradient_y - yy * gradient_x, xy * gradient_x - xx * gradient_y]) / determinant
        place = np.clip((middle_column, middle_row) + step, highest - 1, highest + 1)
    return np.clip(place, 0, np.array(heatmap.shape[::-1]) - 1)


def smoothing(cell: int, length: int, kernel_size: int) -> tuple[int, np.ndarray]:
    """The Gaussian that smooths three cells side by side, in a row of cells; the middle one is ``cell`` if it can be.

    A Gaussian that is cut off at the border on one side would move every maximum near it, whether zeros, mirrored cells
    or nothing stands in for what lies beyond. So it reaches as far to one side as to the other, and near the border no
    farther than the cells do; at the border the three cells are the outermost ones, unsmoothed.

    Args:
        cell: The cell to be refined, from 0 to length - 1.
        length: How many cells the row has.
        kernel_size: Cells of the Gaussian where there is room for it, odd. Its sigma follows as in OpenCV.

    Returns:
        Which cell is the middle one, and the weights of all cells for each of the three, shape (3, length).
    """
    sigma = 0.3 * ((kernel_size - 1) * 0.5 - 1) + 0.8
    middle = int(np.clip(cell, 1, max(length - 2, 1)))
    reach = max(0, min(kernel_size // 2, middle - 1, length - 2 - middle))
    offsets = np.arange(-reach, reach + 1)
    gaussian = np.exp(-(offsets**2) / (2 * sigma**2))
    weights = np.zeros((3, length))
    for n, row in enumerate(weights):
        np.add.at(row, np.clip(middle - 1 + n + offsets, 0, length - 1), gaussian / gaussian.sum())
    return middle, weights
