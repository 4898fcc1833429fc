# Purpose:  make demo: the CPU recipe at three quarters of its resolution, on the synthetic X-rays.
# Command:  python step3_train_and_evaluation.py cldetection_configs/demo_hrnet-w18s_udp-1xb8-30e-192x224.py
_base_ = 'cpu_hrnet-w18s_udp-1xb8-45e-256x320.py'

codec = dict(input_size=(192, 224), heatmap_size=(48, 56))

train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(type='LinearLR', begin=0, end=20, start_factor=0.01, by_epoch=False),
    dict(type='CosineAnnealingLR', begin=0, end=30, T_max=30, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
