# HRNet-W32 (K. Sun et al., arXiv 1902.09212) with one 1 x 1 convolution that makes a heatmap of each landmark at a
# quarter of the input's resolution.
_base_ = 'topdown.py'

model = dict(
    backbone=dict(
        type='HRNet',
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(4,), num_channels=(64,)),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(4, 4), num_channels=(32, 64)),
            stage3=dict(num_modules=4, num_branches=3, block='BASIC', num_blocks=(4,) * 3, num_channels=(32, 64, 128)),
            stage4=dict(
                num_modules=3, num_branches=4, block='BASIC', num_blocks=(4,) * 4, num_channels=(32, 64, 128, 256)
            ),
        ),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmpose/pretrain_models/hrnet_w32-36af842e.pth',
        ),
    ),
    head=dict(
        type='HeatmapHead',
        in_channels=32,
        deconv_out_channels=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
)
