"""Cephalometric landmark detection on MMPose: lateral skull X-rays in, landmarks out."""

import warnings

# mmcv-lite says at every import that it is not mmcv; nothing here uses what it lacks.
warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')

__version__ = '0.2.0'
