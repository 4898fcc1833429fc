"""Cephalometric landmark detection on MMPose: lateral skull X-rays in, landmarks out."""

__version__ = '0.1.0'
