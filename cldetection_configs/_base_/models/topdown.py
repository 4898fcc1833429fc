# What every model of this toolkit has in common: one image in, the landmarks of that image out.
model = dict(
    type='TopdownPoseEstimator',
    # The statistics of ImageNet, because the published backbones were trained with them.
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    # Lateral X-rays all face the same way: a mirrored one is no second opinion.
    test_cfg=dict(flip_test=False),
)
