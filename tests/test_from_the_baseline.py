"""Users of the challenge's baseline: their data, and their checkpoints by their names, through the steps."""

import json
import shutil

import pytest
import torch
from baseline_data import IMAGES, baseline_content, write_baseline_data
from command_lines import call
from conftest import TINY_RECIPE, run_python

from cephalometric.annotations.coco import load_coco
from cephalometric.files import write_json
from cephalometric.landmarks import load_landmark_set
from cephalometric.prediction.model_folder import read_description
from cephalometric.training.checkpoints import latest_checkpoint, load_from_checked_file

NAME = 'best_SDR 2.0mm_epoch_40.pth'
FEWER = load_landmark_set('isbi2015')


@pytest.fixture(scope='module')
def baseline(data_root, tmp_path_factory):
    """The folder of data as the challenge's baseline prepares them."""
    return write_baseline_data(tmp_path_factory.mktemp('baseline') / 'data', data_root)


@pytest.fixture(scope='module')
def checkpoint(trained, tmp_path_factory):
    """A whole checkpoint, with optimizer and message hub, as the baseline's runs leave them: beside its config."""
    folder = tmp_path_factory.mktemp('work dir')
    shutil.copyfile(latest_checkpoint(trained), folder / NAME)
    shutil.copyfile(trained / 'tiny_recipe.py', folder / 'tiny_recipe.py')
    return folder / NAME


def test_step_4_scores_a_checkpoint_on_such_data_as_on_ours(checkpoint, baseline, data_root, tmp_path):
    scores = []
    for number, folder in enumerate((baseline, data_root)):
        out = tmp_path / f'{number}.json'
        flags = ['--data-root', folder, '--report', tmp_path / f'report {number}', '--out', out]
        run_python('step4_test_and_visualize.py', checkpoint, *flags, '--show-dir', tmp_path / f'pictures {number}')
        scores.append(json.loads(out.read_text()))
        assert len(list((tmp_path / f'pictures {number}').glob('*.png'))) == 3
    assert scores[0] == scores[1]
    # Whoever reads the results again sees the X-rays, too.
    results = tmp_path / 'report 0' / 'results.json'
    status, _, said = call('report', results, '--out', tmp_path / 'again')
    assert status == 0 and 'is not shown' not in said, said


def test_step_5_and_export_take_a_checkpoint_by_such_a_name(checkpoint, phantom_stack, tmp_path):
    run_python(
        *('step5_predict_expected_output.py', '--load_weight_path', checkpoint),
        *('--load_mha_path', phantom_stack / 'train_stack.mha', '--save_json_path', tmp_path / 'answer.json'),
    )
    assert len(json.loads((tmp_path / 'answer.json').read_text())['points']) == 11 * 38
    weights = load_from_checked_file(str(checkpoint))['state_dict']
    torch.save({f'module.{name}': value for name, value in weights.items()}, tmp_path / 'of DataParallel.pth')
    flags = ['--config', TINY_RECIPE, '--check', phantom_stack / 'train_stack.mha']
    ids = []
    for number, path in enumerate((checkpoint, tmp_path / 'of DataParallel.pth')):
        status, _, said = call('export', path, '--out', tmp_path / f'model {number}', *flags)
        assert status == 0, said
        ids.append(read_description(tmp_path / f'model {number}').weights_id)
    assert ids[0] == ids[1]


def test_step_2_takes_such_files_and_keeps_every_point(baseline, tmp_path):
    for part in ('train', 'valid', 'test'):
        content = json.loads((baseline / f'{part}.json').read_text())
        for image in content['images']:
            del image['spacing']
        write_json(tmp_path / f'{part}.json', content)
    run_python(
        *('step2_prepare_coco_dataset.py', '--source', 'coco', '--images', baseline / IMAGES, '--spacing', 0.5),
        *('--annotations', *(tmp_path / f'{part}.json' for part in ('train', 'valid', 'test'))),
        *('--image_save_dir', tmp_path / 'out' / 'images', '--split', 11, 0, 0),
    )
    ours = {image.original_file: image for image in load_coco(tmp_path / 'out' / 'train.json').images}
    theirs = [image for part in ('train', 'valid', 'test') for image in load_coco(baseline / f'{part}.json').images]
    assert len(ours) == len(theirs) == 11
    for image in theirs:
        found = ours[f'{image.id}.png']
        assert (found.points_px == image.points_px).all() and found.spacing_mm == 0.5


def test_step_3_fine_tunes_a_checkpoint_for_fewer_landmarks_on_such_data(checkpoint, baseline, tmp_path):
    data = tmp_path / 'data'
    shutil.copytree(baseline / IMAGES, data / IMAGES)
    for part in ('train', 'valid'):
        labelled = load_coco(baseline / f'{part}.json')
        content = baseline_content(labelled)
        for entry in content['annotations']:
            entry['keypoints'] = entry['keypoints'][: 3 * len(FEWER)]
        write_json(data / f'{part}.json', content)
    done = run_python(
        *('step3_train_and_evaluation.py', TINY_RECIPE, '--data-root', data, '--landmarks', FEWER.name),
        *('--work-dir', tmp_path / 'run', '--load-from', checkpoint, '--cfg-options', 'train_cfg.max_epochs=1'),
        *('train_dataloader.dataset.data_prefix.img=MMPose/', 'default_hooks.checkpoint.save_best=SDR 2.0mm'),
    )
    assert f'The model starts from {checkpoint}: 19 of its 19 landmarks' in done.stdout
    assert (tmp_path / 'run' / 'best_SDR 2.0mm_epoch_1.pth').is_file()
    assert read_description(tmp_path / 'run' / 'model').landmarks.abbreviations == FEWER.abbreviations
