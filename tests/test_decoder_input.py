"""What heads give to their codecs: MMPose's regression heads learn, are exported, and find the same by every way."""

import numpy as np
import pytest
import torch
from conftest import TINY_RECIPE
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator
from mmpose.models.heads import HeatmapHead
from mmpose.registry import DATASETS, MODELS

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.models.decoder_input import decoding_of
from cephalometric.prediction.predict_onnx import Model as StandAlone
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.training.model_writing import largest_distance_px, write_model
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model, sample_metainfo

POOLED = "neck=dict(type='GlobalAveragePooling'), "
LABELS = "dict(_delete_=True, type='RegressionLabel', input_size=(64, 64))"
BOTH = "dict(_delete_=True, type='IntegralRegressionLabel', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)"
INTEGRAL = ('', BOTH, "type='IntegralRegressionHead', deconv_out_channels=None")
REGRESSION = {
    'RegressionHead': (POOLED, LABELS, "type='RegressionHead'"),
    'RLEHead': (POOLED, LABELS, "type='RLEHead'"),
    'IntegralRegressionHead': INTEGRAL,
    'DSNTHead': ('', BOTH, "type='DSNTHead', deconv_out_channels=None"),
}


@MODELS.register_module()
class MovingHead(HeatmapHead):
    """It moves what its codec has found: no codec says so."""

    def decode(self, batch_outputs):
        found = super().decode(batch_outputs)
        for instances in found:
            instances.keypoints = instances.keypoints + 3
        return found


@MODELS.register_module()
class SingleHead(HeatmapHead):
    """It has its codec decode one X-ray after another."""

    def decode(self, batch_outputs):
        return [super(SingleHead, self).decode(output[None])[0] for output in batch_outputs]


def recipe(folder, neck, codec, head):
    path = folder / 'recipe.py'
    path.write_text(
        f"_base_ = '{TINY_RECIPE}'\ncodec = {codec}\nmodel = dict({neck}head=dict(_delete_=True, {head}))\n"
    )
    return path


@pytest.mark.parametrize('name', REGRESSION)
def test_a_regression_head_of_mmpose_learns_and_predicts_the_same_by_every_way(name, data_root, tmp_path):
    config = load_config(recipe(tmp_path, *REGRESSION[name]), str(data_root))
    torch.manual_seed(0)
    model = build_pose_estimator(config.model)
    data = DATASETS.build(config.train_dataloader.dataset)
    batch = model.data_preprocessor(pseudo_collate([data[0], data[1]]), training=True)
    losses = model.loss(batch['inputs'], batch['data_samples'])
    assert losses['loss_kpt'] > 0
    losses['loss_kpt'].backward()
    assert all(torch.isfinite(each.grad).all() for each in model.parameters() if each.grad is not None)
    labelled = load_coco(data_root / 'test.json')
    xrays = [read_image(labelled, image) for image in labelled.images]
    description = write_model(config, {'state_dict': model.state_dict()}, tmp_path / 'm', check_on=xrays)
    assert description.coarse.decoding == {'kind': 'coordinates'} and description.networks == ('search.onnx',)
    assert not description.coarse.edge_to_edge
    assert largest_distance_px(tmp_path / 'm', xrays) < 0.01
    found = TrainedModel([tmp_path / 'm'], backend='onnxruntime').predictor.predict(xrays[0])
    assert (found.scores < 1).all() if name == 'RLEHead' else (found.scores == 1).all()
    alone = np.array(list(StandAlone(tmp_path / 'm').predict(xrays[0]).values()))
    assert np.abs(alone - found.points_px).max() < 0.5


def test_a_head_that_does_more_than_its_codec_is_left_to_pytorch(tmp_path):
    heatmaps = 'dict()', "type='{}', deconv_out_channels=None"
    kinds = {}
    for name in ('HeatmapHead', 'MovingHead', 'SingleHead'):
        config = load_config(recipe(tmp_path, '', heatmaps[0], heatmaps[1].format(name)))
        assert config.model.head.in_channels == 16
        model = build_model(config)
        kinds[name] = decoding_of(model, sample_metainfo((64, 64), 38))['kind']
        model.test_cfg['flip_test'] = True
        assert decoding_of(model, sample_metainfo((64, 64), 38)) == {'kind': 'points'}
    assert kinds == {'HeatmapHead': 'heatmaps', 'MovingHead': 'points', 'SingleHead': 'points'}
