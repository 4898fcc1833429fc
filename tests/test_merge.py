"""Parts of a prediction joined: the same to the bit as one run, and what does not belong together is refused."""

import json
import shutil

import cv2
import pytest
from command_lines import call, rows_of

from cephalometric.phantom.rendering import make_phantom

FLAGS = ('--upright', '--workers', 1)


@pytest.fixture(scope='module')
def archive(tmp_path_factory):
    """Five files of three patients, one of them damaged, one run over them, and its three parts."""
    folder = tmp_path_factory.mktemp('archive')
    png = cv2.imencode('.png', make_phantom(1, 0.2).image)[1].tobytes()
    for n, name in enumerate(('p1/a.png', 'p1/b.png', 'p2/a.png', 'p2/c.png', 'p3/a.png')):
        path = folder / 'films' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png if n != 3 else png[:50])
    flags = ('predict', folder / 'films', '--recursive', *FLAGS)
    assert call(*flags, '--out', folder / 'one')[0] == 1
    for n in (1, 2, 3):
        assert call(*flags, '--shard', f'{n}/3', '--out', folder / f'part{n}')[0] == (n == 3)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()
    }


def test_parts_that_are_joined_in_any_order_are_the_same_to_the_bit_as_one_run(archive, tmp_path):
    parts = [archive / f'part{n}' for n in (3, 1, 2)]
    before = [contents(part) for part in parts]
    status, stdout, stderr = call('merge', *parts, '--out', tmp_path / 'joined')
    assert status == 1 and '4 X-rays' in stdout and '1 files could not be read' in stdout and not stderr
    assert contents(tmp_path / 'joined') == contents(archive / 'one')
    assert [contents(part) for part in parts] == before
    names = [row['image'] for row in rows_of(tmp_path / 'joined' / 'measurements.csv')]
    assert names == ['p1_a_png', 'b', 'p2_a_png', 'p3_a_png']
    status, _, stderr = call('merge', *parts, '--out', tmp_path / 'joined')
    assert status == 2 and '--overwrite' in stderr


def test_missing_parts_are_named_and_joined_when_told(archive, tmp_path):
    status, _, stderr = call('merge', archive / 'part2', '--out', tmp_path / 'joined')
    assert status == 2 and 'part 1/3, 3/3 is missing' in stderr and not (tmp_path / 'joined').exists()
    assert call('merge', archive / 'part2', '--out', tmp_path / 'joined', '--incomplete')[0] == 0
    assert json.loads((tmp_path / 'joined' / 'predictions.json').read_text())['complete'] is False


def altered(part, folder, change):
    shutil.copytree(part, folder)
    content = json.loads((folder / 'predictions.json').read_text())
    change(content)
    (folder / 'predictions.json').write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda content: content['model'].update(weights_ids=['other']), 'another weights_ids'),
        (lambda content: content['run'].update(calibration='other'), 'another calibration'),
        (lambda content: content['run'].update(inputs='other'), 'no part of the same division'),
        (lambda content: content['run'].update(shard=[2, 4]), 'no part of the same division'),
        (lambda content: content['run'].update(shard=[1, 3]), 'are both part 1'),
        (lambda content: content['run'].update(shard=None), 'no part of the same division'),
        (lambda content: content.update(complete=False), 'is not complete'),
    ],
)
def test_what_does_not_belong_together_is_refused(archive, tmp_path, change, words):
    other = altered(archive / 'part2', tmp_path / 'other', change)
    status, _, stderr = call('merge', archive / 'part1', other, archive / 'part3', '--out', tmp_path / 'joined')
    assert status == 2 and words in stderr and stderr.count('\n') == 1
    assert not (tmp_path / 'joined').exists()


def test_whole_runs_are_joined_unless_they_overlap(archive, tmp_path):
    for patient in ('p1', 'p3'):
        assert call('predict', archive / 'films' / patient, *FLAGS, '--out', tmp_path / patient)[0] == 0
    status, _, stderr = call('merge', tmp_path / 'p1', tmp_path / 'p3', '--out', tmp_path / 'joined')
    assert status == 2 and 'a (' in stderr and 'p1' in stderr and 'p3' in stderr  # Both have an X-ray called a.
    assert call('predict', archive / 'films' / 'p1' / 'b.png', *FLAGS, '--out', tmp_path / 'b')[0] == 0
    assert call('merge', tmp_path / 'b', tmp_path / 'p3', '--out', tmp_path / 'joined')[0] == 0
    assert [row['image'] for row in rows_of(tmp_path / 'joined' / 'measurements.csv')] == ['b', 'a']
    status, _, stderr = call('merge', tmp_path / 'b', tmp_path / 'p1', '--out', tmp_path / 'again')
    assert status == 2 and 'b (' in stderr
    assert call('merge', tmp_path / 'nothing', '--out', tmp_path / 'again')[0] == 2


@pytest.mark.parametrize('text', ['0/3', '4/3', '3', '1/0', 'a/b', '-1/3'])
def test_a_part_that_cannot_be_is_refused(archive, tmp_path, text):
    status, _, stderr = call('predict', archive / 'films' / 'p1', f'--shard={text}', '--out', tmp_path / 'out')
    assert status == 2 and stderr == f'error: --shard {text}: say which part of how many, such as 3/16\n'
