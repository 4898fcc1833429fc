"""Training runs: what they leave, killed and resumed ones, distributed ones."""

import csv
import json
import socket
import time

import cv2
import numpy as np
import pytest
import torch
from conftest import TINY_COARSE_TO_FINE, TINY_RECIPE, run_python
from forks import Program

from cephalometric.api import load_model
from cephalometric.errors import InputError
from cephalometric.results.evaluation import read_results
from cephalometric.training.assessment import finish
from cephalometric.training.checkpoints import latest_checkpoint, load_from_checked_file
from cephalometric.training.recipe import load_config
from cephalometric.training.run import train

STEP3 = 'step3_train_and_evaluation.py'


def weights(path):
    return load_from_checked_file(str(path))['state_dict']


def assert_same_weights(a, b):
    first, second = weights(a), weights(b)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_a_run_leaves_checkpoints_curves_and_the_best_weights_alone(trained):
    names = {path.name for path in trained.iterdir()}
    assert {'epoch_2.pth', 'epoch_3.pth', 'best_model_weight.pth', 'curves.csv', 'curves.png'} <= names
    assert 'epoch_1.pth' not in names  # two are kept
    best = list(trained.glob('best_MRE_epoch_*.pth'))
    assert len(best) == 1
    assert_same_weights(best[0], trained / 'best_model_weight.pth')
    assert set(load_from_checked_file(str(trained / 'best_model_weight.pth'))) == {'state_dict', 'meta'}
    assert cv2.imread(str(trained / 'curves.png')).shape[1] > 800

    rows = list(csv.DictReader((trained / 'curves.csv').open()))
    assert [row['epoch'] for row in rows] == ['1', '2', '3']
    assert all(float(row['loss']) > 0 and float(row['MRE']) > 0 for row in rows)
    assert best[0].stem.endswith(min(rows, key=lambda row: float(row['MRE']))['epoch'])


def test_the_console_shows_a_page_and_the_log_file_all(data_root, tmp_path):
    work_dir = tmp_path / 'run'
    done = run_python(STEP3, TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir)
    lines = done.stdout.splitlines()
    assert len(lines) < 25 and done.stderr.count('WARNING') == done.stdout.count('WARNING') == 0
    for beginning in ('Recipe:', 'Landmarks: 38 of cldetection2023', 'X-rays: 6 to train, 2 to validate', 'Device:'):
        assert any(' '.join(line.split()).startswith(beginning) for line in lines), done.stdout
    # The first epoch once more, before its validation, which may take long.
    assert [line.split(' | ')[0] for line in lines if line.startswith('epoch')] == [
        f'epoch {epoch} of 3' for epoch in (1, 1, 2, 3)
    ]
    assert sum(line.startswith('epoch') and 'SDR 2.0mm' in line for line in lines) == 3
    log = next(work_dir.glob('*/*.log'))
    assert str(log) in done.stdout
    for text in ('System environment', 'Config:', 'Hooks will be executed', 'Epoch(train)', 'from scratch'):
        assert text in log.read_text()


BROKEN_RUN = """
import sys
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from cephalometric.training.recipe import load_config
from cephalometric.training.run import train
@HOOKS.register_module()
class Complain(Hook):
    def after_train_epoch(self, runner):
        runner.logger.warning('this looks odd')
        runner.logger.error('this is wrong')
recipe, data_root, work_dir = sys.argv[1:]
config = load_config(recipe, data_root, options={'train_cfg.max_epochs': 1})
config.custom_hooks.append(dict(type='Complain'))
train(config, work_dir)
"""


def test_the_console_shows_warnings_and_errors(data_root, tmp_path):
    shown = run_python('-c', BROKEN_RUN, TINY_RECIPE, data_root, tmp_path / 'run').stdout
    assert 'this looks odd' in shown and 'this is wrong' in shown


def test_without_validation_images_the_last_weights_are_kept(data_root, tmp_path):
    for name in ('images', 'train.json'):
        (tmp_path / name).symlink_to(data_root / name)
    work_dir = tmp_path / 'run'
    done = run_python(STEP3, TINY_RECIPE, '--data-root', tmp_path, '--work-dir', work_dir, '--no-validation')
    assert 'Report' not in done.stdout
    assert [line.split(' | ')[0] for line in done.stdout.splitlines() if line.startswith('epoch')] == [
        f'epoch {epoch} of 3' for epoch in (1, 2, 3)
    ]
    assert_same_weights(work_dir / 'epoch_3.pth', work_dir / 'best_model_weight.pth')
    assert not list(work_dir.glob('best_MRE*')) and not (work_dir / 'report_valid').exists()
    rows = list(csv.DictReader((work_dir / 'curves.csv').open()))
    assert [row['epoch'] for row in rows] == ['1', '2', '3']
    assert all(row['MRE'] == '' for row in rows)
    assert (work_dir / 'curves.png').is_file()


