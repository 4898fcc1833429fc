"""Configs in the form of the challenge's MMPose baseline: complete in themselves, and accepted as they are."""

import json
import sys

import pytest
import torch
from conftest import ROOT
from mmengine.dataset import Compose, pseudo_collate
from mmpose.registry import DATASETS, MODELS

from cephalometric.errors import InputError
from cephalometric.training.known_harm import notes_on
from cephalometric.training.recipe import load_config

# Everything stands in one file, by Python's variables, with MMPose's own hooks and no word of this toolkit's.
RUN = """
default_scope = 'mmpose'
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=1),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=2, save_best='SDR 2.0mm', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PoseVisualizationHook', enable=False),
)
custom_hooks = [dict(type='SyncBuffersHook')]
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='PoseLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False
backend_args = dict(backend='local')
train_cfg = dict(by_epoch=True, max_epochs=250, val_interval=2)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.0005))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=500, start_factor=0.001, by_epoch=False),
    dict(type='MultiStepLR', begin=0, end=210, milestones=[170, 200], gamma=0.1, by_epoch=True),
]
auto_scale_lr = dict(base_batch_size=512)
"""
HEATMAPS = """
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=2)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        type='HRNet',
        in_channels=3,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(8,)),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1), num_channels=(8, 16)),
            stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1,) * 3, num_channels=(8, 16, 32)),
            stage4=dict(
                num_modules=1, num_branches=4, block='BASIC', num_blocks=(1,) * 4, num_channels=(8, 16, 32, 64)
            ),
        ),
    ),
    head=dict(
        type='HeatmapHead', in_channels=8, out_channels=38, deconv_out_channels=None, loss=LOSS, decoder=codec
    ),
    test_cfg=dict(flip_test=False, flip_mode='heatmap', shift_heatmap=True),
)
more = []
"""
BINS = """
codec = dict(
    type='SimCCLabel', input_size=(64, 64), sigma=(2, 2), simcc_split_ratio=2.0, normalize=False, use_dark=False
)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        _scope_='mmdet',
        type='CSPNeXt',
        arch='P5',
        expand_ratio=0.5,
        deepen_factor=0.17,
        widen_factor=0.125,
        out_indices=(4,),
        channel_attention=True,
        norm_cfg=dict(type='SyncBN'),
        act_cfg=dict(type='SiLU'),
    ),
    head=dict(
        type='RTMCCHead',
        in_channels=128,
        out_channels=38,
        input_size=codec['input_size'],
        in_featuremap_size=tuple([s // 32 for s in codec['input_size']]),
        simcc_split_ratio=codec['simcc_split_ratio'],
        final_layer_kernel_size=1,
        gau_cfg=dict(
            **dict(hidden_dims=16, s=8, expansion_factor=2, dropout_rate=0.0, drop_path=0.0, act_fn='SiLU'),
            **dict(use_rel_bias=False, pos_enc=False),
        ),
        loss=LOSS,
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
)
drop = dict(
    type='CoarseDropout', max_holes=1, max_height=0.2, max_width=0.2, min_holes=1, min_height=0.1, min_width=0.1, p=1.0
)
more = [
    dict(type='RandomBBoxTransform', scale_factor=[0.8, 1.2], rotate_factor=30),
    dict(type='Albumentation', transforms=[dict(type='Blur', p=0.1), dict(type='MedianBlur', p=0.1), drop]),
]
"""
DATA = """
dataset_type = 'CephalometricDataset'
data_mode = 'topdown'
data_root = '/data/of/somebody/else'
meta_keys = (
    *('id', 'img_id', 'img_path', 'category_id', 'crowd_index', 'ori_shape', 'img_shape', 'input_size', 'input_center'),
    *('input_scale', 'flip', 'flip_direction', 'flip_indices', 'raw_ann_info', 'spacing'),
)
train_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='RandomFlip', direction='horizontal'),
    *more,
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs', meta_keys=meta_keys),
]
val_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs', meta_keys=meta_keys),
]
data = dict(type=dataset_type, data_root=data_root, data_mode='topdown', data_prefix=dict(img='MMPose/'))
train_dataloader = dict(
    batch_size=3,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(ann_file='train.json', pipeline=train_pipeline, **data),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(ann_file='valid.json', test_mode=True, pipeline=val_pipeline, **data),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(ann_file='test.json', test_mode=True, pipeline=val_pipeline, **data),
)
val_evaluator = dict(type='CephalometricMetric')
test_evaluator = val_evaluator
"""
SWITCH = """
train_pipeline_stage2 = train_pipeline[:2] + train_pipeline[3:]
custom_hooks = [
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True, priority=49),
    dict(type='mmdet.PipelineSwitchHook', switch_epoch=230, switch_pipeline=train_pipeline_stage2),
]
"""
FORMS = {
    'mean_squared': RUN + HEATMAPS.replace('LOSS', "dict(type='KeypointMSELoss', use_target_weight=True)") + DATA,
    'adaptive_wing': RUN + HEATMAPS.replace('LOSS', "dict(type='AdaptiveWingLoss', alpha=2.1, omega=14)") + DATA,
    'bins': RUN
    + BINS.replace('LOSS', "dict(type='KLDiscretLoss', use_target_weight=True, beta=10.0, label_softmax=True)")
    + DATA
    + SWITCH,
}
every_form = pytest.mark.parametrize('form', FORMS)


