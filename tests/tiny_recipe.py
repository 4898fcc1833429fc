# The CPU recipe made tiny, for tests that train for real in seconds.
_base_ = '../cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py'

codec = dict(input_size=(64, 64), heatmap_size=(16, 16))

train_cfg = dict(max_epochs=3, val_interval=1)
train_dataloader = dict(batch_size=4)
val_dataloader = dict(batch_size=2)
param_scheduler = [dict(type='ConstantLR', factor=1.0, begin=0, end=3)]
