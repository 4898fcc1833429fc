import json
import subprocess
import sys
from pathlib import Path

from cephalometric.formats.coco import load_coco

STEP2 = Path(__file__).parents[1] / 'step2_prepare_coco_dataset.py'


def step2(tiny, *flags):
    inputs = ['--mha_file_path', tiny.stack_path, '--train_gt_path', tiny.annotation_path, '--landmarks', 'isbi2015']
    output = ['--image_save_dir', tiny.folder.parent / 'out' / 'images']
    command = [sys.executable, STEP2, *inputs, *output, *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=tiny.folder.parent, check=False)


def test_help_shows_an_example():
    shown = subprocess.run([sys.executable, STEP2, '--help'], capture_output=True, text=True, check=True).stdout
    assert 'example:\n  python step2_prepare_coco_dataset.py --mha_file_path' in shown
    for flag in ('--landmarks', '--split', '--seed', '--folds', '--allow-missing', '--overwrite', '--image_save_dir'):
        assert flag in shown


def test_it_says_what_it_wrote_where(tiny):
    done = step2(tiny, '--split', '5', '1', '2', '--folds', '2')
    assert done.returncode == 0, done.stderr
    out = tiny.folder.parent / 'out'
    assert f'images: {out / "images"}' in done.stdout
    assert f'     5 in {out / "train.json"}' in done.stdout
    assert f'     3 in {out / "fold2_valid.json"}' in done.stdout
    assert len(load_coco(out / 'train.json')) == 5


def test_bad_input_ends_with_one_report_and_status_2(tiny):
    tiny.points[0]['scale'] = '0'
    del tiny.points[30]
    tiny.write()
    done = step2(tiny)
    assert done.returncode == 2
    assert done.stdout == ''
    report = done.stderr[done.stderr.index('error: ') :]
    assert '(2 problems)' in report and '"0": slice 1' in report and 'U1 (12): slice 2' in report
    assert 'Traceback' not in done.stderr
    assert not (tiny.folder.parent / 'out').exists()


def test_flags_that_help_after_an_error(tiny):
    del tiny.points[30]
    tiny.write()
    assert step2(tiny, '--allow-missing').returncode == 0
    assert '--overwrite' in step2(tiny, '--allow-missing').stderr
    assert step2(tiny, '--allow-missing', '--overwrite', '--seed', '1').returncode == 0
    content = json.loads((tiny.folder.parent / 'out' / 'train.json').read_text())
    assert content['categories'][0]['landmark_set'] == 'isbi2015'


def test_an_unknown_landmark_set(tiny):
    done = step2(tiny, '--landmarks', 'cldetection2032')
    assert done.returncode == 2
    assert "error: there is no landmark set 'cldetection2032'" in done.stderr
