"""Data as the challenge's baseline has prepared them: made from those that our step 2 has."""

import json
import shutil
from pathlib import Path

from cephalometric.annotations.coco import LabelledImages, load_coco

IMAGES = 'MMPose'


def write_baseline_data(folder: Path, data_root: Path) -> Path:
    """Write train, valid and test files of that form, and their images in a folder of their own beside them."""
    (folder / IMAGES).mkdir(parents=True)
    for part in ('train', 'valid', 'test'):
        labelled = load_coco(data_root / f'{part}.json')
        for image in labelled.images:
            shutil.copyfile(labelled.image_path(image), folder / IMAGES / f'{image.id}.png')
        (folder / f'{part}.json').write_text(json.dumps(baseline_content(labelled), indent=4))
    return folder


def baseline_content(labelled: LabelledImages) -> dict:
    """No names of keypoints, every one with visibility 1, no folder in the names of the files, no checksums."""
    return {
        'info': {'version': '1.0', 'year': 2023},
        'images': [
            {
                'id': image.id,
                'file_name': f'{image.id}.png',
                'width': image.width,
                'height': image.height,
                'spacing': image.spacing_mm,
            }
            for image in labelled.images
        ],
        'annotations': [
            {
                'id': image.id,
                'image_id': image.id,
                'category_id': 1,
                'keypoints': [value for x, y in image.points_px.tolist() for value in (x, y, 1)],
                'num_keypoints': len(labelled.abbreviations),
                'iscrowd': 0,
                'bbox': [0, 0, image.width, image.height],
                'area': image.width * image.height,
            }
            for image in labelled.images
        ],
        'categories': [{'id': 1, 'name': 'cephalometric'}],
    }
