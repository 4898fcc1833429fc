import json
import re
import shutil
import subprocess
import sys
import tracemalloc

import cv2
import numpy as np
import pytest
from conftest import make_tiny_data_set

from cephalometric.annotations.coco import load_coco
from cephalometric.errors import InputError
from cephalometric.landmarks import load_landmark_set
from cephalometric.locks import LOCK
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import ChallengeSource

LANDMARKS = load_landmark_set('isbi2015')


def source_of(tiny):
    return ChallengeSource(tiny.stack_path, tiny.annotation_path)


def run(tiny, **options):
    return prepare(source_of(tiny), tiny.folder.parent / 'out' / 'images', LANDMARKS, **options)


def tree(folder):
    """Every file below a folder with its content."""
    return {str(path): path.is_file() and path.read_bytes() for path in sorted(folder.rglob('*'))}


def contents(folder):
    """Every file below a folder by its relative path."""
    files = (path for path in folder.rglob('*') if path.is_file() and path.name != LOCK)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(tiny, **options):
    """The message of a call that must be refused and change nothing on disk."""
    before = tree(tiny.folder.parent)
    with pytest.raises(InputError) as caught:
        run(tiny, **options)
    assert tree(tiny.folder.parent) == before
    return str(caught.value)


@pytest.mark.parametrize('compressed', [False, True])
def test_images_and_coco_files_say_what_the_stack_says(tiny, compressed):
    tiny.compressed = compressed
    tiny.write()
    summary = run(tiny)
    out = tiny.folder.parent / 'out'
    assert summary.image_folder == out / 'images'
    assert summary.parts == {out / 'train.json': 6, out / 'valid.json': 1, out / 'test.json': 1}
    assert {path.name for path in out.iterdir()} == {'images', 'train.json', 'valid.json', 'test.json'}
    assert {path.name for path in (out / 'images').iterdir()} == {f'{n}.png' for n in range(1, 9)}
    seen = set()
    for path, count in summary.parts.items():
        coco = load_coco(path)
        assert len(coco) == count
        assert coco.abbreviations == LANDMARKS.abbreviations
        for image in coco.images:
            seen.add(image.id)
            pixels = cv2.imread(str(coco.image_path(image)), cv2.IMREAD_UNCHANGED)
            width, height = tiny.sizes[image.id - 1]
            np.testing.assert_array_equal(pixels, tiny.slices[image.id - 1, :height, :width, 0])
            assert (image.width, image.height) == (width, height)
            entries = tiny.entries(image.id)
            assert image.spacing_mm == float(entries[0]['scale'])
            np.testing.assert_array_equal(image.points_px, [entry['point'][:2] for entry in entries])
            assert image.visible.all()
    assert seen == set(range(1, 9))


def test_a_single_channel_stack_gives_the_same_files(tiny):
    run(tiny)
    coloured = contents(tiny.folder.parent / 'out')
    tiny.slices = tiny.slices[..., 0]
    tiny.write()
    run(tiny, overwrite=True)
    assert contents(tiny.folder.parent / 'out') == coloured


@pytest.mark.parametrize('compressed', [False, True])
def test_memory_does_not_grow_with_the_number_of_slices(tmp_path, compressed):
    tiny = make_tiny_data_set(tmp_path / 'input', count=60)
    tiny.slices = np.pad(tiny.slices, ((0, 0), (0, 352), (0, 336), (0, 0)))
    tiny.compressed = compressed
    tiny.write()
    slice_size = tiny.slices[0].nbytes
    tracemalloc.start()
    try:
        run(tiny)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * slice_size < len(tiny.slices) * slice_size / 5


def test_split_seed_and_folds_reach_the_files(tiny):
    summary = run(tiny, sizes=(4, 2, 2), seed=5, folds=3)
    counts = {path.stem: count for path, count in summary.parts.items()}
    folds = {f'fold{k}_{part}': 4 if part == 'train' else 2 for k in (1, 2, 3) for part in ('train', 'valid')}
    assert counts == {'train': 4, 'valid': 2, 'test': 2} | folds
    ids = {path.stem: {image.id for image in load_coco(path).images} for path in summary.parts}
    assert all(ids['test'].isdisjoint(ids[name]) for name in folds)


def test_the_same_input_gives_the_same_bytes(tiny):
    run(tiny)
    first = tree(tiny.folder.parent / 'out')
    run(tiny, overwrite=True)
    assert tree(tiny.folder.parent / 'out') == first


def test_missing_landmarks_are_allowed_on_request(tiny):
    tiny.points.remove(tiny.entries(3)[4])
    tiny.write()
    message = refused(tiny)
    assert 'landmarks missing' in message and '--allow-missing' in message and 'A (5): slice 3' in message
    summary = run(tiny, allow_missing=True)
    images = {image.id: image for path in summary.parts for image in load_coco(path).images}
    assert np.flatnonzero(~images[3].visible).tolist() == [4]
    assert images[4].visible.all()


