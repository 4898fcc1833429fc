# RTMPose-m (T. Jiang et al., arXiv 2303.07399): CSPNeXt-m and a head that classifies x and y of each landmark into bins
# finer than a pixel (SimCC).
_base_ = 'topdown.py'

model = dict(
    backbone=dict(
        type='CephalometricCSPNeXt',
        deepen_factor=0.67,
        widen_factor=0.75,
        init_cfg=dict(
            type='Pretrained',
            prefix='backbone.',
            checkpoint='https://download.openmmlab.com/mmdetection/v3.0/rtmdet/cspnext_rsb_pretrain/'
            'cspnext-m_8xb256-rsb-a1-600e_in1k-ecb3bbd9.pth',
        ),
    ),
    head=dict(
        type='RTMCCHead',
        in_channels=768,
        final_layer_kernel_size=7,
        gau_cfg=dict(
            hidden_dims=256,
            s=128,
            expansion_factor=2,
            dropout_rate=0.0,
            drop_path=0.0,
            act_fn='SiLU',
            use_rel_bias=False,
            pos_enc=False,
        ),
        loss=dict(type='KLDiscretLoss', use_target_weight=True, beta=10.0, label_softmax=True),
    ),
)
