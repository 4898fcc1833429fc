# The coarse-to-fine CPU recipe made tiny, for tests that train for real in seconds. Its patches are coarse, because the
# X-rays of the tests are.
_base_ = '../cldetection_configs/cpu_coarse-to-fine_1xb4-40e.py'

codec = dict(input_size=(64, 64), heatmap_size=(16, 16))
model = dict(refiner=dict(backbone=dict(channels=(8, 16, 24))))
patch_codec = dict(patch_size=32)
views = [dict(resolution_mm=1.6, jitter_mm=4), dict(resolution_mm=1.0, jitter_mm=3)]

train_cfg = dict(max_epochs=2, val_interval=1)
train_dataloader = dict(batch_size=3)
val_dataloader = dict(batch_size=2)
param_scheduler = [dict(type='ConstantLR', factor=1.0, begin=0, end=2)]
