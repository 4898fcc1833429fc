"""Every reader is given files that are changed in their structure: the right value, or an error of one line.

Never a traceback, a hang, a crash, a file elsewhere, or memory beyond a limit. ``make test`` tries the same inputs each
time, ``make fuzz`` others for as long as one likes.
"""

import faulthandler
import http.client
import io
import json
import os
import pickle
import random
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from dicom_films import data_set
from films import labelme_content, phantoms, points
from hypothesis import HealthCheck, given, settings
from mutations import (
    ODD_VALUES,
    chances,
    change_bytes,
    change_document,
    change_jpeg,
    change_lines,
    change_png,
    change_tiff,
    changed_json,
    changed_table,
)
from PIL import Image
from pydicom.dataset import Dataset

from cephalometric.annotations.challenge_json import read_annotations
from cephalometric.annotations.coco import load_coco
from cephalometric.annotations.csv_labels import read_any_csv
from cephalometric.annotations.labelme import read_labelme
from cephalometric.api import load_model
from cephalometric.errors import InputError, Problems
from cephalometric.landmarks import load_landmark_set
from cephalometric.measurements import load_measurements
from cephalometric.prediction.calibration import load_calibration
from cephalometric.prediction.model_folder import read_description
from cephalometric.results.evaluation import read_results, write_results
from cephalometric.results.point_files import read_point_file
from cephalometric.xrays.reading import read_xrays

LANDMARKS = load_landmark_set('isbi2015')
# What one file may need above what the process has, with room for what libraries set aside. All seeds are small.
MEMORY_LIMIT = 3 << 30
SECONDS = 60
# In make test each reader is tried for some seconds; make fuzz says how many inputs each gets.
EXAMPLES = int(os.environ.get('FUZZ_EXAMPLES', 0))

pytestmark = pytest.mark.fuzz


def fuzz(examples: int) -> Callable:
    """Give a test so many sources of chance, the same each time, or in ``make fuzz`` others and as many as it says."""

    def decorate(test: Callable) -> Callable:
        return settings(
            max_examples=EXAMPLES or examples,
            derandomize=not EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )(given(chance=chances())(test))

    return decorate


@pytest.fixture(autouse=True, scope='module')
def memory_limit() -> Iterator[None]:
    """What asks for more memory than the limit gets a MemoryError, and the test fails."""
    resource = pytest.importorskip('resource')
    old = resource.getrlimit(resource.RLIMIT_DATA)
    used = int(Path('/proc/self/statm').read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY_LIMIT, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, old)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder for inputs, beside a file that is nobody's business; nothing else may appear or change there."""
    (tmp_path / 'precious.txt').write_text('mine')
    folder = tmp_path / 'inputs'
    folder.mkdir()
    yield folder
    assert sorted(path.name for path in tmp_path.iterdir()) == ['inputs', 'precious.txt']
    assert (tmp_path / 'precious.txt').read_text() == 'mine'


@contextmanager
def right_or_refused() -> Iterator[None]:
    """What is in the block ends well, or in an error that a person can read; if it hangs, the process ends."""
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    except InputError as error:
        first, *others = str(error).splitlines()
        assert first.strip() and len(first) < 1000, error
        # More lines than one are the list of all problems.
        assert not others or first.endswith(':'), error
        assert 'Traceback' not in str(error)
        str(error).encode('utf-8')
    finally:
        faulthandler.cancel_dump_traceback_later()


def read_all(path: Path) -> None:
    """Read a file of X-rays; what comes is a picture as the networks take it."""
    with right_or_refused():
        for xray in read_xrays(path):
            assert xray.image.dtype == np.uint8 and xray.image.shape[2:] in ((), (3,)) and xray.image.size
            assert xray.spacing_mm is None or 0 < xray.spacing_mm < np.inf


def read_labels(read: Callable, path: Path) -> None:
    """Read labels; whatever comes is numbers, or marked as missing."""
    problems = Problems()
    with right_or_refused():
        for annotation in read(path, LANDMARKS, problems).values():
            assert annotation.points_px.shape == (len(LANDMARKS), 2)
            assert np.isfinite(annotation.points_px[~np.isnan(annotation.points_px).any(axis=1)]).all()
            assert annotation.spacing_mm is None or not annotation.spacing_mm <= 0
        problems.raise_if_any('problems')