def blank(tiny):
    tiny.slices[2] = 0


def outside_right(tiny):
    tiny.entries(4)[0]['point'][0] = tiny.sizes[3][0]


def outside_top(tiny):
    tiny.entries(4)[0]['point'][1] = -1


def no_such_slice(tiny):
    tiny.points.append({'name': 1, 'point': [1, 2, 9], 'scale': '0.1'})


def slice_zero(tiny):
    tiny.points.append({'name': 1, 'point': [1, 2, 0], 'scale': '0.1'})


def no_annotation(tiny):
    tiny.points = [entry for entry in tiny.points if entry['point'][2] not in (5, 6)]


def missing(tiny):
    tiny.points.remove(tiny.entries(2)[18])


def duplicate(tiny):
    tiny.points.append(dict(tiny.entries(7)[0]))


def outside_set(tiny):
    tiny.points.append({'name': 20, 'point': [1, 2, 8], 'scale': '0.125'})


def no_scale(tiny):
    del tiny.entries(1)[3]['scale']


def negative_scale(tiny):
    tiny.entries(1)[3]['scale'] = '-0.1'


def differing_scales(tiny):
    tiny.entries(6)[3]['scale'] = '0.1'


PROBLEMS = {
    blank: 'blank slices: slice 3',
    outside_right: 'S (1) at (53, ',
    outside_top: ', -1) of 53 x 40: slice 4',
    no_such_slice: 'annotations for slices that do not exist (the stack has 8): slice 9',
    slice_zero: 'annotations for slices that do not exist (the stack has 8): slice 0',
    no_annotation: 'slices without annotations: slices 5, 6',
    missing: 'Ar (19): slice 2',
    duplicate: 'landmarks annotated more than once:\n    S (1): slice 7',
    outside_set: 'names outside the landmark set isbi2015 (1 to 19; choose a set with --landmarks):\n    20: slice 8',
    no_scale: 'points without a "scale" (mm per pixel): slice 1',
    negative_scale: '"-0.1": slice 1',
    differing_scales: 'differing scales within an image:\n    0.1, 0.125: slice 6',
}


@pytest.mark.parametrize('spoil', PROBLEMS, ids=lambda spoil: spoil.__name__)
def test_each_problem_is_reported_and_nothing_is_written(tiny, spoil):
    spoil(tiny)
    tiny.write()
    message = refused(tiny)
    assert PROBLEMS[spoil] in message
    assert str(tiny.stack_path) in message and str(tiny.annotation_path) in message


def test_all_problems_are_in_one_report(tiny):
    together = [blank, outside_right, no_such_slice, no_annotation, missing, duplicate, outside_set, no_scale]
    for spoil in together:
        spoil(tiny)
    tiny.compressed = True
    tiny.write()
    message = refused(tiny)
    assert [PROBLEMS[spoil] for spoil in together if PROBLEMS[spoil] not in message] == []


def test_points_on_the_outermost_pixels_are_inside(tiny):
    width, height = tiny.sizes[3]
    tiny.entries(4)[0]['point'][:2] = 0, 1
    tiny.entries(4)[1]['point'][:2] = width - 1, height - 1
    tiny.write()
    run(tiny)


