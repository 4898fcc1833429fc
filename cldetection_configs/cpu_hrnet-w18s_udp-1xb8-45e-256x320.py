# Purpose:  a laptop without a GPU: a small HRNet from scratch in minutes, the floor that every other recipe must beat.
# Command:  python step3_train_and_evaluation.py cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py
_base_ = ['_base_/runtime.py', '_base_/data.py', '_base_/schedule.py', '_base_/models/hrnet_w18_small.py']

codec = dict(type='BoundedUDPHeatmap', input_size=(256, 320), heatmap_size=(64, 80), sigma=2)

train_cfg = dict(by_epoch=True, max_epochs=45, val_interval=5)
train_dataloader = dict(num_workers=1)
val_dataloader = dict(num_workers=1)
test_dataloader = dict(num_workers=1)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = dict(
    LinearLR=dict(end=50, start_factor=0.01),
    CosineAnnealingLR=dict(eta_min_ratio=0.01),
)
auto_scale_lr = dict(base_batch_size=8)
