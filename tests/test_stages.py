"""The coarse stage sees what MMPose's transforms make of a whole X-ray, and leads back to its pixels."""

import numpy as np
import pytest
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

from cephalometric.prediction.stages import CoarseStage
from cephalometric.training.dataset import whole_image_bbox


@pytest.mark.parametrize('shape', [(300, 200), (200, 300), (97, 353), (64, 64)])
@pytest.mark.parametrize('padding', [1.0, 1.25])
@pytest.mark.parametrize('udp', [True, False])
def test_it_is_mmposes_way(shape, padding, udp):
    image = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    stage = CoarseStage((48, 64), padding, udp, {})
    sample = {'img': image, 'bbox': whole_image_bbox(shape[1], shape[0]), 'bbox_score': np.ones(1)}
    sample = TopdownAffine((48, 64), use_udp=udp)(GetBBoxCenterScale(padding=padding)(sample))
    ours = stage.input_of(image)
    assert ours.shape == (3, 64, 48)
    # A last digit of the matrix may choose the next of OpenCV's 32 steps between pixels.
    assert np.median(np.abs(ours.astype(int) - sample['img'])) == 0
    assert np.abs(ours.astype(int) - sample['img']).max() <= 9
    region = stage.region(shape[1], shape[0])
    corner = sample['bbox_center'][0] - sample['bbox_scale'][0] / 2
    np.testing.assert_allclose(region.to_image(np.array([[0, 0], [1, 1]])), [corner, corner + sample['bbox_scale'][0]])


def test_colours_keep_their_order():
    image = np.zeros((20, 20, 3), np.uint8)
    image[..., 2] = 200
    assert CoarseStage((8, 8), 1.0, True, {}).input_of(image)[2].min() == 200
