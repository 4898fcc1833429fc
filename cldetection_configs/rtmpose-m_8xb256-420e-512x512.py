# Purpose:  RTMPose-m at 512 x 512, the light baseline: half of HRNet-W32's parameters.
# Command:  python step3_train_and_evaluation.py cldetection_configs/rtmpose-m_8xb256-420e-512x512.py
# Memory:   14.7 million parameters; about 6 GB of GPU memory at batch 16, computed from the 338 MiB an image that the
#           backward pass keeps, not measured on a GPU.
# Time:     7980 steps of 16 images on 300 images; not measured here: needs a GPU.
# Score:    not measured here: needs a GPU.
_base_ = ['_base_/runtime.py', '_base_/data.py', '_base_/schedule.py', '_base_/models/rtmpose_m.py']

codec = dict(
    type='SimCCLabel', input_size=(512, 512), sigma=(12, 12), simcc_split_ratio=2.0, normalize=False, use_dark=False
)

train_pipeline = dict(RandomCutout=dict(_before_='GenerateTarget'))

train_cfg = dict(by_epoch=True, max_epochs=420, val_interval=2)
train_dataloader = dict(batch_size=16)

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=5e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
)
# Constant for the first half, then a cosine down to a twentieth.
param_scheduler = dict(
    LinearLR=dict(end=1000, start_factor=1e-5),
    CosineAnnealingLR=dict(begin=0.5, eta_min_ratio=0.05),
)
# The name's 8 x 256 images are RTMPose's; its published learning rates are for 1024, half of that. One GPU keeps the
# learning rate as it is: --auto-scale-lr is for batches near that size.
auto_scale_lr = dict(base_batch_size=1024)

custom_hooks = dict(
    # Validation and the saved weights use this average. Its priority is just before the other hooks'.
    EMAHook=dict(ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True, priority=49),
)
