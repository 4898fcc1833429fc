"""The COCO tools that MMPose imports.

MMPose asks for xtcocotools, a fork of pycocotools that adds scores of whole bodies. It has no wheel for Python 3.12 and
later, where pycocotools takes its place: what MMPose needs of it here is to read COCO files, where both agree.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

WANTED, STAND_IN = 'xtcocotools', 'pycocotools'


def find_coco_tools() -> str:
    """The name of the package that MMPose gets; imports it under the name that MMPose knows if need be.

    Raises:
        ModuleNotFoundError: Neither of the two is installed.
    """
    if WANTED in sys.modules:
        return sys.modules[WANTED].__name__
    if find_spec(WANTED) or not find_spec(STAND_IN):
        return import_module(WANTED).__name__
    sys.modules[WANTED] = import_module(STAND_IN)
    for part in ('coco', 'cocoeval', 'mask'):
        sys.modules[f'{WANTED}.{part}'] = import_module(f'{STAND_IN}.{part}')
    return STAND_IN
