# The second look of a coarse-to-fine model: a U-Net that finds a landmark in a patch of higher resolution. A recipe
# says model = dict(type='CoarseToFinePoseEstimator', refiner=_base_.refiner).
refiner = dict(
    type='PatchRefiner',
    backbone=dict(type='LandmarkUNet', channels=(32, 64, 128, 160), stride=2),
    head=dict(type='LandmarkPatchHead', loss=dict(type='HeatmapCrossEntropyLoss')),
)
patch_codec = dict(type='PatchHeatmap', patch_size=64, sigma=2.0, window=8)

# One refiner a view, one after another: 38 mm of the X-ray around what the coarse search found, then 13 mm around what
# the first has found. Each is trained on patches as far off the landmark as the search before it leaves them.
views = [
    dict(resolution_mm=0.6, jitter_mm=3.0),
    dict(resolution_mm=0.2, jitter_mm=1.5),
]