def start_and_kill(data_root, work_dir, when):
    arguments = [STEP3, TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir, '--seed', 1, '--resume']
    log = work_dir.with_suffix('.log')
    run = Program(arguments, log, log)
    deadline = time.monotonic() + 240
    while not when() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert run.poll() is None, 'the run ended before it was killed: ' + log.read_text()
    run.kill()
    run.wait()


def test_a_killed_run_resumes_and_ends_with_the_same_weights(trained, data_root, tmp_path):
    work_dir = tmp_path / 'killed'
    # Killed twice: while the first checkpoint is being written or just after, then amid the epoch after the second.
    start_and_kill(data_root, work_dir, lambda: any(work_dir.glob('*epoch_1.pth*')))
    start_and_kill(data_root, work_dir, lambda: (work_dir / 'epoch_2.pth').exists())
    assert latest_checkpoint(work_dir).name == 'epoch_2.pth'
    run_python(STEP3, TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir, '--seed', 1, '--resume')
    assert_same_weights(trained / 'epoch_3.pth', work_dir / 'epoch_3.pth')
    assert_same_weights(trained / 'best_model_weight.pth', work_dir / 'best_model_weight.pth')
    assert (work_dir / 'curves.csv').read_text() == (trained / 'curves.csv').read_text()


VALIDATE = """
import json, sys
from cephalometric.training.recipe import load_config
from cephalometric.training.run import QuietRunner, start_distributed
recipe, data_root, checkpoint, work_dir, launcher = sys.argv[1:]
config = load_config(recipe, data_root)
config.val_dataloader.dataset.ann_file = 'test.json'  # three images: an odd number for two processes
config.work_dir, config.launcher, config.load_from = work_dir, launcher, checkpoint
start_distributed(launcher)
runner = QuietRunner.from_cfg(config)
scores = runner.val()
if runner.rank == 0:
    json.dump(scores, open(work_dir + '/scores.json', 'w'))
"""


def torchrun(*arguments):
    return run_python('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', *arguments)


def two_processes(folder):
    """What runs a script as torchrun does, by the same variables, without a new start of PyTorch for each process."""

    def run(*arguments):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        common = {'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(port), 'WORLD_SIZE': '2', 'LOCAL_WORLD_SIZE': '2'}
        logs = [folder / f'{rank}.log' for rank in range(2)]
        programs = [
            Program(arguments, log, log, common | {'RANK': str(rank), 'LOCAL_RANK': str(rank)})
            for rank, log in enumerate(logs)
        ]
        assert [program.wait() for program in programs] == [0, 0], [log.read_text() for log in logs]

    return run


def test_two_processes_validate_as_one_does(trained, data_root, tmp_path):
    script = tmp_path / 'validate.py'
    script.write_text(VALIDATE)
    scores = {}
    for launcher, run in (('none', run_python), ('pytorch', two_processes(tmp_path))):
        folder = tmp_path / launcher
        run(script, TINY_RECIPE, data_root, trained / 'epoch_3.pth', folder, launcher)
        scores[launcher] = json.loads((folder / 'scores.json').read_text())
    assert scores['pytorch'] == pytest.approx(scores['none'], rel=1e-6)


def test_two_processes_train_and_test(data_root, trained, tmp_path):
    work_dir = tmp_path / 'distributed'
    options = ('--cfg-options', 'train_cfg.max_epochs=1')
    torchrun(STEP3, TINY_RECIPE, '--data-root', data_root, '--work-dir', work_dir, '--launcher', 'pytorch', *options)
    assert (work_dir / 'best_model_weight.pth').is_file()

    scores = {}
    for launcher, run in (('none', run_python), ('pytorch', two_processes(tmp_path))):
        out = tmp_path / f'{launcher}.json'
        table = ('--csv', tmp_path / f'{launcher}.csv')
        checkpoint = trained / 'best_model_weight.pth'
        run(
            'step4_test_and_visualize.py',
            TINY_RECIPE,
            checkpoint,
            '--data-root',
            data_root,
            '--out',
            out,
            *table,
            '--launcher',
            launcher,
        )
        scores[launcher] = json.loads(out.read_text())
    assert scores['pytorch'] == pytest.approx(scores['none'], rel=1e-6)
    assert (tmp_path / 'none.csv').read_text() == (tmp_path / 'pytorch.csv').read_text()


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ({'amp': True}, 'needs a GPU'),
        ({'launcher': 'pytorch'}, 'torchrun'),
        ({'launcher': 'slurm'}, 'needs GPUs'),
        ({'resume': 'gone.pth'}, 'gone.pth'),
    ],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason='these flags work where there is a GPU')
