# HRNet-W18-small (K. Sun et al., arXiv 1902.09212) with one 1 x 1 convolution that makes a heatmap of each landmark at
# a quarter of the input's resolution: small enough to train on a CPU. There are no pretrained weights for it here.
_base_ = 'topdown.py'

model = dict(
    backbone=dict(
        type='HRNet',
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1,), num_channels=(32,)),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(2, 2), num_channels=(16, 32)),
            stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(2, 2, 2), num_channels=(16, 32, 64)),
            stage4=dict(
                num_modules=1, num_branches=4, block='BASIC', num_blocks=(2, 2, 2, 2), num_channels=(16, 32, 64, 128)
            ),
        ),
    ),
    head=dict(
        type='SoftmaxHeatmapHead',
        in_channels=16,
        deconv_out_channels=None,
        loss=dict(type='HeatmapCrossEntropyLoss'),
    ),
)