@pytest.fixture
def baseline(tmp_path):
    """Writes a config in one of the three forms."""

    def written(form):
        path = tmp_path / f'{form}.py'
        path.write_text(FORMS[form])
        return path

    return written


@pytest.fixture(scope='module')
def data(data_root, tmp_path_factory):
    """The prepared data with the images in MMPose/, too."""
    folder = tmp_path_factory.mktemp('baseline')
    (folder / 'MMPose').mkdir()
    for place in (folder, folder / 'MMPose'):
        (place / 'images').symlink_to(data_root / 'images')
    for part in ('train', 'valid', 'test'):
        (folder / f'{part}.json').symlink_to(data_root / f'{part}.json')
    return folder


@every_form
def test_what_it_says_holds_and_what_it_leaves_out_is_filled_in(baseline, form):
    config = load_config(baseline(form), data_root='mine')
    assert config.landmark_set == 'cldetection2023'
    assert (config.train_cfg.max_epochs, config.train_cfg.val_interval) == (250, 2)
    assert config.train_dataloader.batch_size == 3 and config.val_dataloader.batch_size == 4
    assert config.param_scheduler[1].milestones == [170, 200] and config.param_scheduler[1].end == 210
    checkpoint = config.default_hooks.checkpoint
    assert (checkpoint.type, checkpoint.interval, checkpoint.save_best) == ('CheckpointHook', 2, 'SDR 2.0mm')
    for name in ('train', 'val', 'test'):
        dataset = config[f'{name}_dataloader'].dataset
        assert (dataset.data_root, dataset.landmark_set) == ('mine', 'cldetection2023')
        boxes = [step for step in dataset.pipeline if step.type == 'GetBBoxCenterScale']
        assert [step.get('padding') for step in boxes] == ([1.0] if name == 'train' else [None])
        assert [step.use_udp for step in dataset.pipeline if step.type == 'TopdownAffine'] == [False]
    assert [step.type for step in config.train_dataloader.dataset.pipeline].count('RandomFlip') == 1
    hooks = [hook.type for hook in config.custom_hooks]
    assert {'EpochSeedHook', 'CurvesHook', 'ProgressBarHook', 'BestWeightsHook'} < set(hooks)


@every_form
def test_what_hurts_is_noted_and_the_remedies_are_heard(baseline, form):
    notes = notes_on(load_config(baseline(form)))
    wanted = ['RandomFlip', 'padding 1.25 in testing and 1 in training']
    wanted += ['flip_test'] if form == 'bins' else []
    wanted += ['AdaptiveWingLoss'] if form == 'adaptive_wing' else []
    assert len(notes) == len(wanted)
    assert all(any(word in note for note in notes) for word in wanted)
    remedies = [note.rpartition('--cfg-options ')[2] for note in notes]
    assert notes_on(load_config(baseline(form), options=remedies)) == []


def test_the_recipes_of_the_toolkit_have_nothing_that_hurts():
    for path in sorted((ROOT / 'cldetection_configs').glob('*.py')):
        assert notes_on(load_config(path)) == []


