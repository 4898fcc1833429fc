# How a run goes, whatever is trained: registration, hooks, logging, checkpoints.
default_scope = 'mmpose'
custom_imports = dict(imports=['cephalometric.training', 'cephalometric.models'])

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='ResumableCheckpointHook',
        interval=1,
        # Not 1: MMEngine removes the oldest checkpoint before it writes the next one.
        max_keep_ckpts=2,
        save_best='MRE',
        backend_args=dict(backend='atomic'),
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
# Each by its type: a recipe adds one by its name, and leaves one out by NAME=None.
custom_hooks = dict(
    EpochSeedHook=dict(),
    SyncBuffersHook=dict(),
    CurvesHook=dict(),
    ProgressBarHook=dict(),
    BestWeightsHook=dict(),
)

# What networks compute in while they train: 'float32' on any machine; 'bfloat16', which newer processors and GPUs have
# and others refuse; or 'auto', bfloat16 where it is there. The log says what it is and why.
arithmetic = 'float32'

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(),  # nccl on GPUs, gloo without: each run finds out
)

# TensorBoard and the like: add dict(type='TensorboardVisBackend') to the list.
visualizer = dict(type='PoseLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=2023)

val_cfg = dict()
test_cfg = dict()
