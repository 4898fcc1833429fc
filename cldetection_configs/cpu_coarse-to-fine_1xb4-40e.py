# Purpose:  the best score that a machine without a GPU trains in half an hour: a small HRNet looks at the whole X-ray
#           at 256 x 320, then two small U-Nets at patches around each landmark.
# Command:  python step3_train_and_evaluation.py cldetection_configs/cpu_coarse-to-fine_1xb4-40e.py
# Time:     29 minutes of processor time for 120 X-rays with 19 landmarks on one core of an AMD EPYC, in float32 with or
#           without AVX-512; 16 with --cfg-options arithmetic=bfloat16, which needs AVX-512. Both are 1200 steps of 1.45
#           and 0.82 s, of which five were measured. It grows with the number of landmarks.
# Score:    MRE 0.977 mm, SDR 89.2 / 93.3 / 96.1 / 98.4 %: the mean of five folds of the 150 training X-rays of
#           ISBI 2015, trained with arithmetic=bfloat16.
_base_ = [
    '_base_/runtime.py',
    '_base_/data_coarse_to_fine.py',
    '_base_/schedule.py',
    '_base_/models/hrnet_w18_small.py',
    '_base_/models/patch_refiner.py',
]

model = dict(type='CoarseToFinePoseEstimator', refiner=_base_.refiner)

codec = dict(type='BoundedUDPHeatmap', input_size=(256, 320), heatmap_size=(64, 80), sigma=2)

train_cfg = dict(by_epoch=True, max_epochs=40, val_interval=20)
train_dataloader = dict(batch_size=4, num_workers=1)
val_dataloader = dict(num_workers=1)
test_dataloader = dict(num_workers=1)

optim_wrapper = dict(optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01, fused=True))

custom_hooks = dict(
    MeanLayoutHook=dict(),
    # Validation and the saved weights use this average. Its priority is just before the other hooks'.
    EMAHook=dict(ema_type='ExponentialMovingAverage', momentum=0.01, update_buffers=True, priority=49),
)
