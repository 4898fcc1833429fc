"""The recipes in cldetection_configs/: complete, saying each thing once, and what their names say."""

import re
import tokenize
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import MODELS

from cephalometric.landmarks import built_in_landmark_sets, load_landmark_set
from cephalometric.training.config_reading import read_config
from cephalometric.training.recipe import load_config
from cephalometric.training.recipe_completion import transforms_of

CONFIGS = Path(__file__).parents[1] / 'cldetection_configs'
RECIPES = sorted(CONFIGS.glob('*.py'))
FILES = sorted(CONFIGS.rglob('*.py'))
NAME = re.compile(r'(?P<model>.+)[-_]\d+xb\d+-(?P<epochs>\d+)e-(?P<width>\d+)x(?P<height>\d+)(_(?P<loss>\w+))?')

NAMED = [path for path in RECIPES if NAME.fullmatch(path.stem)]

every_recipe = pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
every_file = pytest.mark.parametrize('path', FILES, ids=lambda path: path.relative_to(CONFIGS).as_posix())


def transforms(config, kind):
    pipelines = {name: config[f'{name}_dataloader'].dataset.pipeline for name in ('train', 'val', 'test')}
    return {name: [step for step in steps if step.type == kind] for name, steps in pipelines.items()}


def test_the_baseline_recipes_are_there():
    assert {path.stem for path in RECIPES} >= {
        'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss',
        'td-hm_hrnet-w32_udp-8xb64-250e-512x512_AdaptiveWingLoss',
        'rtmpose-m_8xb256-420e-512x512',
    }


@every_recipe
def test_the_header_says_purpose_and_command(path):
    header = path.read_text(encoding='utf-8').partition('_base_')[0]
    assert header.startswith('# Purpose: ')
    assert 'step3_train_and_evaluation.py' in header and f'cldetection_configs/{path.name}' in header


@every_file
def test_no_config_counts_landmarks_or_names_a_place_on_a_disk(path):
    counts = {str(len(load_landmark_set(name))) for name in built_in_landmark_sets()}
    with tokenize.open(path) as file:
        tokens = list(tokenize.generate_tokens(file.readline))
    assert not counts & {token.string for token in tokens if token.type == tokenize.NUMBER}
    assert not [token.string for token in tokens if token.type == tokenize.STRING and token.string[1] in '/~']


@every_recipe
def test_a_recipe_leaves_to_load_config_what_follows_from_codec_and_landmark_set(path):
    recipe = read_config(path)
    assert not {'out_channels', 'decoder', 'input_size', 'in_featuremap_size', 'simcc_split_ratio'} & set(
        recipe.model.head
    )
    for transform in (*recipe.train_pipeline, *recipe.test_pipeline):
        assert not {'input_size', 'use_udp', 'encoder'} & set(transform)
    for name in ('train', 'val', 'test'):
        assert not {'data_root', 'landmark_set', 'pipeline'} & set(recipe[f'{name}_dataloader'].dataset)


@every_recipe
@pytest.mark.parametrize('landmark_set', built_in_landmark_sets())
def test_the_landmark_set_is_one_argument(path, landmark_set):
    config = load_config(path, landmark_set=landmark_set)
    assert config.model.head.out_channels == len(load_landmark_set(landmark_set))
    assert {config[f'{name}_dataloader'].dataset.landmark_set for name in ('train', 'val', 'test')} == {landmark_set}


@every_recipe
def test_training_and_testing_see_the_same_part_of_the_image_the_same_way_round(path):
    config = load_config(path)
    assert {
        name: [step.padding for step in steps] for name, steps in transforms(config, 'GetBBoxCenterScale').items()
    } == {
        'train': [1.0],
        'val': [1.0],
        'test': [1.0],
    }
    assert not any(transforms(config, 'RandomFlip').values())
    assert not config.model.test_cfg.get('flip_test', False)
    warps = {place[0]: (warp.input_size, warp.use_udp) for place, warp in transforms_of(config, TopdownAffine)}
    assert {'train_dataloader', 'val_dataloader', 'test_dataloader'} < set(warps) and len(set(warps.values())) == 1


@pytest.mark.parametrize('path', NAMED, ids=lambda path: path.stem)
def test_a_recipe_is_what_its_name_says(path):
    said = NAME.fullmatch(path.stem)
    config = load_config(path)
    assert config.train_cfg.max_epochs == int(said['epochs'])
    assert tuple(config.codec.input_size) == (int(said['width']), int(said['height']))
    uses_udp = '_udp' in said['model']
    assert config.codec.type.endswith('UDPHeatmap') == uses_udp
    assert all(warp.use_udp == uses_udp for _, warp in transforms_of(config, TopdownAffine))
    if said['loss']:
        assert config.model.head.loss.type == said['loss']
    if width := re.search(r'hrnet-w(\d+)_', path.stem):
        branches = tuple(int(width[1]) * factor for factor in (1, 2, 4, 8))
        assert config.model.backbone.extra.stage4.num_channels == branches
        assert f'_w{width[1]}-' in config.model.backbone.init_cfg.checkpoint


def small_model_and_pipeline(path):
    """The recipe's model without pretrained weights and its training pipeline, both at 128 x 128."""
    codec = Config.fromfile(str(path)).codec
    options = {'codec.input_size': (128, 128)}
    if 'heatmap_size' in codec:
        options['codec.heatmap_size'] = (32, 32)
    config = load_config(path, options=options)
    config.model.backbone.init_cfg = None
    torch.manual_seed(0)
    return MODELS.build(config.model), Compose(config.train_pipeline)


def outputs_of(head):
    """A list that gets the head's outputs, each (B, K, ...), with their gradients, when the head runs."""
    outputs, forward = [], head.forward

    def noted_forward(features):
        result = forward(features)
        outputs.extend(result if isinstance(result, tuple) else (result,))
        for output in outputs:
            output.retain_grad()
        return result

    head.forward = noted_forward
    return outputs


def losses_of(model, pipeline, points_px, visible):
    samples = []
    for seed in (1, 2):
        np.random.seed(seed)
        sample = {
            'img': np.random.randint(0, 255, (150, 120, 3), np.uint8),
            'bbox': np.array([[0, 0, 119, 149]], np.float32),
            'bbox_score': np.ones(1, np.float32),
            'keypoints': points_px[None].astype(np.float32),
            'keypoints_visible': visible[None].astype(np.float32),
            'spacing': 1.5,
            'mean_layout_mm': 1.5 * points_px,
        }
        samples.append(pipeline(sample))
    batch = model.data_preprocessor(pseudo_collate(samples), training=True)
    return model.loss(**batch)


@every_recipe
def test_one_training_step_teaches_everything_but_a_missing_landmark(path):
    model, pipeline = small_model_and_pipeline(path)
    outputs = outputs_of(model.head)
    points_px = np.random.default_rng(0).uniform((30, 30), (90, 120), (model.head.out_channels, 2))
    visible = np.ones(len(points_px))
    visible[1] = 0
    losses = losses_of(model, pipeline, points_px, visible)
    sum(loss for name, loss in losses.items() if name.startswith('loss')).backward()

    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert [name for name, value in gradients.items() if value is None or not value.isfinite().all()] == []
    assert outputs
    for output in outputs:
        taught = output.grad.flatten(2).any(dim=2)
        assert not taught[:, 1].any()
        assert taught[:, 0].all() and taught[:, 2:].all()
