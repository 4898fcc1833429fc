# Which X-rays a recipe sees, and how. What stands here once, load_config hands to all three loaders: landmark_set,
# data_root, train_pipeline, test_pipeline, and the codec.
landmark_set = 'cldetection2023'
data_root = 'data/cephalometric'

# Transforms by their types: a recipe changes one by its name. Whole X-rays, hence padding 1.0 in training and in
# testing. No flips: all X-rays face the same way.
train_pipeline = dict(
    # Decoded once, in memory that all workers share, and grey until it is small.
    LoadImage=dict(type='LoadXray', color_type='unchanged'),
    GetBBoxCenterScale=dict(padding=1.0),
    RandomBBoxTransform=dict(
        shift_factor=0.05,
        shift_prob=0.5,
        scale_factor=(0.88, 1.12),
        rotate_factor=12,
        rotate_prob=0.8,
    ),
    TopdownAffine=dict(type='WarpXray'),
    GenerateTarget=dict(),
    PackPoseInputs=dict(),
)
test_pipeline = dict(
    LoadImage=dict(),
    GetBBoxCenterScale=dict(padding=1.0),
    TopdownAffine=dict(),
    PackPoseInputs=dict(
        # What the decoder and CephalometricMetric need to get from the network's output to millimetres.
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'input_size',
            'input_center',
            'input_scale',
            'spacing',
        ),
    ),
)

train_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='CephalometricDataset', ann_file='train.json'),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='CephalometricDataset', ann_file='valid.json', test_mode=True),
)
test_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(type='CephalometricDataset', ann_file='test.json', test_mode=True),
)

val_evaluator = dict(type='CephalometricMetric')
test_evaluator = dict(type='CephalometricMetric')
