"""MMEngine's side: dataset, metric, hooks, checkpoints and the completion of configs.

Importing this package registers the components: ``custom_imports = dict(imports=['cephalometric.training'])`` in a
config is all that MMPose needs.
"""

from cephalometric import models
from cephalometric.training import (
    arithmetic,
    checkpoints,
    dataset,
    hooks,
    metric,
    patch_samples,
    pretrained,
    transforms,
)

__all__ = [
    'arithmetic',
    'checkpoints',
    'dataset',
    'hooks',
    'metric',
    'models',
    'patch_samples',
    'pretrained',
    'transforms',
]
