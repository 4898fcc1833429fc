"""What comes before and after exported networks, in words and numbers: enough to rebuild it in another language.

The code that the words describe: ``geometry.content_crop``; MMPose's ``GetBBoxCenterScale``, ``TopdownAffine`` and
``TopdownPoseEstimator``; ``models/codecs.py``; ``models/coarse_to_fine.py`` with ``layouts.py`` and ``patches.py``;
``models/patch_codec.py``.
"""

import torch
from mmengine.config import Config

CONVENTIONS = (
    'Coordinates are pixels, x to the right, y down; pixel centres are at integers, the first pixel is (0, 0). '
    'Images are 8-bit; of a deeper one, bring the grey levels to 8 bit first. The head faces right.'
)
UDP_DECODING = (
    'softmax_scale, where not null: turn each heatmap into its softmax over all cells, times softmax_scale.',
    'The highest cell of each heatmap is the first guess, its value the score (at most 1). Where no cell is above 0, '
    'the landmark is in the middle of the heatmap, with the score 0.',
    'Blur the heatmap with a Gaussian kernel of blur_kernel_size cells (zeros beyond the border; the sigma is '
    '0.3 * ((blur_kernel_size - 1) * 0.5 - 1) + 0.8) and scale it so that its maximum is what it was.',
    'Take the logarithm of max(value, 0.001), the border cells repeated outwards. With the differences of the '
    'neighbours of the first guess, dx = (right - left) / 2, dxx = right - 2 centre + left, dy and dyy likewise and '
    'dxy = (right below - left below - right above + left above) / 4, and D = dxx dyy - dxy^2: if dxx < 0 and '
    'D > 1e-9, add ((dxy dy - dyy dx) / D, (dxy dx - dxx dy) / D), each bounded to -1 ... 1; else add nothing.',
    'Bound x to 0 ... heatmap width - 1, y likewise.',
    'In the X-ray: x = x_cell / (heatmap width - 1) * region width + left of the region; y likewise.',
)
SIMCC_DECODING = (
    'Per landmark there is one row of values for x and one for y. The places of the two maxima, divided by '
    'simcc_split_ratio, are x and y in the input image; the smaller of the two maxima, bounded to 0 ... 1, is the '
    'score.',
    'In the X-ray: x = x_input / input width * region width + left of the region; y likewise.',
)
REFINEMENT = (
    'The refiners look one after another. The first looks around the landmarks of the search; each further one around '
    'the mean of what the refiners before it have found. The answer is the mean of what all refiners have found, and '
    'the mean of their scores.',
    'Scale of the X-ray: s = |sum conj(m) p| / sum |m|^2, in pixels per mm, where m are the points of mean_layout_mm '
    'and p the landmarks to look around, as complex numbers x + iy, each less their mean; 1 where s is 0.',
    'Patch of a landmark: patch_size x patch_size pixels of the grey X-ray (0.299 red + 0.587 green + 0.114 blue), '
    'step = s * resolution_mm pixels of the X-ray apart, rounded up to 1/64, around the centre rounded to 1/4 pixel; '
    'pixel (u, v) of the patch is at x = centre x + '
    '(u - (patch_size - 1) / 2) * step, y likewise. Interpolated linearly, black outside of the X-ray.',
    'Where step is 2 or more, it is cut from an X-ray halved floor(log2(step)) times, as often as there are halves: '
    'each half is the mean of 2 x 2 pixels (an odd last row or column left off), made as long as the shorter side has '
    '64 pixels or more. Pixel x of the X-ray is pixel (x + 0.5) / 2^n - 0.5 of its n-th half.',
    'Each patch gives a distribution over square cells of stride pixels; the centre of cell (i, j) is pixel '
    '(stride i + (stride - 1) / 2, stride j + (stride - 1) / 2) of the patch.',
    'The landmark is the centre of mass of the cells whose centres lie within window pixels, in x and in y, of the '
    "highest cell's; the sum of these cells is the score. The patch's affine map leads back to the X-ray.",
)


def output_names(config: Config) -> tuple[str, ...]:
    """What the search network puts out."""
    return ('simcc_x', 'simcc_y') if config.codec.type == 'SimCCLabel' else ('heatmaps',)


def describe(config: Config, model: torch.nn.Module) -> dict:
    """The parts ``conventions``, ``search`` and, of coarse-to-fine models, ``refinement`` and ``mean_layout_mm``."""
    description = {
        'conventions': CONVENTIONS,
        'search': {'preprocessing': _preprocessing(config), 'network': _search(config), 'decoding': _decoding(config)},
    }
    if hasattr(model, 'refiners'):
        description['refinement'] = _refinement(config, model)
        description['mean_layout_mm'] = model.mean_layout_mm.tolist()
    return description


def _preprocessing(config: Config) -> dict:
    width, height = config.codec.input_size
    udp = 'UDP' in config.codec.type
    last = 'pixel (input width - 1, input height - 1)' if udp else 'the point (input width, input height)'
    return {
        'input_size': [width, height],
        'channel_order': 'blue, green, red; of a grey X-ray, three equal channels',
        'steps': [
            'Leave off rows at the bottom and columns at the right that are zero throughout. W x H pixels remain.',
            'The region is W - 1 wide and H - 1 high around ((W - 1) / 2, (H - 1) / 2); widen one of both until '
            'width / height is input width / input height. Left of the region: (W - 1) / 2 - region width / 2; its '
            'top likewise.',
            f'Map the region to the input: its corner to (0, 0), the opposite one to {last}. Interpolate linearly '
            'between the four nearest pixels without smoothing; outside of the X-ray is black.',
            'Give the network these bytes as they are, channels first: it normalises them itself.',
        ],
    }


def _search(config: Config) -> dict:
    preprocessing = config.model.data_preprocessor
    return {
        'file': 'search.onnx',
        'input': 'images, uint8, (batch, 3, input height, input width)',
        'outputs': list(output_names(config)),
        'normalisation_inside': {name: preprocessing.get(name) for name in ('mean', 'std', 'bgr_to_rgb')},
    }


def _decoding(config: Config) -> dict:
    codec = config.codec
    if codec.type == 'SimCCLabel':
        return {'simcc_split_ratio': codec.simcc_split_ratio, 'steps': list(SIMCC_DECODING)}
    return {
        'heatmap_size': list(codec.heatmap_size),
        'blur_kernel_size': codec.get('blur_kernel_size', 11),
        'softmax_scale': 6.283185307179586 * codec.sigma**2 if config.model.head.type == 'SoftmaxHeatmapHead' else None,
        'steps': list(UDP_DECODING),
    }


def _refinement(config: Config, model: torch.nn.Module) -> dict:
    codec = config.patch_codec
    return {
        'networks': [
            {'file': f'refiner_{number}.onnx', 'resolution_mm': resolution_mm}
            for number, resolution_mm in enumerate(model.resolutions_mm, start=1)
        ],
        'input': 'patches, uint8, (batch, landmarks, patch_size, patch_size), landmarks in the order given above',
        'output': 'distributions, (batch, landmarks, patch_size / stride, patch_size / stride), each of sum 1',
        'patch_size': model.patch_size,
        'stride': codec.stride,
        'window': codec.window,
        'steps': list(REFINEMENT),
    }
