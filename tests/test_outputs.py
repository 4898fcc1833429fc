"""What commands leave on the disk, tried with real processes and the model that ships."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import pytest
from command_lines import call, rows_of
from evaluations import make_evaluation

from cephalometric.locks import locked
from cephalometric.output_folder import RECORD
from cephalometric.phantom.rendering import make_phantom
from cephalometric.results.evaluation import write_results

NASTY = [
    *(b'M\x81ller.png', 'Müller.png'.encode(), b'a' * 250 + b'.png', b'new\nline.png', b'$x$_{.png', b'_base.png'),
    *(b'esc\x1b[2J.png', b'M%81ller.png'),
]


@pytest.fixture(scope='session')
def png():
    """A small X-ray as the bytes of a PNG file."""
    return cv2.imencode('.png', make_phantom(1, 0.2).image)[1].tobytes()


@pytest.fixture
def films(tmp_path, png):
    """Three X-rays."""
    (tmp_path / 'films').mkdir()
    for name in ('a', 'b', 'c'):
        (tmp_path / 'films' / f'{name}.png').write_bytes(png)
    return tmp_path / 'films'


def tree(folder):
    """Every visible file by its path, and what is in it."""
    paths = {path.relative_to(folder): path for path in folder.rglob('*') if path.is_file()}
    return {name.as_posix(): path.read_bytes() for name, path in paths.items() if '/.' not in f'/{name.as_posix()}'}


def start(*arguments):
    # Python leaves Ctrl-C alone where it is ignored, as a shell has it for what runs in the background.
    heard = 'import signal; signal.signal(signal.SIGINT, signal.default_int_handler)'
    code = f'{heard}; from cephalometric.__main__ import main_or_exit; main_or_exit()'
    command = [sys.executable, '-c', code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(pattern, folder, process):
    """Wait until a running process has made a file."""
    until = time.monotonic() + 60
    while not list(folder.glob(pattern)):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != 'linux', reason='other systems refuse such names')
def test_one_film_never_costs_the_others_whatever_its_name(tmp_path, png):
    films, out = os.fsencode(tmp_path / 'films'), tmp_path / 'out'
    os.mkdir(films)
    for name in NASTY:
        with open(os.path.join(films, name), 'wb') as file:
            file.write(png)
    with open(os.path.join(films, b'broken\xff.png'), 'wb') as file:
        file.write(png[:40])
    process = start('predict', tmp_path / 'films', '--out', out, '--upright')
    _, stderr = process.communicate()
    assert process.returncode == 1 and 'Traceback' not in stderr and '\x1b[2J' not in stderr, stderr
    found = json.loads((out / 'predictions.json').read_bytes().decode('utf-8'))
    assert {os.path.basename(os.fsencode(image['file'])) for image in found['images']} == set(NASTY)
    assert [os.fsencode(entry['file']) for entry in found['failed']] == [os.path.join(films, b'broken\xff.png')]
    names = {image['image'] for image in found['images']}
    assert len(names) == len(NASTY) and all(name.isprintable() and len(name.encode()) < 200 for name in names)
    assert {row['image'] for row in rows_of(out / 'landmarks.csv')} == names
    assert {path.stem for path in (out / 'overlays').iterdir()} == names
    status, _, stderr = call('measure', out / 'predictions.json', '--out', tmp_path / 'measured')
    assert status == 0, stderr
    assert len(list((tmp_path / 'measured' / 'analyses').iterdir())) == len(NASTY)


def test_overwrite_takes_away_what_the_earlier_run_made_and_nothing_else(films, tmp_path):
    out = tmp_path / 'out'
    assert call('predict', films, '--out', out, '--upright')[0] == 0
    for name in ('notes.txt', 'overlays/mine.png'):
        (out / name).write_text('mine')
    (films / 'b.png').unlink()
    assert call('predict', films, '--out', out, '--upright', '--overwrite')[0] == 0
    assert {row['image'] for row in rows_of(out / 'landmarks.csv')} == {'a', 'c'}
    assert {path.name for path in (out / 'overlays').iterdir()} == {'a.jpg', 'c.jpg', 'mine.png'}
    assert (out / 'notes.txt').read_text() == 'mine'
    measured = tmp_path / 'measured'
    assert call('measure', out / 'predictions.json', '--out', measured, '--analysis', 'isbi2015', 'downs')[0] == 0
    assert len(list((measured / 'analyses').iterdir())) == 4
    again = ('measure', out / 'predictions.json', '--out', measured, '--overwrite')
    assert call(*again, '--analysis', 'downs')[0] == 0
    assert {path.name for path in (measured / 'analyses').iterdir()} == {'a_downs.png', 'c_downs.png'}
    assert call(*again, '--no-overlay')[0] == 0
    assert not (measured / 'analyses').exists()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize('earlier', [False, True])
def test_an_interrupted_predict_never_looks_complete(films, png, tmp_path, number, earlier):
    out, before = tmp_path / 'out', {}
    if earlier:
        assert call('predict', films, '--out', out, '--upright')[0] == 0
        before = tree(out)
    many = tmp_path / 'many'
    many.mkdir()
    for n in range(200):
        (many / f'{n}.png').write_bytes(png)
    arguments = ('predict', many, '--out', out, '--upright', '--batch-size', 1)
    process = start(*arguments, '--overwrite')
    wait_for('.cephalometric.*/overlays/1.jpg', out, process)
    process.send_signal(number)
    _, stderr = process.communicate()
    assert process.returncode == (130 if number == signal.SIGINT else -number) and 'Traceback' not in stderr
    if number == signal.SIGKILL:
        assert tree(out) == before
    else:
        found = json.loads((out / 'predictions.json').read_text())
        assert found['complete'] is False and json.loads((out / RECORD).read_text())['complete'] is False
        assert {entry['file'] for entry in found['images'] + found['failed']} == {str(path) for path in many.iterdir()}
        assert len(found['images']) < 200 and 'interrupted' in found['failed'][0]['error']
        assert len(list((out / 'overlays').iterdir())) == len(found['images'])
        status, _, stderr = call('measure', out / 'predictions.json', '--out', tmp_path / 'measured', '--no-overlay')
        assert status == 0 and 'warning: ' in stderr and 'not complete' in stderr
    assert call('predict', films, '--out', out, '--upright', '--overwrite')[0] == 0
    assert {path.name for path in (out / 'overlays').iterdir()} == {'a.jpg', 'b.jpg', 'c.jpg'}
    assert [path.name for path in out.glob('.*')] == [RECORD]
    assert json.loads((out / 'predictions.json').read_text())['complete'] is True


@pytest.fixture
def results(tmp_path):
    """A file of results."""
    path = tmp_path / 'data' / 'results.json'
    write_results(path, make_evaluation(tmp_path / 'data', count=3))
    return path


def commands(tmp_path, films, results):
    points = tmp_path / 'points.csv'
    points.write_text('image,landmark,x_px,y_px\nfilm,S,1,2\nfilm,N,3,4\nfilm,A,3,9\n')
    yield 'predict', films, '--upright', '--no-overlay'
    yield 'measure', points
    yield 'report', results


def test_two_runs_into_one_folder_and_folders_that_cannot_be(tmp_path, films, results):
    out = tmp_path / 'out'
    (tmp_path / 'file').write_text('mine')
    for command in commands(tmp_path, films, results):
        with locked(out):
            status, _, stderr = call(*command, '--out', out)
        assert status == 2 and str(out) in stderr and f'process {os.getpid()}' in stderr and stderr.count('\n') == 1
        assert not out.exists()
        for name in ('file', 'file/below', 'x' * 300):
            status, _, stderr = call(*command, '--out', tmp_path / name)
            assert status == 2 and stderr.startswith('error: ') and stderr.count('\n') == 1, stderr
        assert (tmp_path / 'file').read_text() == 'mine'
        assert call(*command, '--out', out)[0] == 0
        before = tree(out)
        status, _, stderr = call(*command, '--out', out)
        assert status == 2 and '--overwrite' in stderr and stderr.count('\n') == 1
        assert tree(out) == before
        assert call(*command, '--out', out, '--overwrite')[0] == 0
        assert tree(out).keys() == before.keys()
        shutil.rmtree(out)


@pytest.mark.skipif(os.name == 'nt', reason='Windows limits no files by size')
@pytest.mark.parametrize('which', [0, 1, 2])
def test_a_full_disk_is_one_line_and_leaves_the_earlier_results(tmp_path, films, results, which):
    out = tmp_path / 'out'
    command = list(commands(tmp_path, films, results))[which]
    assert call(*command, '--out', out)[0] == 0
    before = tree(out)
    words = [sys.executable, '-m', 'cephalometric', *command, '--out', out, '--overwrite']
    # As a disk without room looks to a program: no file may be longer than 0 bytes.
    done = subprocess.run(['bash', '-c', 'ulimit -f 0; "$@"', 'bash', *words], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert done.returncode == 2 and len(said) == 1 and 'Traceback' not in done.stderr, done.stderr
    assert 'File too large' in said[0]
    assert tree(out) == before and [path.name for path in out.glob('.*')] == [RECORD]


def test_measure_writes_into_its_folder_alone_whatever_a_file_says(films, tmp_path):
    out = tmp_path / 'deep' / 'out'
    assert call('predict', films / 'a.png', '--out', out, '--upright', '--no-overlay')[0] == 0
    content = json.loads((out / 'predictions.json').read_text())
    (image,) = content['images']
    names = [
        '../../x',
        str(tmp_path / 'absolute'),
        'a/b',
        'a\nb',
        '',
        '.',
        'C:\\x',
        'same',
        'SAME',
        'x' * 400,
        '\ud800',
    ]
    content['images'] = [image | {'image': name, 'slice': None} for name in names]
    for n, entry in enumerate(content['images']):
        entry['file'] = str(shutil.copy(films / 'a.png', films / f'copy{n}.png'))
    crafted = tmp_path / 'crafted.json'
    crafted.write_text(json.dumps(content))
    before = tree(tmp_path)
    status, _, stderr = call('measure', crafted, '--out', out / 'measured')
    assert status == 0, stderr
    new = tree(tmp_path).keys() - before.keys()
    assert all(name.startswith('deep/out/measured/') for name in new)
    assert len([name for name in new if name.endswith('.png')]) == len(names)
    assert len(rows_of(out / 'measured' / 'measurements.csv')) == len(names)


@pytest.mark.parametrize('way', ['parents', 'absolute', 'folder', 'link'])
def test_report_shows_no_picture_that_is_not_of_the_data(results, tmp_path, way):
    content = json.loads(results.read_text())
    secret = tmp_path / 'private' / 'secret.png'
    secret.parent.mkdir()
    first = content['images'][0]
    shutil.copy(results.parent / first['file_name'], secret)
    for image in content['images']:
        image |= {'width': first['width'], 'height': first['height']}
        image['file_name'] = {'parents': '../private/secret.png', 'absolute': str(secret), 'link': 'link.png'}.get(
            way, 'secret.png'
        )
    content['image_folder'] = str(secret.parent if way == 'folder' else results.parent)
    (results.parent / 'link.png').symlink_to(secret)
    results.write_text(json.dumps(content))
    status, _, stderr = call('report', results, '--out', tmp_path / 'report')
    assert status == 0, stderr
    assert 'data:image/jpeg' not in (tmp_path / 'report' / 'report.html').read_text(encoding='utf-8')
    assert 'is not shown' in stderr or 'warning' not in stderr


def test_report_shows_the_pictures_of_the_data_also_from_elsewhere(results, tmp_path):
    (tmp_path / 'away').mkdir()
    moved = shutil.move(results, tmp_path / 'away' / 'results.json')
    assert call('report', moved, '--out', tmp_path / 'report')[0] == 0
    assert 'data:image/jpeg' in (tmp_path / 'report' / 'report.html').read_text(encoding='utf-8')


def test_names_of_runs_and_landmarks_are_what_they_are(results, tmp_path):
    content = json.loads(results.read_text())
    names = content['landmark_set']
    names['abbreviations'][0], names['names'][0] = '$S_{', 'sella \ud800 $'
    results.write_text(json.dumps(content))
    arguments = ('report', results, results, '--out', tmp_path / 'report')
    status, _, stderr = call(*arguments, '--names', '_base', '$x$ ^_{\n\udce9')
    assert status == 0, stderr
    page = (tmp_path / 'report' / 'report.html').read_bytes().decode('utf-8')
    figures = ''.join(part.partition('</svg>')[0] for part in page.split('<svg')[1:])
    assert '_base<' in figures and '$x$ ^_{%0A%E9<' in figures and '$S_{' in figures
