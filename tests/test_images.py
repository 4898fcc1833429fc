"""X-rays as image files: grey stays grey, colours come in RGB order."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImage, LabelledImages
from cephalometric.formats.images import read_image


def entry(folder: Path, width=5, height=4):
    image = LabelledImage(1, 'one.png', width, height, 0.1, np.zeros((1, 2)))
    return LabelledImages(folder / 'test.json', 'mine', ('S',), (image,)), image


def test_grey_and_colour(tmp_path):
    grey = np.arange(20, dtype=np.uint8).reshape(4, 5)
    cv2.imwrite(str(tmp_path / 'one.png'), grey)
    np.testing.assert_array_equal(read_image(*entry(tmp_path)), grey)
    red = np.zeros((4, 5, 3), np.uint8)
    red[..., 2] = 255  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / 'one.png'), red)
    assert read_image(*entry(tmp_path))[0, 0].tolist() == [255, 0, 0]


def test_a_missing_or_changed_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r'one\.png: cannot be read'):
        read_image(*entry(tmp_path))
    cv2.imwrite(str(tmp_path / 'one.png'), np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match='6 x 4'):
        read_image(*entry(tmp_path, width=6))