FILM = phantoms()['film1'].image


def picture_bytes(suffix: str, **options: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(FILM[..., 0] if FILM.ndim == 3 else FILM).save(data, suffix, **options)
    return data.getvalue()


PICTURES = {
    'png': (picture_bytes('PNG'), change_png),
    'jpg': (picture_bytes('JPEG'), change_jpeg),
    'tif': (picture_bytes('TIFF'), change_tiff),
    'bmp': (picture_bytes('BMP'), change_bytes),
    'webp': (picture_bytes('WEBP', lossless=True), change_bytes),
}


@pytest.mark.parametrize('suffix', PICTURES)
@fuzz(120)
def test_pictures(place, suffix, chance):
    data, change = PICTURES[suffix]
    path = place / f'film.{suffix}'
    path.write_bytes(change(data, chance) if chance.random() < 0.8 else change_bytes(data, chance))
    read_all(path)


HEADER = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = {compressed}
TransformMatrix = 1 0 0 0 1 0 0 0 1
Offset = 0 0 0
CenterOfRotation = 0 0 0
AnatomicalOrientation = RAI
ElementSpacing = 0.1 0.1 1
DimSize = 40 30 2
ElementNumberOfChannels = 3
ElementType = MET_UCHAR
ElementDataFile = LOCAL
"""


@fuzz(250)
def test_metaimage(place, chance):
    import zlib

    pixels = np.arange(40 * 30 * 2 * 3, dtype=np.uint8).tobytes()
    compressed = chance.random() < 0.5
    header = change_lines(HEADER.format(compressed=compressed), chance)
    data = zlib.compress(pixels) if compressed else pixels
    if chance.random() < 0.1:
        data = zlib.compress(bytes(100_000_000))
    content = header.encode('utf-8', 'replace') + data
    path = place / 'stack.mha'
    path.write_bytes(change_bytes(content, chance) if chance.random() < 0.2 else content)
    read_all(path)


def film_in_dicom() -> Dataset:
    return data_set(
        PixelSpacing=[0.1, 0.1],
        RescaleSlope=1,
        RescaleIntercept=0,
        WindowCenter=2048,
        WindowWidth=4096,
        ImagerPixelSpacing=[0.12, 0.12],
        PatientName='A^B',
    )


@fuzz(250)
def test_dicom(place, chance):
    film = film_in_dicom()
    path = place / 'film.dcm'
    for _ in range(chance.choice((1, 1, 2, 3))):
        element = chance.choice(list(film))
        kind = chance.choice(('gone', 'empty', 'number', 'vr', 'text', 'bytes'))
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                if kind == 'gone':
                    del film[element.tag]
                elif kind == 'empty':
                    element.value = None
                elif kind == 'number':
                    element.value = chance.choice((0, 1, 2, 7, 8, 12, 16, 31, 32, 4095, 65535))
                elif kind == 'vr':
                    element.VR = chance.choice(('US', 'SS', 'DS', 'IS', 'LO', 'OW', 'OB', 'FD', 'SH'))
                elif kind == 'text':
                    element.value = str(chance.choice(ODD_VALUES[:40]))
                else:
                    element.value = change_bytes(bytes(chance.randrange(1, 50)), chance)
            except Exception:  # pydicom does not take every value; the next one does.
                continue
    data = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            film.save_as(data, enforce_file_format=False)
    except Exception:  # Nor does it write every value.
        return
    path.write_bytes(change_bytes(data.getvalue(), chance) if chance.random() < 0.4 else data.getvalue())
    read_all(path)


LABELME = labelme_content('film1', points()['film1'])


@fuzz(150)
def test_labelme(place, chance):
    (place / 'film1.json').write_bytes(changed_json(LABELME, chance))
    read_labels(read_labelme, place)


@fuzz(150)
def test_challenge_annotations(place, chance):
    path = place / 'train-gt.json'
    rows = [
        {'name': number + 1, 'point': [x, y, 1], 'scale': '0.1'}
        for number, (x, y) in enumerate(points()['film1'].tolist())
    ]
    path.write_bytes(changed_json({'name': 'Orthodontic landmarks', 'type': 'Multiple points', 'points': rows}, chance))
    read_labels(read_annotations, path)


@fuzz(150)
def test_tables_of_labels(place, chance):
    path = place / 'labels.csv'
    if chance.random() < 0.5:
        rows = [
            ['image', 'landmark', 'x', 'y'],
            *(
                ['film1.png', name, *xy]
                for name, xy in zip(LANDMARKS.abbreviations, points()['film1'].tolist(), strict=True)
            ),
        ]
    else:
        header = [f'p{k}{axis}' for k in range(1, len(LANDMARKS) + 1) for axis in 'xy']
        rows = [['image file', 'spacing(mm)', *header], ['film1.bmp', 0.1, *points()['film1'].ravel().tolist()]]
    path.write_bytes(changed_table(rows, chance))
    read_labels(read_any_csv, path)


@pytest.fixture(scope='module')
def predicted(model_folder: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from command_lines import call

    out = tmp_path_factory.mktemp('predicted') / 'results'
    status, _, errors = call(
        *('predict', data_root / 'images' / '1.png', '--model', model_folder, '--out', out, '--spacing', 0.5)
    )
    assert status == 0, errors
    return out


@fuzz(100)
def test_tables_of_predictions(predicted, place, chance):
    rows = [line.split(',') for line in (predicted / 'landmarks.csv').read_text(encoding='utf-8').splitlines()]
    path = place / 'landmarks.csv'
    path.write_bytes(changed_table(rows, chance))
    with right_or_refused():
        check_points(read_point_file(path))


def check_points(predictions) -> None:
    for xray in predictions.xrays:
        assert xray.points_px.shape == (len(predictions.landmarks), 2)
        assert not np.isinf(xray.points_px).any()
        assert xray.spacing_mm is None or 0 < xray.spacing_mm < np.inf


@fuzz(150)
def test_predictions(predicted, place, chance):
    path = place / 'predictions.json'
    path.write_bytes(changed_json(json.loads((predicted / 'predictions.json').read_text(encoding='utf-8')), chance))
    with right_or_refused():
        check_points(read_point_file(path))


@fuzz(40)
def test_measuring_changed_predictions_writes_in_its_folder_alone(predicted, place, chance):
    from command_lines import call

    content = change_document(json.loads((predicted / 'predictions.json').read_text(encoding='utf-8')), chance)
    path = place / 'predictions.json'
    path.write_text(json.dumps(content))
    shutil.rmtree(place / 'out', ignore_errors=True)
    status, _, errors = call('measure', path, '--out', place / 'out')
    assert status in (0, 1, 2) and 'Traceback' not in errors
    assert sorted(file.name for file in place.iterdir() if file.name != 'out') == ['predictions.json']


@fuzz(100)
def test_coco_files(data_root, place, chance):
    path = place / 'train.json'
    path.write_bytes(changed_json(json.loads((data_root / 'valid.json').read_text(encoding='utf-8')), chance))
    with right_or_refused():
        labelled = load_coco(path)
        for image in labelled.images:
            assert image.points_px.shape == (len(labelled.abbreviations), 2)
            assert 0 < image.spacing_mm < np.inf


@pytest.fixture(scope='module')
def results(tmp_path_factory: pytest.TempPathFactory) -> dict:
    from evaluations import make_evaluation

    folder = tmp_path_factory.mktemp('results')
    write_results(folder / 'results.json', make_evaluation(folder))
    return json.loads((folder / 'results.json').read_text(encoding='utf-8'))


@fuzz(100)
def test_results(results, place, chance):
    path = place / 'results.json'
    path.write_bytes(changed_json(results, chance))
    with right_or_refused():
        evaluation = read_results(path)
        assert evaluation.points_px.shape == (len(evaluation.images), len(evaluation.landmarks), 2)


@fuzz(100)
def test_calibrations(model_folder, place, chance):
    description = read_description(model_folder)
    path = place / 'calibration.json'
    path.write_bytes(changed_json(json.loads((model_folder / 'calibration.json').read_text(encoding='utf-8')), chance))
    with right_or_refused():
        load_calibration(path, description.landmarks, (description.weights_id,))


@fuzz(100)
def test_landmark_sets(place, chance):
    from cephalometric.landmarks import landmark_table

    path = place / 'mine.json'
    path.write_bytes(changed_json(landmark_table(LANDMARKS), chance))
    with right_or_refused():
        assert len(load_landmark_set(str(path))) > 0


OWN_MEASUREMENTS = {
    'measurements': [
        {
            'name': 'SN_Go',
            'title': 'S-N to Go',
            'unit': 'deg',
            'formula': {'angle': [['S', 'N'], ['Go', 'Me']]},
            'sign': 'larger: steeper',
            'definition': 'The angle between both lines.',
            'source': 'ours',
            'analyses': ['ours'],
        }
    ]
}


@fuzz(100)
def test_own_measurements(place, chance):
    path = place / 'ours.json'
    path.write_bytes(changed_json(OWN_MEASUREMENTS, chance))
    with right_or_refused():
        load_measurements(path)


@fuzz(60)
def test_model_folders(model_folder, place, chance):
    folder = place / 'model'
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model_folder, folder)
    victim = chance.choice([path.name for path in sorted(folder.iterdir()) if path.is_file()])
    path = folder / victim
    if path.suffix == '.json' and chance.random() < 0.8:
        path.write_bytes(changed_json(json.loads(path.read_text(encoding='utf-8')), chance))
    elif chance.random() < 0.3:
        path.unlink()
    else:
        path.write_bytes(change_bytes(path.read_bytes(), chance))
    if chance.random() < 0.5 and victim != 'model.json':
        bless(folder, victim)
    with right_or_refused():
        answer = load_model(folder).predict(FILM, spacing_mm=0.5)
        assert np.isfinite(answer.points_px).all()


def bless(folder: Path, name: str) -> None:
    """Give a changed file the checksum that it has now, as somebody would who means harm."""
    import hashlib

    description = json.loads((folder / 'model.json').read_text(encoding='utf-8'))
    if name in description.get('files', {}) and (folder / name).is_file():
        description['files'][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / 'model.json').write_text(json.dumps(description))


class Harm:
    """Unpickling it would run a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.path}',)