def test_other_landmarks_than_the_head_has_are_refused_and_a_number_that_no_set_has_too(baseline):
    path = baseline('mean_squared')
    with pytest.raises(InputError, match=r'out_channels = 38, but isbi2015 has 19 .*model\.head\.out_channels=19'):
        load_config(path, landmark_set='isbi2015')
    config = load_config(path, landmark_set='isbi2015', options={'model.head.out_channels': 19})
    assert config.train_dataloader.dataset.landmark_set == 'isbi2015'
    with pytest.raises(InputError, match=r'finds 7 landmarks, which none .*--landmarks'):
        load_config(path, options={'model.head.out_channels': 7})


def test_options_reach_what_was_copied_by_a_variable(baseline):
    options = {
        'codec.sigma': 1,
        'codec.input_size': (128, 64),
        'codec.heatmap_size': (32, 16),
        'val_pipeline.GetBBoxCenterScale.padding': 1.0,
    }
    config = load_config(baseline('mean_squared'), options=options)
    assert config.model.head.decoder == config.codec and config.codec.sigma == 1
    for name in ('train', 'val', 'test'):
        steps = {step.type: step for step in config[f'{name}_dataloader'].dataset.pipeline}
        assert steps['TopdownAffine'].input_size == (128, 64) and steps['GetBBoxCenterScale'].padding == 1.0
        assert name != 'train' or steps['GenerateTarget'].encoder == config.codec


def test_rtmpose_is_built_and_learns(baseline, data):
    config = load_config(baseline('bins'), data_root=str(data))
    hook = next(hook for hook in config.custom_hooks if hook.type == 'PipelineSwitchHook')
    steps = {step.type: step for step in hook.switch_pipeline}
    assert 'RandomFlip' not in steps and steps['TopdownAffine'].use_udp is False
    dataset = DATASETS.build(config.train_dataloader.dataset)
    model = MODELS.build(config.model)
    samples = [dataset[0], Compose(hook.switch_pipeline)(dataset.get_data_info(1))]
    losses = model.loss(**model.data_preprocessor(pseudo_collate(samples), training=True))
    assert torch.isfinite(losses['loss_kpt'])


def step(name, monkeypatch, *words):
    import importlib

    monkeypatch.setattr(sys, 'argv', [name, *map(str, words)])
    importlib.import_module(name).main()


def test_it_is_trained_tested_and_predicts(baseline, data, phantom_stack, tmp_path, monkeypatch, capsys):
    path, work_dir = baseline('mean_squared'), tmp_path / 'run'
    options = [f'{part}_dataloader.num_workers=0' for part in ('train', 'val', 'test')]
    options += ['train_cfg.max_epochs=1', 'param_scheduler.LinearLR.end=2']
    step(
        'step3_train_and_evaluation',
        monkeypatch,
        path,
        '--data-root',
        data,
        '--work-dir',
        work_dir,
        '--cfg-options',
        *options,
    )
    said = capsys.readouterr().out
    assert said.count('Note: ') == 2 and said.count('RandomFlip.prob=0.0') == 1
    assert (work_dir / 'best_SDR 2.0mm_epoch_1.pth').is_file() and (work_dir / 'curves.csv').is_file()
    kept = load_config(work_dir / path.name)
    assert kept.default_hooks.checkpoint.type == 'CheckpointHook' and kept.env_cfg.dist_cfg.backend == 'nccl'

    checkpoint = work_dir / 'best_SDR 2.0mm_epoch_1.pth'
    words = [path, checkpoint, '--data-root', data, '--out', tmp_path / 'scores.json']
    step('step4_test_and_visualize', monkeypatch, *words)
    assert json.loads((tmp_path / 'scores.json').read_text())['MRE'] > 0
    words = [
        '--config_file',
        path,
        '--load_weight_path',
        checkpoint,
        '--load_mha_path',
        phantom_stack / 'train_stack.mha',
    ]
    step('step5_predict_expected_output', monkeypatch, *words, '--save_json_path', tmp_path / 'expected.json')
    assert len(json.loads((tmp_path / 'expected.json').read_text())['points']) == 11 * 38
