"""The gallery of test images: the worst first, readable again, and no window where there is no display."""

import cv2
import numpy as np
import pytest

from cephalometric.errors import InputError
from cephalometric.formats.coco import load_coco
from cephalometric.geometry import radial_error_mm
from cephalometric.landmarks import load_landmark_set
from cephalometric.reporting.gallery import draw_images, save_picture, show_picture


def test_files_sort_by_falling_error_and_say_it(data_root, tmp_path):
    labelled, landmarks = load_coco(data_root / 'test.json'), load_landmark_set('cldetection2023')
    true = np.stack([image.points_px for image in labelled.images])
    points_px = true + np.array([1.0, 5.0, 3.0])[:, None, None]
    errors_mm = np.stack(
        [radial_error_mm(points_px[n], true[n], image.spacing_mm) for n, image in enumerate(labelled.images)]
    )
    for name, picture in draw_images(labelled, landmarks, points_px, errors_mm, order=[1, 2, 0]):
        save_picture(picture, tmp_path / name)
    names = sorted(path.name for path in tmp_path.iterdir())
    for name, n in zip(names, [1, 2, 0], strict=True):
        assert f'MRE-{errors_mm[n].mean():.2f}mm' in name
        image = labelled.images[n]
        assert cv2.imread(str(tmp_path / name)).shape == (image.height, image.width, 3)


def test_a_window_needs_a_display(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    monkeypatch.setattr('sys.platform', 'linux')
    with pytest.raises(InputError, match='--show-dir'):
        show_picture('window', np.zeros((4, 4, 3), np.uint8), 1)
