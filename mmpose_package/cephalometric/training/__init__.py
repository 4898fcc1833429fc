"""MMEngine's side: dataset, metric, hooks, checkpoints and the completion of configs.

Importing this package registers the components: ``custom_imports = dict(imports=['cephalometric.training'])`` in a
config is all that MMPose needs.
"""

from cephalometric import models
from cephalometric.training import (
    albumentation,
    arithmetic,
    checkpoints,
    dataset,
    hooks,
    metric,
    mmdet_names,
    patch_samples,
    pretrained,
    transforms,
)

__all__ = [
    'albumentation',
    'arithmetic',
    'checkpoints',
    'dataset',
    'hooks',
    'metric',
    'mmdet_names',
    'models',
    'patch_samples',
    'pretrained',
    'transforms',
]
