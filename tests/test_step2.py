import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from films import (
    points,
    write_aariz,
    write_images,
    write_isbi2015,
    write_keypoints,
    write_labelme,
    write_labels,
    write_point_rows,
)

from cephalometric.annotations.coco import load_coco

STEP2 = Path(__file__).parents[1] / 'step2_prepare_coco_dataset.py'


def step2(tiny, *flags):
    inputs = ['--mha_file_path', tiny.stack_path, '--train_gt_path', tiny.annotation_path, '--landmarks', 'isbi2015']
    output = ['--image_save_dir', tiny.folder.parent / 'out' / 'images']
    command = [sys.executable, STEP2, *inputs, *output, *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=tiny.folder.parent, check=False)


def test_help_shows_an_example():
    shown = subprocess.run([sys.executable, STEP2, '--help'], capture_output=True, text=True, check=True).stdout
    assert 'examples:\n  python step2_prepare_coco_dataset.py --mha_file_path' in shown
    for flag in (
        '--source',
        '--images',
        '--annotations',
        '--spacing',
        '--landmarks',
        '--split',
        '--seed',
        '--folds',
        '--group',
        '--split-by',
        '--annotator',
        '--allow-missing',
        '--ignore-folders',
        '--unusual-spacing',
        '--overwrite',
        '--image_save_dir',
    ):
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


def test_a_scale_in_micrometres_is_asked_about_unless_it_is_said_to_be_right(tiny):
    for entry in tiny.points:
        entry['scale'] = 50
    tiny.write()
    done = step2(tiny)
    assert done.returncode == 2 and '50 mm: slices 1 to 8' in done.stderr and '--unusual-spacing' in done.stderr
    assert step2(tiny, '--unusual-spacing').returncode == 0


def test_annotations_with_a_byte_order_mark(tiny):
    tiny.annotation_path.write_bytes(b'\xef\xbb\xbf' + tiny.annotation_path.read_bytes())
    assert step2(tiny).returncode == 0


def test_an_unknown_landmark_set(tiny):
    done = step2(tiny, '--landmarks', 'cldetection2032')
    assert done.returncode == 2
    assert "error: there is no landmark set 'cldetection2032'" in done.stderr


def import_films(folder, source, *flags):
    write_images(folder / 'films')
    command = [sys.executable, STEP2, '--source', source, '--images', 'films', '--annotations', 'given', *flags]
    command += ['--image_save_dir', 'out/images']
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize(
    ('source', 'write', 'flags'),
    [
        ('isbi2015', write_isbi2015, []),
        ('cldetection2024', lambda path, films: write_labels(path, films, 0.1), ['--landmarks', 'isbi2015']),
        ('labelme', write_labelme, ['--landmarks', 'isbi2015', '--spacing', '0.1']),
        ('csv', write_point_rows, ['--landmarks', 'isbi2015', '--spacing', '0.1']),
        ('coco', write_keypoints, ['--landmarks', 'isbi2015', '--spacing', '0.1']),
        ('aariz', write_aariz, ['--landmarks', 'isbi2015', '--annotator', 'senior']),
    ],
)
def test_image_files_with_every_form_of_annotations(tmp_path, source, write, flags):
    write(tmp_path / 'given', points())
    done = import_films(tmp_path, source, *flags)
    assert done.returncode == 0, done.stderr
    assert 'note' not in done.stderr
    prepared = {}
    for part in ('train', 'valid', 'test'):
        coco = load_coco(tmp_path / 'out' / f'{part}.json')
        assert coco.landmark_set == 'isbi2015'
        prepared |= {image.original_file: image for image in coco.images}
    assert {name: image.spacing_mm for name, image in prepared.items()} == dict.fromkeys(
        map('{}.png'.format, points()), 0.1
    )
    for name, rows in points().items():
        np.testing.assert_array_equal(prepared[f'{name}.png'].points_px, rows)


