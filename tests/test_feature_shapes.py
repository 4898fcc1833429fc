"""What a head gets from its backbone need not be said."""

import pytest
from conftest import ROOT, TINY_RECIPE
from mmengine.model import BaseModule
from mmpose.registry import MODELS

from cephalometric.errors import InputError
from cephalometric.training.recipe import load_config


@MODELS.register_module()
class Broken(BaseModule):
    """A backbone with a mistake in it."""

    def forward(self, images):
        return images.features


def recipe(folder, model):
    path = folder / 'recipe.py'
    path.write_text(f"_base_ = '{TINY_RECIPE}'\nmodel = dict({model})\n")
    return path


def test_channels_and_size_follow_from_backbone_and_neck_and_what_is_said_stays(tmp_path):
    head = "head=dict(_delete_=True, type='{}'{})"
    config = load_config(recipe(tmp_path, head.format('SimCCHead', '')))
    assert config.model.head.in_channels == 16 and config.model.head.in_featuremap_size == (16, 16)
    pooled = "neck=dict(type='GlobalAveragePooling'), " + head.format('RegressionHead', '')
    config = load_config(recipe(tmp_path, pooled), landmark_set='isbi2015')
    assert config.model.head.in_channels == 16 and config.model.head.num_joints == 19
    config = load_config(recipe(tmp_path, head.format('HeatmapHead', ', in_channels=99')))
    assert config.model.head.in_channels == 99 and config.model.head.out_channels == 38


def test_they_are_those_that_the_recipes_have_always_said():
    config = load_config(ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py')
    assert tuple(config.model.head.in_featuremap_size) == (16, 16)


def test_what_was_found_out_is_found_out_again_where_an_option_changes_it(tmp_path):
    kept = load_config(recipe(tmp_path, "head=dict(_delete_=True, type='SimCCHead')"))
    (tmp_path / 'kept.py').write_text(kept.pretty_text)
    config = load_config(tmp_path / 'kept.py', options={'codec.input_size': (96, 64)})
    assert tuple(config.model.head.in_featuremap_size) == (24, 16)
    assert tuple(load_config(tmp_path / 'kept.py').model.head.in_featuremap_size) == (16, 16)


def test_a_backbone_that_cannot_be_tried_out_is_named(tmp_path):
    model = "backbone=dict(_delete_=True, type='Broken'), head=dict(_delete_=True, type='HeatmapHead')"
    with pytest.raises(InputError, match=r"recipe.py: model.head does not say.*no attribute 'features'"):
        load_config(recipe(tmp_path, model))
