"""The landmarks of a lateral X-ray by the ONNX graphs of this folder: numpy and ONNX Runtime are all it needs.

    landmarks = Model('this/folder').predict(image)     # {'S': (x, y), ...}, pixels, centres at integers, y down

It does what the toolkit's own prediction does for an upright X-ray that faces right, and has no calibration. For
research; not a medical device. Licence of this file: Apache-2.0; of the model: see model.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


class Model:
    def __init__(self, folder='.'):
        self.about = json.loads(Path(folder, 'model.json').read_text(encoding='utf-8'))
        self.coarse, self.refinement = self.about['coarse_stage'], self.about['refinement']
        names = [self.coarse['network'], *(self.refinement['networks'] if self.refinement else [])]
        self.networks = [onnxruntime.InferenceSession(str(Path(folder, name))) for name in names]

    def predict(self, image):
        """``image``: uint8, shape (H, W), or (H, W, 3) in RGB order."""
        seen = np.argwhere(image.reshape(*image.shape[:2], -1).any(axis=2)).max(axis=0) + 1
        image = image[: seen[0], : seen[1]].astype(np.float32)  # Zero padding at the right and below is left off.
        points = self._search(image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2))
        if self.refinement:
            grey = image if image.ndim == 2 else np.floor(0.5 + image @ np.float32([0.299, 0.587, 0.114]))
            points = self._refine(halves(grey), points)
        names = self.about['landmark_set']['abbreviations']
        return {name: (float(x), float(y)) for name, (x, y) in zip(names, points, strict=True)}

    def _search(self, image):
        height, width = image.shape[:2]
        columns, rows = self.coarse['input_size']
        wide, high = ((length - 1) * self.coarse['padding'] for length in (width, height))
        if wide > high * columns / rows:
            high = wide * rows / columns
        else:
            wide = high * columns / rows
        size, corner = np.array([wide, high]), np.array([width - 1 - wide, height - 1 - high]) / 2
        step = size / (np.array([columns, rows]) - int(self.coarse['edge_to_edge']))
        x, y = np.arange(columns) * step[0] + corner[0], np.arange(rows) * step[1] + corner[1]
        small = sample(image, *np.meshgrid(x, y))[..., ::-1]  # The networks know colours as blue, green, red.
        outputs = run(self.networks[0], np.moveaxis(small, 2, 0)[None])
        return self._decode([output[0] for output in outputs]) * size + corner

    def _decode(self, outputs):
        decoding = self.coarse['decoding']
        if decoding['kind'] == 'simcc':
            places = np.stack([output.argmax(axis=1) for output in outputs], axis=1)
            return places / decoding['split_ratio'] / decoding['input_size']
        if decoding['kind'] == 'coordinates':
            return outputs[0].reshape(-1, outputs[0].shape[-1])[:, :2]
        last = np.array(outputs[0].shape[:0:-1]) - 1
        return np.stack([peak(heatmap, decoding['blur_kernel_size']) for heatmap in outputs[0]]) / last

    def _refine(self, levels, points):
        about, found = self.refinement, []
        size, layout = about['patch_size'], np.array(about['mean_layout_mm']) @ [1, 1j]
        layout -= layout.mean()
        for network, resolution_mm in zip(self.networks[1:], about['resolutions_mm'], strict=True):
            around = np.mean(found, axis=0) if found else points
            places = (around - around.mean(axis=0)) @ [1, 1j]
            scale = abs((layout.conj() * places).sum()) / (abs(layout) ** 2).sum() or 1.0
            step, centres = np.ceil(scale * resolution_mm * 64) / 64, np.round(around * 4) / 4
            level = int(np.clip(np.floor(np.log2(step) + 1e-6), 0, len(levels) - 1))
            offsets = (np.arange(size) - (size - 1) / 2) * step
            grids = [np.meshgrid(x + offsets, y + offsets) for x, y in centres]
            patches = [sample(levels[level], *((axis + 0.5) / 2**level - 0.5 for axis in grid)) for grid in grids]
            cells = [centre_of_mass(part, about['window'] / about['stride']) for part in run(network, [patches])[0][0]]
            in_patch = np.array(cells) * about['stride'] + (about['stride'] - 1) / 2
            found.append(centres + (in_patch - (size - 1) / 2) * step)
        return np.mean(found, axis=0)


def run(network, batch):
    return network.run(None, {network.get_inputs()[0].name: np.floor(np.add(batch, 0.5)).astype(np.uint8)})


def halves(image):
    """The image and its halves, each the mean of 2 x 2 pixels, as long as the shorter side has 64."""
    levels = [image]
    while min(levels[-1].shape) >= 64:
        rows, columns = (length // 2 for length in levels[-1].shape)
        blocks = levels[-1][: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2)
        levels.append(np.floor(blocks.mean(axis=(1, 3)) + 0.5))
    return levels


def sample(image, x, y):
    """Grey levels at places of an image, interpolated linearly; black outside of it."""
    padded = np.pad(image, [(1, 1), (1, 1), (0, 0)][: image.ndim])
    last = np.array(padded.shape[1::-1]) - 1
    x, y = (
        np.floor(np.round(axis * 1024) / 32 + 0.5) / 32 + 1 for axis in (x, y)
    )  # As exactly as OpenCV, which the toolkit uses.
    x, y = np.clip(x, 0, last[0]), np.clip(y, 0, last[1])
    left, top = np.minimum(x.astype(int), last[0] - 1), np.minimum(y.astype(int), last[1] - 1)
    right, down = ((part[..., None] if image.ndim == 3 else part) for part in (x - left, y - top))
    above = padded[top, left] * (1 - right) + padded[top, left + 1] * right
    return above * (1 - down) + (padded[top + 1, left] * (1 - right) + padded[top + 1, left + 1] * right) * down


def peak(heatmap, kernel_size):
    """The highest cell, x and y, moved by a Newton step on the logarithm of the smoothed heatmap."""
    if heatmap.max() <= 0:
        return (np.array(heatmap.shape[::-1]) - 1) / 2
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    middle_y, along_y = smoothing(row, heatmap.shape[0], kernel_size)
    middle_x, along_x = smoothing(column, heatmap.shape[1], kernel_size)
    smooth = along_y @ heatmap.astype(float) @ along_x.T
    near = np.log(np.maximum(smooth * (heatmap.max() / max(smooth.max(), 1e-30)), 1e-3))
    slope = np.array([near[1, 2] - near[1, 0], near[2, 1] - near[0, 1]]) / 2
    xx, yy = near[1, 2] - 2 * near[1, 1] + near[1, 0], near[2, 1] - 2 * near[1, 1] + near[0, 1]
    xy = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    determinant = xx * yy - xy**2
    highest = place = np.array([column, row])
    if xx < 0 and determinant > 1e-9:
        step = np.array([xy * slope[1] - yy * slope[0], xy * slope[0] - xx * slope[1]]) / determinant
        place = np.clip((middle_x, middle_y) + step, highest - 1, highest + 1)
    return np.clip(place, 0, np.array(heatmap.shape[::-1]) - 1)


def smoothing(cell, length, kernel_size):
    """The middle of three cells in a row, and the Gaussian weights of all cells for each: never cut off on one side."""
    sigma, middle = 0.3 * ((kernel_size - 1) * 0.5 - 1) + 0.8, int(np.clip(cell, 1, max(length - 2, 1)))
    reach = max(0, min(kernel_size // 2, middle - 1, length - 2 - middle))
    offsets, weights = np.arange(-reach, reach + 1), np.zeros((3, length))
    gaussian = np.exp(-(offsets**2) / (2 * sigma**2))
    for n, row in enumerate(weights):
        np.add.at(row, np.clip(middle - 1 + n + offsets, 0, length - 1), gaussian / gaussian.sum())
    return middle, weights


def centre_of_mass(cells, window):
    """Of the cells within the window around the highest one, x and y."""
    row, column = np.unravel_index(cells.argmax(), cells.shape)
    y, x = np.mgrid[: cells.shape[0], : cells.shape[1]]
    near = cells * (abs(x - column) <= window) * (abs(y - row) <= window)
    return np.array([(near * x).sum(), (near * y).sum()]) / near.sum()


if __name__ == '__main__':
    for name, point in Model(Path(__file__).parent).predict(np.load(sys.argv[1])).items():
        print(name, *np.round(point, 2))
