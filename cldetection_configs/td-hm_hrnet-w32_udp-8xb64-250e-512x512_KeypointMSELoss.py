# Purpose:  HRNet-W32 with unbiased heatmaps (UDP) at 512 x 512, the accurate baseline.
# Command:  python step3_train_and_evaluation.py \
#               cldetection_configs/td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss.py
# Memory:   28.5 million parameters; about 7 GB of GPU memory at batch 8, computed from the 771 MiB an image that the
#           backward pass keeps, not measured on a GPU. On a card that also drives a screen, say --amp or
#           --cfg-options train_dataloader.batch_size=6.
# Time:     9500 steps of 8 images on 300 images; not measured here: needs a GPU.
# Score:    not measured here: needs a GPU.
_base_ = ['_base_/runtime.py', '_base_/data.py', '_base_/models/hrnet_w32.py']

codec = dict(type='BoundedUDPHeatmap', input_size=(512, 512), heatmap_size=(128, 128), sigma=2)

train_cfg = dict(by_epoch=True, max_epochs=250, val_interval=2)
train_dataloader = dict(batch_size=8)

optim_wrapper = dict(optimizer=dict(type='Adam', lr=5e-4))
# The milestones are parts of all epochs.
param_scheduler = dict(
    LinearLR=dict(begin=0, end=500, start_factor=0.001, by_epoch=False),
    MultiStepLR=dict(begin=0, milestones=[0.68, 0.8], gamma=0.1, by_epoch=True),
)
# The learning rate comes from the 8 GPUs x 64 images of the recipe's name. One GPU keeps it as it is: --auto-scale-lr
# is for batches near that size, and would divide it by 64 at batch 8. On several GPUs, --cfg-options sync_bn=torch lets
# them share the batch's statistics; it is not the default because it does not run on a CPU.
auto_scale_lr = dict(base_batch_size=512)