def test_a_flag_that_does_not_fit_this_machine_is_named(tmp_path, data_root, arguments, expected):
    with pytest.raises(InputError, match=expected):
        train(load_config(TINY_RECIPE, data_root), tmp_path, **arguments)


def test_a_new_run_never_overwrites_an_earlier_one(trained, data_root):
    before = {path: path.stat().st_mtime_ns for path in trained.rglob('*') if path.is_file()}
    with pytest.raises(InputError, match='--resume'):
        train(load_config(TINY_RECIPE, data_root), trained)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob('*') if path.is_file()} == before


def test_scaling_the_learning_rate_needs_a_base_batch_size(tmp_path, data_root):
    config = load_config(TINY_RECIPE, data_root)
    config.pop('auto_scale_lr')
    with pytest.raises(InputError, match='base_batch_size'):
        train(config, tmp_path, auto_scale_lr=True)


def with_landmarks(data_root, folder, names, hidden):
    """Prepared data of some of the landmarks, with a landmark that is annotated in none of some parts."""
    (folder / 'mine.json').write_text(json.dumps({'subset_of': 'cldetection2023', 'landmarks': names}))
    (folder / 'images').symlink_to(data_root / 'images')
    for part in ('train', 'valid', 'test'):
        content = json.loads((data_root / f'{part}.json').read_text())
        category = content['categories'][0]
        places = [category['keypoints'].index(name) for name in names]
        for key in ('landmark_names', 'landmark_groups'):
            category[key] = [category[key][place] for place in places] if key in category else category.get(key)
        category |= {'landmark_set': 'mine', 'keypoints': names, 'skeleton': []}
        content['categories'][0] = {key: value for key, value in category.items() if value is not None}
        for annotation in content['annotations']:
            rows = np.reshape(annotation['keypoints'], (-1, 3))[places]
            rows[[part in hidden and name == hidden[part] for name in names]] = 0
            annotation['keypoints'] = rows.ravel().tolist()
        (folder / f'{part}.json').write_text(json.dumps(content))
    options = {
        f'{part}_dataloader.{name}': 0 for part in ('train', 'val') for name in ('num_workers', 'persistent_workers')
    }
    return lambda recipe: load_config(recipe, str(folder), str(folder / 'mine.json'), options)


def test_one_landmark_is_trained_scored_and_calibrated(data_root, tmp_path):
    config_of = with_landmarks(data_root, tmp_path, ['N'], {})
    config = config_of(TINY_RECIPE)
    lines = list(finish(config, train(config, tmp_path / 'run')))
    model = load_model(tmp_path / 'run' / 'model')
    assert model.landmarks.abbreviations == ('N',) and model.calibration is not None and 'Report' in lines[-1]
    # Of a single landmark there is no distance from which patches could take their scale.
    with pytest.raises(InputError, match=r'there are none for a single landmark: .* or take another recipe'):
        train(config_of(TINY_COARSE_TO_FINE), tmp_path / 'coarse_to_fine')


def test_a_landmark_that_only_the_training_images_have_is_left_out_of_the_scores(data_root, tmp_path):
    config = with_landmarks(data_root, tmp_path, ['S', 'N', 'A'], {'valid': 'N'})(TINY_RECIPE)
    list(finish(config, train(config, tmp_path / 'run')))
    scores = read_results(tmp_path / 'run' / 'report_valid' / 'results.json').per_landmark()
    assert [score.count for score in scores] == [2, 0, 2]


@pytest.mark.parametrize('recipe', [TINY_RECIPE, TINY_COARSE_TO_FINE])
def test_a_landmark_that_no_training_image_has_is_refused_before_anything_is_written(data_root, tmp_path, recipe):
    config = with_landmarks(data_root, tmp_path, ['S', 'N', 'A'], {'train': 'N'})(recipe)
    with pytest.raises(
        InputError, match=r'train\.json: no X-ray has the landmark N, .*docs/landmark_sets\.md'
    ) as error:
        train(config, tmp_path / 'run')
    assert '\n' not in str(error.value) and not (tmp_path / 'run').exists()
