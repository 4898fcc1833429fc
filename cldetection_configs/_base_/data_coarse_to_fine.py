# The samples of coarse-to-fine models: beside the whole X-ray, patches of it around the landmarks.
_base_ = 'data.py'

# load_config hands each codec, and the views of the refiners, to all that must agree on them.
train_pipeline = [
    _base_.train_pipeline[0],
    dict(type='BuildPyramid'),
    dict(type='SampleLandmarkPatches'),
    _base_.train_pipeline[1],
    # Other machines show more or less of the head, and all of it brighter or darker.
    dict(_base_.train_pipeline[2], scale_factor=(0.75, 1.25)),
    _base_.train_pipeline[3],
    dict(type='RandomExposure'),
    *_base_.train_pipeline[4:-1],
    dict(type='PackXray'),
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BuildPyramid'),
    *_base_.test_pipeline[1:-1],
    dict(_base_.test_pipeline[-1], type='PackXray'),
]
