"""MMPose has COCO tools on every Python."""

import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import pytest

from cephalometric.models.coco_tools import STAND_IN, WANTED, find_coco_tools

FILE = {
    'images': [{'id': 1, 'file_name': 'a.png', 'width': 4, 'height': 3}],
    'annotations': [
        {'id': 1, 'image_id': 1, 'category_id': 1, 'keypoints': [1, 2, 2], 'num_keypoints': 1, 'bbox': [0, 0, 4, 3]}
    ],
    'categories': [{'id': 1, 'name': 'head', 'keypoints': ['S'], 'skeleton': []}],
}


def test_mmpose_reads_coco_files_by_it(tmp_path):
    (tmp_path / 'train.json').write_text(json.dumps(FILE))
    assert find_coco_tools() in (WANTED, STAND_IN)
    tools = import_module('mmpose.datasets.datasets.base.base_coco_style_dataset').COCO(tmp_path / 'train.json')
    assert tools.loadAnns(tools.getAnnIds(imgIds=[1]))[0]['keypoints'] == [1, 2, 2]


@pytest.mark.skipif(find_spec(STAND_IN) is None, reason='pycocotools is for Pythons that xtcocotools has no wheel for')
def test_the_stand_in_has_what_mmpose_imports():
    code = f"""
import sys
sys.modules.pop({WANTED!r}, None)
from cephalometric.models.coco_tools import find_coco_tools
print(find_coco_tools())
import xtcocotools.mask
from xtcocotools.coco import COCO
from xtcocotools.cocoeval import COCOeval
import mmpose.datasets, mmpose.evaluation
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
