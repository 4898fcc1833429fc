"""X-rays as image files."""

import cv2
import numpy as np

from cephalometric.errors import InputError
from cephalometric.formats.coco import LabelledImage, LabelledImages


def read_image(labelled: LabelledImages, image: LabelledImage) -> np.ndarray:
    """The X-ray, uint8, shape (H, W) when it is grey and (H, W, 3) in RGB order when it is not.

    Raises:
        InputError: The file is missing, unreadable, or of another size than its entry says.
    """
    path = labelled.image_path(image)
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise InputError(f'{path}: cannot be read as an image: run step2_prepare_coco_dataset.py again')
    if pixels.shape[:2] != (image.height, image.width):
        raise InputError(
            f'{path}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, but {labelled.path} says '
            f'{image.width} x {image.height}: run step2_prepare_coco_dataset.py again'
        )
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2::-1])
