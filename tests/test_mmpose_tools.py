"""MMPose's own tools take what this toolkit writes, and MMEngine's joined data sets train here."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import TINY_COARSE_TO_FINE, TINY_RECIPE
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.apis import inference_topdown, init_model

from cephalometric.__main__ import main
from cephalometric.annotations.coco import load_coco
from cephalometric.training.recipe import load_config

BROWSE = Path(find_spec('mmpose').origin).parent / '.mim' / 'tools' / 'misc' / 'browse_dataset.py'
SINGLE = [
    f'{part}_dataloader.{name}=0' for part in ('train', 'val', 'test') for name in ('num_workers', 'persistent_workers')
]


def write_config(monkeypatch, out, recipe, data_root, *options):
    words = [
        'config',
        str(recipe),
        '--out',
        str(out),
        '--data-root',
        str(data_root),
        '--cfg-options',
        *SINGLE,
        *options,
    ]
    monkeypatch.setattr(sys, 'argv', ['cephalometric', *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    return out


def without(data_root, folder, landmark, part='train.json'):
    """A copy of prepared data in which a landmark is missing everywhere."""
    folder.mkdir()
    (folder / 'images').symlink_to(data_root / 'images')
    content = json.loads((data_root / part).read_text())
    place = content['categories'][0]['keypoints'].index(landmark)
    for annotation in content['annotations']:
        annotation['keypoints'][3 * place : 3 * place + 3] = [0, 0, 0]
    (folder / part).write_text(json.dumps(content))
    return folder


JOINED = """
_base_ = {base!r}
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=[
    dict(type='CephalometricDataset', ann_file='train.json', data_root={first!r}),
    dict(type='RepeatDataset', times=2,
         dataset=dict(type='CephalometricDataset', ann_file='train.json', data_root={second!r})),
]))
"""


@pytest.fixture(scope='module')
def joined(data_root, tmp_path_factory):
    """A coarse-to-fine recipe for two data sets, in each of which another landmark is missing."""
    folder = tmp_path_factory.mktemp('joined')
    parts = [str(without(data_root, folder / name, name)) for name in ('S', 'N')]
    path = folder / 'two_data_sets.py'
    path.write_text(JOINED.format(base=str(TINY_COARSE_TO_FINE), first=parts[0], second=parts[1]))
    return path


def test_mmengines_runner_trains_the_written_config_on_two_data_sets_and_mmpose_predicts_with_it(
    joined, data_root, tmp_path, monkeypatch
):
    options = ['train_cfg.max_epochs=1', f'work_dir={tmp_path / "run"}']
    path = write_config(monkeypatch, tmp_path / 'complete.py', joined, data_root, *options)
    runner = Runner.from_cfg(Config.fromfile(str(path)))
    runner.train()
    assert len(runner.train_dataloader.dataset) == 18, 'six X-rays once, and six twice'
    layout = runner.model.mean_layout_mm.numpy()
    assert np.isfinite(layout).all(), 'each landmark is in one of the two'
    assert (tmp_path / 'run' / 'curves.csv').is_file()

    labelled = load_coco(data_root / 'test.json')
    image = labelled.images[0]
    model = init_model(str(path), str(tmp_path / 'run' / 'best_model_weight.pth'), device='cpu')
    assert model.dataset_meta['keypoint_id2name'][0] == labelled.abbreviations[0]
    (sample,) = inference_topdown(model, str(labelled.image_path(image)))
    points = sample.pred_instances.keypoints
    assert points.shape == (1, 38, 2) and np.isfinite(points).all()


def test_the_config_of_a_work_dir_opens_with_mmpose_and_finds_the_same_as_the_model_folder(trained, data_root):
    from cephalometric.api import load_model

    labelled = load_coco(data_root / 'test.json')
    path = labelled.image_path(labelled.images[0])
    model = init_model(str(trained / TINY_RECIPE.name), str(trained / 'best_model_weight.pth'), device='cpu')
    (sample,) = inference_topdown(model, str(path), bboxes=np.array([[0, 0, *np.subtract(size_of(path), 1)]]))
    (answer,) = load_model(trained / 'model').answers([cv2.imread(str(path), 0)], [None], upright=True)
    assert np.abs(sample.pred_instances.keypoints[0] - answer.points_px).max() < 0.1
    # What the kept config says is complete, and does not change when it is read again.
    kept = load_config(trained / TINY_RECIPE.name)
    assert kept.to_dict() == Config.fromfile(str(trained / TINY_RECIPE.name)).to_dict()


def size_of(path):
    return cv2.imread(str(path), 0).shape[::-1]


def test_mmposes_browse_script_shows_the_samples(data_root, tmp_path, monkeypatch):
    path = write_config(monkeypatch, tmp_path / 'complete.py', TINY_RECIPE, data_root)
    done = subprocess.run(
        [sys.executable, str(BROWSE), str(path), '--not-show', '--output-dir', str(tmp_path / 'pictures')],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(list((tmp_path / 'pictures').iterdir())) == 6
