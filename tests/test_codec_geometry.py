"""Every codec, MMPose's and a user's own: places survive the way from the X-ray to what is learnt, and back."""

import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap, SimCCLabel, UDPHeatmap
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS

from cephalometric.errors import InputError
from cephalometric.models.codec_geometry import is_edge_to_edge, numpy_decoding, round_trip
from cephalometric.models.udp_heatmap import BoundedUDPHeatmap
from cephalometric.prediction.stages import CoarseStage
from cephalometric.training.dataset import whole_image_bbox
from cephalometric.training.recipe import load_config


@KEYPOINT_CODECS.register_module()
class MyHeatmap(UDPHeatmap):
    """UDP's geometry, and another name."""


@KEYPOINT_CODECS.register_module()
class NotUDPAtAll(MSRAHeatmap):
    """The classic geometry, whatever its name."""


@KEYPOINT_CODECS.register_module()
class MyBins(SimCCLabel):
    """SimCC under another name."""


@KEYPOINT_CODECS.register_module()
class MyBounded(BoundedUDPHeatmap):
    """The toolkit's codec, decoded in a way of its own."""

    def decode(self, encoded):
        return super().decode(encoded)


@KEYPOINT_CODECS.register_module()
class NoWayBack(BaseKeypointCodec):
    """Learns something, and does not say where that is."""

    def __init__(self, input_size):
        self.input_size = input_size

    def encode(self, keypoints, keypoints_visible=None):
        return {'heatmaps': np.zeros((keypoints.shape[1], 8, 8)), 'keypoint_weights': keypoints_visible}

    def decode(self, encoded):
        raise NotImplementedError


SIZES = {'input_size': (96, 128), 'heatmap_size': (24, 32)}
BINS = {'input_size': (96, 128), 'sigma': (4, 5), 'simcc_split_ratio': 2.0}
# Each with its geometry, and how far off a place may come back, in cells: the codecs without a refinement take the
# highest cell, and one of them moves it by a quarter of a cell.
CODECS = [
    ({'type': 'MSRAHeatmap', 'sigma': 2, **SIZES}, False, 0.76),
    ({'type': 'MSRAHeatmap', 'sigma': 2, 'unbiased': True, **SIZES}, False, 0.05),
    ({'type': 'MegviiHeatmap', 'kernel_size': 9, **SIZES}, False, 0.76),
    ({'type': 'UDPHeatmap', 'sigma': 2, **SIZES}, True, 0.05),
    ({'type': 'UDPHeatmap', 'heatmap_type': 'combined', **SIZES}, True, 0.05),
    ({'type': 'BoundedUDPHeatmap', 'sigma': 2, **SIZES}, True, 0.05),
    ({'type': 'SimCCLabel', **BINS}, False, 0.13),
    ({'type': 'SimCCLabel', 'use_dark': True, **BINS}, False, 0.13),
    ({'type': 'RegressionLabel', 'input_size': (96, 128)}, False, 0.01),
    ({'type': 'IntegralRegressionLabel', 'sigma': 2, **SIZES}, False, 0.01),
    ({'type': 'MyHeatmap', 'sigma': 2, **SIZES}, True, 0.05),
    ({'type': 'NotUDPAtAll', 'sigma': 2, 'unbiased': True, **SIZES}, False, 0.05),
    ({'type': 'MyBins', **BINS}, False, 0.13),
]
every_codec = pytest.mark.parametrize(
    ('codec', 'edge_to_edge', 'cells'), CODECS, ids=lambda value: value['type'] if isinstance(value, dict) else ''
)


def recipe_with(codec, tmp_path, more=''):
    path = tmp_path / 'recipe.py'
    path.write_text(f"_base_ = '{TINY_RECIPE}'\ncodec = dict(_delete_=True, **{codec!r})\n{more}")
    return path


