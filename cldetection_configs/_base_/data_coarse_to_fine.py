# The samples of coarse-to-fine models: beside the whole X-ray, patches of it around the landmarks.
_base_ = 'data.py'

# load_config hands each codec, and the views of the refiners, to all that must agree on them.
train_pipeline = dict(
    BuildPyramid=dict(_before_='GetBBoxCenterScale'),
    SampleLandmarkPatches=dict(_before_='GetBBoxCenterScale'),
    # Other machines show more or less of the head, and all of it brighter or darker.
    RandomBBoxTransform=dict(scale_factor=(0.75, 1.25)),
    RandomExposure=dict(_before_='GenerateTarget'),
    PackPoseInputs=dict(type='PackXray'),
)
test_pipeline = dict(
    BuildPyramid=dict(_before_='GetBBoxCenterScale'),
    PackPoseInputs=dict(type='PackXray'),
)
