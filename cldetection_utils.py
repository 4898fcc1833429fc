"""What the steps share, and the helpers that scripts written for the challenge's baseline import under these names.

The helpers are thin: the work is done in the package ``cephalometric``. None of them deletes anything.
"""

import argparse
from pathlib import Path

import numpy as np

from cephalometric.annotations.coco import LabelledImage, coco_content
from cephalometric.errors import InputError, run_step
from cephalometric.files import write_json
from cephalometric.geometry import content_crop
from cephalometric.landmarks import load_landmark_set
from cephalometric.xrays.mha import open_stack

__all__ = [
    'add_data_arguments',
    'check_and_make_dir',
    'extract_one_image_landmarks',
    'load_train_stack_data',
    'remove_zero_padding',
    'run_step',
    'save_coco_json_dataset',
]


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags by which training and testing find their data."""
    parser.add_argument(
        '--data-root',
        help="the folder of step 2's train.json, valid.json and test.json (default: the environment variable "
        "CEPHALOMETRIC_DATA_ROOT, then the config's data_root)",
    )
    parser.add_argument(
        '--landmarks', metavar='SET', help="landmark set, by name or .json file (default: the config's)"
    )


def load_train_stack_data(file_path: str | Path) -> np.ndarray:
    """Load a whole stack into memory: 8 GB for the challenge's 400 slices. ``open_stack`` reads slice by slice.

    Returns:
        uint8, shape (N, H, W, 3) in RGB order; a grey stack has three equal channels.

    Raises:
        InputError: The file is not a readable stack.
    """
    stack = open_stack(file_path)
    images = np.empty((stack.count, stack.height, stack.width, 3), np.uint8)
    for position, image in enumerate(stack):
        images[position] = image.reshape(stack.height, stack.width, stack.channels)
    return images


def remove_zero_padding(image_array: np.ndarray) -> np.ndarray:
    """The part of an image, shape (H, W) or (H, W, C), without the zeros at its right and bottom.

    Returns:
        A view of the image; all of it if it is blank, where the baseline's helper fails.
    """
    crop = content_crop(image_array)
    return image_array if crop is None else crop.cut(image_array)


def extract_one_image_landmarks(all_gt_dict: dict, image_id: int) -> dict:
    """What an annotation file says about one image.

    Args:
        all_gt_dict: The content of train-gt.json.
        image_id: The number of the slice, from 1.

    Returns:
        'image_id', 'scale' (mm per pixel, a float), and 'landmark_1', 'landmark_2', ... as [x, y] in pixels, as far as
        they are there. Nothing is checked: ``read_annotations`` does that.
    """
    image_landmarks = {'image_id': image_id}
    for entry in all_gt_dict['points']:
        *xy, number = entry['point']
        if number == image_id:
            image_landmarks |= {'scale': float(entry['scale']), f'landmark_{entry["name"]}': xy}
    return image_landmarks


def save_coco_json_dataset(
    image_shape_list: list,
    image_landmarks_list: list,
    image_ids_list: list,
    json_save_path: str | Path,
    landmark_set: str = 'cldetection2023',
) -> None:
    """Write a COCO file for images that are called ``N.png``, N being the image's id.

    Args:
        image_shape_list: For each image (height, width) or (height, width, channels).
        image_landmarks_list: For each image what ``extract_one_image_landmarks`` returns. A landmark that is not in
            it gets visibility 0.
        image_ids_list: For each image its id.
        json_save_path: The file to write.
        landmark_set: The name of the landmark set.

    Raises:
        InputError: An image has no scale, or the file cannot be written.
    """
    landmarks = load_landmark_set(landmark_set)
    images = []
    for shape, found, number in zip(image_shape_list, image_landmarks_list, image_ids_list, strict=True):
        if 'scale' not in found:
            raise InputError(f'{json_save_path}: image {number} has no scale: it has no annotation')
        points = [found.get(f'landmark_{k + 1}', (np.nan, np.nan)) for k in range(len(landmarks))]
        images.append(LabelledImage(number, f'{number}.png', shape[1], shape[0], found['scale'], np.array(points)))
    write_json(json_save_path, coco_content(images, landmarks))


def check_and_make_dir(dir_path: str | Path) -> None:
    """Make a folder if it is not there. What is in it stays, unlike with the baseline's helper, which emptied it.

    Raises:
        InputError: There is a file of that name.
    """
    if Path(dir_path).is_file():
        raise InputError(f'{dir_path} is a file: name a folder')
    Path(dir_path).mkdir(parents=True, exist_ok=True)
