"""Runs over many films: interrupted at any moment they go on to the same results, in order, in bounded memory."""

import json
import os
import signal
import subprocess
import sys
import time

import cv2
import pytest
from command_lines import call, rows_of

from cephalometric.output_folder import RECORD
from cephalometric.phantom.rendering import make_phantom

COUNT = 70  # More than PROCESSES_FROM.


@pytest.fixture(scope='module')
def films(tmp_path_factory):
    """Many small X-rays, which are links to three files and a damaged one."""
    folder = tmp_path_factory.mktemp('many')
    pngs = [cv2.imencode('.png', make_phantom(seed, 0.15).image)[1].tobytes() for seed in range(3)]
    for n in range(COUNT):
        (folder / f'film{n}.png').write_bytes(pngs[n % 3] if n != 40 else b'nothing')
    return folder


@pytest.fixture(scope='module')
def flags(model_folder):
    """The flags of all runs: a tiny model, so that most of the time is not that of networks."""
    return ('--upright', '--flag-mm', 2, '--model', model_folder)


@pytest.fixture(scope='module')
def whole(films, flags, tmp_path_factory):
    """What a run by one worker without an interruption makes of them."""
    out = tmp_path_factory.mktemp('whole') / 'out'
    status, _, stderr = call('predict', films, '--out', out, *flags, '--workers', 1)
    assert status == 1
    return contents(out), said(stderr)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def said(stderr):
    """The lines of warnings and errors, without the progress bar."""
    return [line for line in stderr.replace('\r', '\n').splitlines() if line.startswith(('warning: ', 'error: '))]


def start(*arguments):
    heard = 'import signal; signal.signal(signal.SIGINT, signal.default_int_handler)'
    code = f'{heard}; from cephalometric.__main__ import main_or_exit; main_or_exit()'
    # A group of its own, which gets the signal as a terminal or a queue would send it.
    return subprocess.Popen(
        [sys.executable, '-c', code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def interrupt(process, folder, done, number):
    """Send a signal to all processes of a run, when so many films are drawn."""
    until = time.monotonic() + 100
    while len(list(folder.glob('.cephalometric.*/overlays/*.jpg'))) < done:
        assert time.monotonic() < until and process.poll() is None, process.communicate()
        time.sleep(0.005)
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=100)
    assert 'Traceback' not in stderr, stderr
    return process.returncode, stderr


def test_two_processes_give_the_same_bits_and_warnings_in_the_same_order(films, whole, flags, tmp_path):
    process = start('predict', films, '--out', tmp_path / 'out', *flags, '--workers', 2)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 1 and contents(tmp_path / 'out') == whole[0]
    assert said(stderr) == whole[1]


@pytest.mark.skipif(os.name == 'nt', reason='Windows has no groups of processes')
def test_interrupted_again_and_again_it_goes_on_to_the_same_results(films, whole, flags, tmp_path):
    out = tmp_path / 'out'
    arguments = ('predict', films, '--out', out, *flags, '--workers', 2)
    status, _ = interrupt(start(*arguments), out, 10, signal.SIGKILL)
    assert status == -signal.SIGKILL and not (out / 'predictions.json').exists()
    status, _, stderr = call(*arguments)
    assert status == 2 and '--resume' in stderr and '--overwrite' in stderr and stderr.count('\n') == 1
    status, _, stderr = call(*arguments, '--resume', '--flag-mm', 3)
    assert status == 2 and '--flag-mm was 2.0 and is 3.0' in stderr
    status, stderr = interrupt(start(*arguments, '--resume'), out, 25, signal.SIGTERM)
    assert status == 143 and '--resume goes on' in stderr
    found = json.loads((out / 'predictions.json').read_text())
    assert found['complete'] is False and 5 < len(found['images']) < COUNT - 1
    assert len(found['images']) + len(found['failed']) == COUNT
    assert len(list((out / 'overlays').iterdir())) == len(found['images'])
    (out / 'overlays' / 'film3.jpg').unlink()  # It is drawn again.
    status, _, stderr = call(*arguments, '--resume')
    assert status == 1 and 'going on after' in stderr
    assert contents(out) == whole[0] and [path.name for path in out.glob('.*')] == [RECORD]
    status, stdout, _ = call(*arguments, '--resume')
    assert status == 1 and 'complete already' in stdout


def test_resume_begins_a_run_where_there_is_none_and_overwrite_begins_anew(films, tmp_path):
    few = [films / f'film{n}.png' for n in range(2)]
    arguments = ('predict', *few, '--out', tmp_path / 'out', '--upright', '--no-overlay')
    assert call(*arguments, '--resume')[0] == 0
    status, _, stderr = call('predict', films / 'film5.png', *arguments[2:], '--resume')
    assert status == 2 and 'another kind (inputs was' in stderr
    assert call('predict', films / 'film5.png', *arguments[3:], '--overwrite')[0] == 0
    assert [row['image'] for row in rows_of(tmp_path / 'out' / 'measurements.csv')] == ['film5']


def test_overlays_of_full_size_are_made_on_request(films, tmp_path):
    out = tmp_path / 'out'
    assert call('predict', films / 'film0.png', '--out', out, '--upright', '--overlay-format', 'png')[0] == 0
    picture, image = cv2.imread(str(out / 'overlays' / 'film0.png')), cv2.imread(str(films / 'film0.png'))
    assert picture.shape == image.shape and (picture != image).any()


PEAK = """
import resource, sys
from cephalometric.commands.film_run import Inputs
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import load_measurements, measurements_for
from cephalometric.reporting.result_files import ResultFiles
from cephalometric.results.stored_xrays import read_predictions
from pathlib import Path
folder, count, entry = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_text()
landmarks = load_landmark_set('cldetection2023')
model = {'names': ['m'], 'cephalometric': '1', 'flag_mm': 3.0}
measurements = measurements_for(landmarks, load_measurements())
results = ResultFiles(folder, landmarks, measurements, model, {}, True)
for n in range(count):
    results.add(entry.replace('"image": "film', f'"image": "film{n}_'))
results.finish({}, True, lambda xray: None)
assert sum(1 for _ in read_predictions(folder / 'predictions.json').xrays) == count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='what getrusage says differs')
def test_memory_does_not_grow_with_the_number_of_films(whole, tmp_path):
    entry = json.loads(whole[0]['predictions.json'])['images'][0]
    (tmp_path / 'entry.json').write_text(json.dumps(entry))
    peaks = []
    for count in (300, 3300):
        folder = tmp_path / str(count)
        folder.mkdir()
        words = [sys.executable, '-c', PEAK, folder, str(count), tmp_path / 'entry.json']
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 10, peaks  # 3,000 entries are 40 MB as text, and 200 MB in memory.