def test_a_compressed_stack_that_ends_too_early_leaves_nothing(tiny):
    tiny.compressed = True
    tiny.write()
    content = bytearray(tiny.stack_path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    tiny.stack_path.write_bytes(content)
    assert re.search(r'(damaged|ends) in slice [4-8] of 8', refused(tiny))


def test_unusable_files_are_reported_together(tiny):
    tiny.stack_path.write_bytes(tiny.stack_path.read_bytes()[:-1])
    tiny.annotation_path.write_text('{')
    message = refused(tiny)
    assert 'truncated' in message and 'invalid JSON' in message


def test_a_bad_stack_does_not_hide_the_problems_of_the_annotations(tiny):
    duplicate(tiny)
    tiny.write()
    tiny.stack_path.unlink()
    message = refused(tiny)
    assert 'cannot be read' in message and 'more than once' in message


def test_a_split_that_does_not_fit(tiny):
    assert 'add up to 8' in refused(tiny, sizes=(3, 3, 3))


@pytest.mark.parametrize('name', ['images/holiday.jpg', 'images/1.png', 'train.json', 'test.json'])
def test_foreign_files_are_in_the_way_without_overwrite(tiny, name):
    path = tiny.folder.parent / 'out' / name
    path.parent.mkdir(parents=True)
    path.write_text('{}')
    message = refused(tiny)
    assert str(path) in message and '--overwrite' in message


@pytest.mark.parametrize('name', ['images/1.png', 'train.json'])
@pytest.mark.parametrize('content', ['not JSON', '{}', '{"info": {"contributor": "me"}, "images": []}'])
def test_foreign_files_are_not_even_overwritten_with_overwrite(tiny, name, content):
    path = tiny.folder.parent / 'out' / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    message = refused(tiny, overwrite=True)
    assert str(path) in message and 'not made by this step' in message


def test_coco_files_of_another_image_folder_are_not_overwritten(tiny):
    run(tiny)
    before = tree(tiny.folder.parent)
    other = tiny.folder.parent / 'out' / 'others'
    with pytest.raises(InputError, match='not made by this step'):
        prepare(source_of(tiny), other, LANDMARKS, overwrite=True)
    assert tree(tiny.folder.parent) == before


def test_a_coco_file_cannot_name_files_elsewhere_for_removal(tiny):
    run(tiny)
    letter = tiny.folder.parent / 'letter.png'
    letter.write_text('mine')
    path = tiny.folder.parent / 'out' / 'test.json'
    content = json.loads(path.read_text())
    content['images'][0]['file_name'] = 'images/../../letter.png'
    path.write_text(json.dumps(content))
    refused(tiny, overwrite=True)
    assert letter.exists()


def test_overwriting_replaces_what_was_made_before_and_nothing_else(tiny):
    run(tiny, folds=2)
    out = tiny.folder.parent / 'out'
    (out / 'images' / 'notes.txt').write_text('mine')
    (out / 'notes.json').write_text('mine')
    smaller = make_tiny_data_set(tiny.folder, count=4)
    run(smaller, overwrite=True)
    assert {path.name for path in out.iterdir()} == {'images', 'train.json', 'valid.json', 'test.json', 'notes.json'}
    assert {path.name for path in (out / 'images').iterdir()} == {'1.png', '2.png', '3.png', '4.png', 'notes.txt'}


def test_a_refused_overwriting_keeps_the_earlier_files(tiny):
    run(tiny)
    blank(tiny)
    tiny.write()
    assert 'blank' in refused(tiny, overwrite=True)


@pytest.mark.parametrize('name', ['', 'images'])
def test_a_file_where_a_folder_should_be(tiny, name):
    path = tiny.folder.parent / 'out' / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('mine')
    assert str(path) in refused(tiny, overwrite=True)


# Runs prepare() again and again in OUT/0, OUT/1, ..., killing it at the first, second, ... change of the file system
# below that folder, until one is left to end. Each begins with a copy of the folder START.
KILLER = """
import os, shutil, signal, sys
from pathlib import Path
from cephalometric.landmarks import load_landmark_set
from cephalometric.preparation.preparing import prepare
from cephalometric.preparation.sources import ChallengeSource

stack, annotations, start, out, overwrite = sys.argv[1:]
for moment in range(1000):
    folder = Path(out, str(moment))
    shutil.copytree(start, folder)
    process = os.fork()
    if process == 0:
        left = moment
        def kill_at_moment(event, arguments):
            global left
            changes = event in ('os.rename', 'os.remove', 'os.mkdir', 'os.rmdir')
            changes = changes or event == 'open' and 'w' in str(arguments[1])
            if changes and f'{folder}/' in f'{arguments[0]}/':
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(kill_at_moment)
        source = ChallengeSource(stack, annotations)
        prepare(source, folder / 'images', load_landmark_set('isbi2015'), overwrite=overwrite == 'True')
        os._exit(0)
    if os.waitpid(process, 0)[1] == 0:
        break
"""


@pytest.mark.parametrize('overwrite', [False, True])
def test_a_run_killed_at_any_moment_never_looks_complete_and_can_be_repeated(tmp_path, overwrite):
    earlier = make_tiny_data_set(tmp_path / 'earlier', count=4)
    tiny = make_tiny_data_set(tmp_path / 'input', count=5)
    tiny.slices[:] //= 2
    tiny.write()
    start, killed = tmp_path / 'start', tmp_path / 'killed'
    start.mkdir()
    if overwrite:
        prepare(source_of(earlier), start / 'images', LANDMARKS)
        (start / 'images' / 'notes.txt').write_text('mine')
    (start / 'notes.json').write_text('mine')
    shutil.copytree(start, tmp_path / 'out')
    run(tiny, overwrite=overwrite)

    command = [sys.executable, '-c', KILLER, tiny.stack_path, tiny.annotation_path, start, killed, str(overwrite)]
    subprocess.run(command, check=True, capture_output=True)

    complete = [contents(start), contents(tmp_path / 'out')]
    assert len(list(killed.iterdir())) > 25
    for folder in killed.iterdir():
        after = contents(folder)
        if {'train.json', 'valid.json', 'test.json'} <= set(after):
            assert {name: content for name, content in after.items() if '.partial' not in name} in complete
        finished = after == complete[1]
        prepare(source_of(tiny), folder / 'images', LANDMARKS, overwrite=overwrite or finished)
        assert contents(folder) == complete[1]
