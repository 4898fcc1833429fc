# Purpose:  the best score, with one GPU: HRNet-W32 looks at the whole X-ray at 512 x 512, then wider U-Nets at patches
#           around each landmark, two for each of two sizes.
# Command:  python step3_train_and_evaluation.py cldetection_configs/gpu_coarse-to-fine_1xb16-120e.py --amp
# Time:     1125 steps of 16 images on 150 images; not measured here: needs a GPU.
# Score:    not measured here: needs a GPU. Reduced to 4 images of 256 x 320 a step and two refiners it had 2.1 mm and
#           75.3 % within 2 mm after 60 steps, where the CPU recipe had 21.7 mm and 27.5 % (benchmarks/RESULTS.md).
_base_ = [
    '_base_/runtime.py',
    '_base_/data_coarse_to_fine.py',
    '_base_/schedule.py',
    '_base_/models/hrnet_w32.py',
    '_base_/models/patch_refiner.py',
]

model = dict(
    type='CoarseToFinePoseEstimator',
    refiner=_base_.refiner,
    # As in the CPU recipe: it learns from the first step on, with or without pretrained weights.
    head=dict(type='SoftmaxHeatmapHead', loss=dict(_delete_=True, type='HeatmapCrossEntropyLoss')),
)
model['refiner']['backbone'].update(channels=(64, 128, 256, 320))
views = [*_base_.views, *_base_.views]

codec = dict(type='BoundedUDPHeatmap', input_size=(512, 512), heatmap_size=(128, 128), sigma=2)

train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=10)
train_dataloader = dict(batch_size=16, num_workers=8)

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01))

custom_hooks = dict(
    MeanLayoutHook=dict(),
    # Validation and the saved weights use this average. Its priority is just before the other hooks'.
    EMAHook=dict(ema_type='ExponentialMovingAverage', momentum=0.01, update_buffers=True, priority=49),
)
