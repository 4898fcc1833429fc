# The samples of coarse-to-fine models: beside the whole X-ray, patches of it around the landmarks.
_base_ = 'data.py'

# load_config hands each codec, and the views of the refiners, to all that must agree on them.
train_pipeline = [
    dict(type='LoadXray'),
    dict(type='BuildPyramid'),
    dict(type='SampleLandmarkPatches'),
    *_base_.train_pipeline[1:-1],
    dict(type='PackXray'),
]
test_pipeline = [
    _base_.test_pipeline[0],
    dict(type='BuildPyramid'),
    *_base_.test_pipeline[1:-1],
    dict(_base_.test_pipeline[-1], type='PackXray'),
]
