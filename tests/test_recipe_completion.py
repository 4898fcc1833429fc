"""What a recipe says stays, what it leaves out is filled in, and only copies follow."""

import pytest
from conftest import TINY_COARSE_TO_FINE, TINY_RECIPE

from cephalometric.errors import InputError
from cephalometric.training.recipe import load_config

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def child(tmp_path, content, base=TINY_RECIPE):
    path = tmp_path / 'recipe.py'
    path.write_text(f"_base_ = '{base}'\n{content}\n")
    return path


def test_what_a_loader_says_of_itself_stays(tmp_path):
    path = child(
        tmp_path,
        "val_dataloader = dict(dataset=dict(data_root='elsewhere', pipeline=[\n"
        "    dict(type='LoadImage'), dict(type='GetBBoxCenterScale', padding=1.1), dict(type='TopdownAffine'),\n"
        "    dict(type='PackPoseInputs')]))\n"
        "model_wrapper_cfg = dict(type='MMDistributedDataParallel', find_unused_parameters=True)\n"
        "env_cfg = dict(dist_cfg=dict(backend='gloo'))\n",
    )
    config = load_config(path, data_root='mine', options={'test_pipeline.GetBBoxCenterScale.padding': 1.2})
    roots = [config[name].dataset.data_root for name in LOADERS]
    assert roots == ['mine', 'elsewhere', 'mine']
    paddings = [config[name].dataset.pipeline[1].padding for name in LOADERS]
    assert paddings == [1.0, 1.1, 1.2]
    warp = config.val_dataloader.dataset.pipeline[2]
    assert warp.use_udp is True and warp.input_size == config.codec.input_size, 'what it leaves out is filled in'
    assert config.model_wrapper_cfg.find_unused_parameters and config.env_cfg.dist_cfg.backend == 'gloo'


def test_what_a_head_says_of_itself_stays(tmp_path):
    decoder = "dict(type='BoundedUDPHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=3)"
    config = load_config(child(tmp_path, f'model = dict(head=dict(out_channels=38, decoder={decoder}))'))
    assert config.model.head.decoder.sigma == 3 and config.codec.sigma == 2


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ('model = dict(head=dict(out_channels=7))', r'out_channels = 7, but cldetection2023 has 38'),
        (
            'train_pipeline = dict(TopdownAffine=dict(input_size=(32, 32)))',
            r'train_pipeline\.3: \w+ says input_size = \(32, 32\), and the codec \(64, 64\)',
        ),
        ("val_dataloader = dict(dataset=dict(landmark_set='isbi2015'))", 'a model has one landmark set'),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, content, expected):
    with pytest.raises(InputError, match=expected) as error:
        load_config(child(tmp_path, content))
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('base', [TINY_RECIPE, TINY_COARSE_TO_FINE])
def test_a_completed_config_is_changed_as_its_recipe_is(tmp_path, base):
    """By options, data root and landmark set: what was filled in follows."""
    load_config(base, 'old').dump(tmp_path / 'complete.py')
    options = {
        'codec.sigma': 1.5,
        'codec.input_size': (128, 96),
        'codec.heatmap_size': (32, 24),
        'train_pipeline.RandomBBoxTransform.rotate_factor': 3,
        'test_pipeline.GetBBoxCenterScale.padding': 1.1,
        'train_cfg.max_epochs': 6,
        'param_scheduler.ConstantLR.factor': 0.5,
    }
    if base == TINY_COARSE_TO_FINE:
        options |= {'patch_codec.patch_size': 48, 'views.0.resolution_mm': 2.0}
    changed = load_config(tmp_path / 'complete.py', 'new', 'isbi2015', options)
    assert changed.to_dict() == load_config(base, 'new', 'isbi2015', options).to_dict()


def test_an_option_for_the_data_root_means_what_it_says(monkeypatch):
    monkeypatch.setenv('CEPHALOMETRIC_DATA_ROOT', 'by_environment')
    config = load_config(TINY_RECIPE, options=['data_root=by_option'])
    assert {config.data_root, *(config[name].dataset.data_root for name in LOADERS)} == {'by_option'}


def test_what_a_run_needs_is_added_once(tmp_path):
    path = child(
        tmp_path, "custom_hooks = [dict(type='CurvesHook', priority=90)]\ncustom_imports = dict(imports='csv')"
    )
    config = load_config(path)
    hooks = [hook.type for hook in config.custom_hooks]
    assert hooks == ['CurvesHook', 'EpochSeedHook', 'ProgressBarHook', 'BestWeightsHook']
    assert config.custom_imports.imports == ['csv', 'cephalometric.training', 'cephalometric.models']


def test_a_head_that_counts_joints_gets_their_number(tmp_path):
    path = child(
        tmp_path,
        "codec = dict(_delete_=True, type='RegressionLabel', input_size=(64, 64))\n"
        "model = dict(head=dict(_delete_=True, type='RegressionHead', in_channels=16))\n",
    )
    head = load_config(path).model.head
    assert head.num_joints == 38 and head.decoder.type == 'RegressionLabel' and 'out_channels' not in head