@fuzz(80)
def test_checkpoints(place, chance):
    import torch

    from cephalometric.training.checkpoints import load_from_checked_file

    evil = place.parent / 'harm'
    content = {'state_dict': {'a.weight': torch.zeros(3, 2)}, 'meta': {'epoch': 1, 'names': ['a']}, 'optimizer': {}}
    if chance.random() < 0.3:
        content['meta']['x'] = Harm(evil)
    path = place / 'epoch_1.pth'
    if chance.random() < 0.2:
        path.write_bytes(pickle.dumps(content, protocol=chance.choice((0, 2, 4))))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=chance.random() < 0.8)
    if chance.random() < 0.7:
        path.write_bytes(change_bytes(path.read_bytes(), chance))
    with right_or_refused():
        assert load_from_checked_file(str(path))['state_dict']
    assert not evil.exists()


SERVER = """
import sys, threading
from cephalometric.serving import serve
serve(lambda: None, host='127.0.0.1', port=int(sys.argv[1]))
"""


@pytest.fixture(scope='module')
def server() -> Iterator[int]:
    """The server of the container, as it is configured there; its job does nothing."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, '-c', SERVER, str(port)], stdout=subprocess.PIPE, text=True)
    assert 'Listening' in process.stdout.readline()
    yield port
    assert process.poll() is None
    process.terminate()
    process.wait(20)


REQUEST = b'POST /invoke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\n{}'


@fuzz(80)
def test_http(server, chance):
    request = chance.choice((REQUEST, REQUEST.replace(b'POST /invoke', b'GET /health'), REQUEST[:40]))
    request = change_bytes(request, chance)
    if chance.random() < 0.2:
        request = request.replace(b'Content-Length: 2', b'Content-Length: 99999999999')
    with socket.create_connection(('127.0.0.1', server), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1000)
        assert not answer or answer.startswith(b'HTTP/1.')
    connection = http.client.HTTPConnection('127.0.0.1', server, timeout=20)
    connection.request('GET', '/health')
    assert connection.getresponse().status == 200
    connection.close()


def test_changes_change_and_repeat():
    first, second = (changed_json(LABELME, random.Random(3)) for _ in range(2))
    assert first == second and len({changed_json(LABELME, random.Random(seed)) for seed in range(50)}) > 40
