# Purpose:  make demo: the CPU recipe at three quarters of its resolution, on the synthetic X-rays.
# Command:  python step3_train_and_evaluation.py cldetection_configs/demo_hrnet-w18s_udp-1xb4-30e-192x224.py
_base_ = 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py'

codec = dict(input_size=(192, 224), heatmap_size=(48, 56))

train_cfg = dict(max_epochs=30)
# 15 steps an epoch: in 8 a landmark or two may not be found by the end, the one or the other by the seed.
train_dataloader = dict(batch_size=4)
param_scheduler = dict(LinearLR=dict(end=40))
auto_scale_lr = dict(base_batch_size=4)