def test_the_report_about_image_files(tmp_path):
    spoilt = points()
    del spoilt['film2']
    write_point_rows(tmp_path / 'given', spoilt)
    done = import_films(tmp_path, 'csv', '--landmarks', 'isbi2015')
    assert (done.returncode, done.stdout) == (2, '')
    assert 'error: given and films cannot be prepared, and nothing was written (4 problems):' in done.stderr
    assert 'Traceback' not in done.stderr and not (tmp_path / 'out').exists()


def test_annotations_of_other_images_are_noted(tmp_path):
    write_isbi2015(tmp_path / 'given', points() | {'400': np.zeros((19, 2))})
    done = import_films(tmp_path, 'isbi2015')
    assert done.returncode == 0 and 'note: annotations of other images were not used: 400' in done.stderr


@pytest.mark.parametrize(
    ('flags', 'expected'),
    [
        (['--images', 'films'], '--images does not go with --source challenge'),
        (['--spacing', '0.1'], '--spacing does not go with --source challenge'),
        (['--source', 'csv', '--mha_file_path', 'a.mha'], '--mha_file_path does not go with --source csv'),
        (['--annotator', 'senior'], '--annotator does not go with --source challenge'),
        (
            ['--source', 'csv', '--images', 'a', '--annotations', 'b', '--annotator', 'me'],
            '--annotator me: this --source',
        ),
        (['--split', '1', '1', '1', '--split-by', 'a'], '--split and --split-by both say'),
        (['--split-by', '('], '--split-by (: not a regular expression'),
        (['--group', '('], '--group (: not a regular expression'),
        (['--group', 'a', 'b', 'c'], '--group: 3 words'),
        (['--ignore-folders'], '--ignore-folders does not go with --source challenge'),
        (['--source', 'csv', '--images', 'films'], '--source csv needs --images PATH and --annotations PATH'),
    ],
)
def test_flags_that_do_not_go_together(tmp_path, flags, expected):
    done = subprocess.run([sys.executable, STEP2, *flags], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2 and f'error: {expected}' in done.stderr


def test_slices_of_a_patient_stay_together_by_a_table(tiny):
    table = tiny.folder / 'patients.csv'
    table.write_text('image,patient\n' + ''.join(f'{n},p{n % 4}\n' for n in range(1, 9)))
    done = step2(tiny, '--group', table, 'patient', '--split', '5', '2', '1')
    assert done.returncode == 0, done.stderr
    assert 'groups: 4, none of them in two parts or folds' in done.stdout
    assert 'groups stay whole, so that the parts are not the 5 + 2 + 1 images of --split but: 4 + 2 + 2' in done.stderr
    out = tiny.folder.parent / 'out'
    numbers = [
        {image.id % 4 for image in load_coco(out / f'{part}.json').images} for part in ('train', 'valid', 'test')
    ]
    assert sum(map(len, numbers)) == 4
    assert 'slices of a stack have no names' in step2(tiny, '--group', 'p[0-9]', '--overwrite').stderr


def test_aariz_is_imported_with_its_parts_and_machines(tmp_path):
    write_images(tmp_path / 'made')
    write_aariz(tmp_path / 'Aariz', points())
    for part, name in (('train', 'film1'), ('valid', 'film2'), ('test', 'film10')):
        folder = tmp_path / 'Aariz' / part / 'Cephalograms'
        folder.mkdir()
        (tmp_path / 'made' / f'{name}.png').rename(folder / f'{name}.png')
    flags = ['--source', 'aariz', '--annotations', 'Aariz', '--landmarks', 'isbi2015']
    flags += ['--images', 'Aariz/*/Cephalograms/*']
    for split in (['^[^/]+'], ['Aariz/cephalogram_machine_mappings.csv', 'mode']):
        command = [sys.executable, STEP2, *flags, '--split-by', *split, '--image_save_dir', 'out/images', '--overwrite']
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        parts = {
            part: [image.original_file for image in load_coco(tmp_path / 'out' / f'{part}.json').images]
            for part in ('train', 'valid', 'test')
        }
        assert parts == {
            'train': ['train/Cephalograms/film1.png'],
            'valid': ['valid/Cephalograms/film2.png'],
            'test': ['test/Cephalograms/film10.png'],
        }