@every_codec
@pytest.mark.parametrize(('width', 'height'), [(1935, 2400), (800, 500)])
def test_places_of_the_xray_come_back_to_a_fraction_of_a_cell(codec, edge_to_edge, cells, width, height, tmp_path):
    """By the training pipeline to what is learnt, by the codec back, and by the coarse stage to the X-ray."""
    config = load_config(recipe_with(codec, tmp_path))
    steps = [step for step in config.train_pipeline if not step.type.startswith('Random')][:-2]
    places_px = np.random.default_rng(0).uniform(0.2, 0.8, (200, 2)) * (width - 1, height - 1)
    sample = Compose(steps)(
        {
            'img': np.zeros((height, width, 3), np.uint8),
            'bbox': whole_image_bbox(width, height),
            'bbox_score': np.ones(1, np.float32),
            'keypoints': places_px[None].astype(np.float32),
            'keypoints_visible': np.ones((1, 200), np.float32),
        }
    )
    decoded = round_trip(KEYPOINT_CODECS.build(config.codec), sample['transformed_keypoints'][0])
    region = CoarseStage((96, 128), 1.0, edge_to_edge, {}).region(width, height)
    off_px = region.to_image(decoded / (96, 128)) - places_px
    cell_px = np.array([region.width, region.height]) / (24, 32)
    assert np.abs(off_px / cell_px).max() < cells
    assert np.abs((off_px / cell_px).mean(axis=0)).max() < 0.06, 'all to one side'


@every_codec
def test_the_geometry_is_measured_and_reaches_both_pipelines(codec, edge_to_edge, cells, tmp_path):
    assert is_edge_to_edge(KEYPOINT_CODECS.build(codec), (96, 128)) is edge_to_edge
    config = load_config(recipe_with(codec, tmp_path))
    warps = [step for steps in (config.train_pipeline, config.test_pipeline) for step in steps if 'use_udp' in step]
    assert [step.use_udp for step in warps] == [edge_to_edge] * 2


@pytest.mark.parametrize('width', [32, 48, 192, 256, 1024])
def test_it_is_measured_at_every_size(width):
    sizes = {'input_size': (width, width), 'heatmap_size': (width // 4, width // 4), 'sigma': 2}
    for name, edge_to_edge in (('MSRAHeatmap', False), ('BoundedUDPHeatmap', True)):
        assert is_edge_to_edge(KEYPOINT_CODECS.build({'type': name, **sizes}), (width, width)) is edge_to_edge


def test_a_codec_that_cannot_be_measured_is_said_in_the_recipe(tmp_path):
    codec = {'type': 'NoWayBack', 'input_size': (64, 64)}
    with pytest.raises(InputError, match=r'NoWayBack.*use_udp=True'):
        load_config(recipe_with(codec, tmp_path))
    said = {'train_pipeline.TopdownAffine.use_udp': True, 'test_pipeline.TopdownAffine.use_udp': True}
    config = load_config(recipe_with(codec, tmp_path), options=said)
    assert config.test_pipeline[2].use_udp is True


def test_what_a_recipe_says_and_the_codec_contradicts_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'use_udp=False.*BoundedUDPHeatmap'):
        load_config(TINY_RECIPE, options={'test_pipeline.2.use_udp': False})
    load_config(TINY_RECIPE, options={'test_pipeline.2.use_udp': True})


def test_a_codec_is_decoded_here_unless_it_has_a_way_of_its_own():
    sizes = {'input_size': (64, 64), 'heatmap_size': (16, 16), 'sigma': 2}
    assert numpy_decoding(KEYPOINT_CODECS.build({'type': 'BoundedUDPHeatmap', **sizes}))['kind'] == 'heatmaps'
    assert numpy_decoding(KEYPOINT_CODECS.build({'type': 'MyBins', **BINS}))['kind'] == 'simcc'
    for codec in ({'type': 'MyBounded', **sizes}, {'type': 'SimCCLabel', 'use_dark': True, **BINS}):
        assert numpy_decoding(KEYPOINT_CODECS.build(codec)) is None


def test_a_simcc_codec_of_another_name_reaches_the_head(tmp_path):
    head = "model = dict(head=dict(_delete_=True, type='SimCCHead', in_channels=16))"
    config = load_config(recipe_with({'type': 'MyBins', **BINS}, tmp_path, head))
    assert config.model.head.simcc_split_ratio == 2.0 and tuple(config.model.head.input_size) == (96, 128)
