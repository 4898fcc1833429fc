"""The command predict by real command lines on a trained model: every format, every failure, and what stays private."""

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pydicom
import pytest
from command_lines import call, rows_of
from conftest import ROOT, run_python
from pydicom.dataset import FileDataset, FileMetaDataset

import cephalometric
from cephalometric.annotations.coco import load_coco
from cephalometric.api import load_model
from cephalometric.output_folder import RECORD

SECRETS = ('ROENTGEN', 'ANNA BERTHA', 'PID-4711', '19010203', 'DR WURZBURG', 'HOSPITAL SECRET')
# Audit hooks see every socket, whoever opens it and in whatever language.
NO_NETWORK = """
import runpy, sys
def refuse(event, _):
    if event.startswith(('socket.', 'urllib.', 'http.', 'ftplib.', 'smtplib.')) and event != 'socket.gethostname':
        raise AssertionError(f'network: {event}')
sys.addaudithook(refuse)
runpy.run_module('cephalometric', run_name='__main__')
"""


@pytest.fixture(scope='module')
def film(data_root):
    """A small synthetic X-ray and its spacing."""
    labelled = load_coco(data_root / 'test.json')
    image = cv2.imread(str(labelled.image_path(labelled.images[0])), cv2.IMREAD_GRAYSCALE)
    return image, labelled.images[0].spacing_mm


@pytest.fixture(scope='module')
def model(model_folder):
    """The flags of a tiny trained model with a calibration."""
    return ['--model', str(model_folder)]


def write_dicom(path, image, spacing_mm):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    film = FileDataset(str(path), {}, file_meta=meta, preamble=b'\0' * 128)
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    film.Modality = 'DX'
    film.PatientName, film.PatientID, film.PatientBirthDate = 'ROENTGEN^ANNA BERTHA', 'PID-4711', '19010203'
    film.ReferringPhysicianName, film.InstitutionName = 'DR WURZBURG', 'HOSPITAL SECRET'
    film.Rows, film.Columns = image.shape
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, 'MONOCHROME2'
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 8, 8, 7, 0
    film.PixelSpacing = [spacing_mm, spacing_mm]
    film.PixelData = image.tobytes() + b'\0' * (image.size % 2)
    film.save_as(path, enforce_file_format=True)


@pytest.fixture(scope='module')
def films(film, phantom_stack, tmp_path_factory):
    """A folder with the same X-ray in every format, a stack, and a file that is no X-ray."""
    image, spacing_mm = film
    folder = tmp_path_factory.mktemp('films')
    for suffix in ('png', 'bmp', 'tif'):
        cv2.imwrite(str(folder / f'{suffix}_film.{suffix}'), image)
    cv2.imwrite(str(folder / 'jpg_film.jpg'), image, [cv2.IMWRITE_JPEG_QUALITY, 98])
    cv2.imwrite(str(folder / 'deep.png'), image.astype(np.uint16) * 257)
    cv2.imwrite(str(folder / 'colour.png'), cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    write_dicom(folder / 'dicom.dcm', image, spacing_mm)
    shutil.copy(phantom_stack / 'train_stack.mha', folder / 'stack.mha')
    (folder / 'broken.png').write_bytes(b'\x89PNG\r\n\x1a\n but no more')
    return folder


@pytest.fixture(scope='module')
def everything(films, model, tmp_path_factory):
    """All of them predicted in one run by a process that may not touch the network."""
    out = tmp_path_factory.mktemp('results') / 'new' / 'out'
    done = run_python('-c', NO_NETWORK, 'predict', films, *model, '--out', out, '--batch-size', 3, check=1)
    return out, done


def test_every_format_is_predicted_the_same_and_without_network(everything, film):
    out, done = everything
    assert 'network' not in done.stderr
    images = {entry['image']: entry for entry in json.loads((out / 'predictions.json').read_text())['images']}
    assert len(images) == 7 + 11 and 'stack_011' in images
    points = {
        name: np.array([[row['x_px'], row['y_px']] for row in entry['landmarks']]) for name, entry in images.items()
    }
    for name in ('bmp_film', 'tif_film', 'colour', 'dicom'):
        np.testing.assert_allclose(points[name], points['png_film'], atol=0.01, err_msg=name)
    for name in ('deep', 'jpg_film'):  # Slightly other grey levels, by which so coarse a model may choose other pixels.
        assert np.median(np.abs(points[name] - points['png_film'])) < 0.5
    predictor_sees, _ = film
    assert (images['png_film']['height'], images['png_film']['width']) == predictor_sees.shape
    assert images['stack_002']['slice'] == 2 and images['png_film']['slice'] is None


def test_upright_films_are_predicted_as_they_are(films, film, model, tmp_path):
    flags = (*model, '--out', tmp_path / 'out', '--upright', '--no-overlay')
    assert call('predict', films / 'png_film.png', *flags)[0] == 0
    rows = rows_of(tmp_path / 'out' / 'landmarks.csv')
    found = np.array([[row['x_px'], row['y_px']] for row in rows], float)
    result = load_model(model[-1]).predict(film[0], upright=True)
    np.testing.assert_allclose(found, result.points_px, atol=0.01)


def test_a_broken_file_is_reported_and_costs_the_others_nothing(everything, films):
    out, done = everything
    assert f'error: {films / "broken.png"}' in done.stderr and 'Traceback' not in done.stderr
    assert '1 files could not be read' in done.stdout
    (failed,) = json.loads((out / 'predictions.json').read_text())['failed']
    assert failed['file'] == str(films / 'broken.png') and failed['error']


def test_millimetres_are_where_a_spacing_is_known(everything, film):
    out, _ = everything
    rows = {row['image']: row for row in rows_of(out / 'landmarks.csv')}
    assert float(rows['dicom']['x_mm']) == pytest.approx(float(rows['dicom']['x_px']) * film[1], abs=0.01)
    assert rows['png_film']['x_mm'] == '' and float(rows['png_film']['expected_error_mm']) > 0
    measured = {row['image']: row for row in rows_of(out / 'measurements.csv')}
    assert measured['dicom']['wits (mm)'] and not measured['png_film']['wits (mm)']
    assert measured['png_film']['SNA (deg)'] == measured['tif_film']['SNA (deg)'] != ''


def test_every_xray_has_an_overlay_of_its_size(everything, film):
    out, _ = everything
    overlays = {path.stem: path for path in (out / 'overlays').iterdir()}
    assert overlays.keys() == {row['image'] for row in rows_of(out / 'landmarks.csv')}
    picture = cv2.imread(str(overlays['png_film']))
    assert picture.shape == (*film[0].shape, 3)
    assert (picture != film[0][..., None]).any(axis=2).mean() > 0.01


def test_nothing_about_the_patient_is_in_any_output(everything, films):
    out, done = everything
    assert b'ANNA BERTHA' in (films / 'dicom.dcm').read_bytes()
    written = b''.join(path.read_bytes() for path in out.rglob('*') if path.is_file())
    written += (done.stdout + done.stderr).encode()
    assert b'dicom' in written
    assert [secret for secret in SECRETS if secret.encode() in written] == []
    assert str(ROOT).encode() not in written


def test_no_temporary_file_stays(everything):
    assert not [path for path in everything[0].rglob('*') if 'partial' in path.name]


def test_a_second_run_overwrites_only_when_told(everything, films, model):
    out, _ = everything
    before = (out / 'landmarks.csv').read_bytes()
    arguments = ('predict', films / 'png_film.png', *model, '--out', out, '--no-overlay')
    status, _, stderr = call(*arguments)
    assert status == 2 and stderr.startswith('error: ') and '--overwrite' in stderr
    assert (out / 'landmarks.csv').read_bytes() == before
    mine = out / 'notes.txt'
    mine.write_text('keep me')
    assert call(*arguments, '--overwrite')[0] == 0
    assert len(rows_of(out / 'landmarks.csv')) == 38 and mine.read_text() == 'keep me'
    assert not (out / 'overlays').exists()


def test_a_page_shows_every_film_and_what_could_not_be_read(films, model, tmp_path):
    (tmp_path / 'broken.png').write_bytes(b'nothing')
    arguments = ('predict', films / 'png_film.png', tmp_path / 'broken.png', *model, '--out', tmp_path / 'out')
    assert call(*arguments, '--no-overlay', '--upright')[0] == 1
    page = (tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    assert page.count('<article class="film"') == 1 and 'data:image/jpeg;base64,' in page
    assert 'broken.png: not an X-ray file' in page and 'SNA' in page


def test_a_spacing_that_is_given_goes_first_and_without_overlays_and_page_none_are_drawn(films, model, tmp_path):
    arguments = ('predict', films / 'png_film.png', *model, '--out', tmp_path / 'out', '--no-overlay', '--upright')
    arguments = (*arguments, '--no-page')
    assert call(*arguments, '--spacing', 0.5, '--flag-mm', 0.001)[0] == 0
    row = rows_of(tmp_path / 'out' / 'landmarks.csv')[5]
    assert float(row['x_mm']) == pytest.approx(float(row['x_px']) / 2, abs=0.01)
    assert row['flagged'] == 'yes' and 'orientation' not in row
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {
        RECORD,
        'landmarks.csv',
        'measurements.csv',
        'predictions.json',
    }


def test_without_a_calibration_nothing_is_assessed_and_that_is_said(films, other_model, tmp_path):
    flags = ('--model', other_model, '--out', tmp_path / 'out', '--upright', '--no-overlay')
    status, stdout, stderr = call('predict', films / 'png_film.png', *flags)
    assert status == 0 and 'no calibration' in stderr and '0 landmarks flagged' not in stdout
    rows = rows_of(tmp_path / 'out' / 'landmarks.csv')
    # So young a model may doubt the X-ray, and all its landmarks are flagged then; otherwise nothing is said of them.
    assert 'expected_error_mm' not in rows[0] and {row.get('flagged', '') for row in rows} <= {'', 'yes'}
    assert 'not assessed' in stdout or 'doubtful' in stdout


def test_several_models_are_an_ensemble_with_a_calibration_of_its_own(
    films, film, model_folder, other_model, data_root, tmp_path
):
    flags = ('--model', model_folder, other_model)
    assert call('calibrate', data_root / 'valid.json', *flags, '--out', tmp_path / 'both.json')[0] == 0
    arguments = ('predict', films / 'dicom.dcm', *flags, '--out', tmp_path / 'out', '--upright', '--no-overlay')
    assert call(*arguments, '--calibration', tmp_path / 'both.json')[0] == 0
    rows = rows_of(tmp_path / 'out' / 'landmarks.csv')
    members = [load_model(path).predict(film[0], upright=True).points_px for path in flags[1:]]
    found = np.array([[row['x_px'], row['y_px']] for row in rows], float)
    np.testing.assert_allclose(found, np.mean(members, axis=0), atol=0.01)
    assert all(float(row['expected_error_mm']) > 0 for row in rows)
    about = json.loads((tmp_path / 'out' / 'predictions.json').read_text())['model']
    assert len(about['weights_ids']) == 2 and about['cephalometric'] == cephalometric.__version__


def test_a_calibration_of_other_models_is_refused(films, model_folder, other_model, tmp_path):
    flags = ('--model', other_model, '--calibration', model_folder / 'calibration.json', '--out', tmp_path / 'out')
    status, _, stderr = call('predict', films / 'png_film.png', *flags)
    assert status == 2 and 'made for other models' in stderr
    assert not (tmp_path / 'out').exists()


def test_subfolders_are_named_and_found_when_told(film, model, tmp_path):
    (tmp_path / 'scans' / 'monday').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'scans' / 'monday' / 'film.png'), film[0])
    arguments = ('predict', tmp_path / 'scans', *model, '--upright')
    status, _, stderr = call(*arguments, '--out', tmp_path / 'out')
    assert status == 2 and '--recursive' in stderr and 'monday' in stderr
    assert call(*arguments, '--out', tmp_path / 'scans' / 'results', '--recursive')[0] == 0
    assert call(*arguments, '--out', tmp_path / 'scans' / 'again', '--recursive')[0] == 0
    # The overlays of the first run are no X-rays.
    assert {row['image'] for row in rows_of(tmp_path / 'scans' / 'again' / 'landmarks.csv')} == {'film'}
    cv2.imwrite(str(tmp_path / 'scans' / 'film.png'), film[0])
    status, _, stderr = call(*arguments, '--out', tmp_path / 'third')
    assert status == 0 and 'subfolders are not looked into' in stderr and '--recursive' in stderr


def test_a_blank_film_is_all_flagged_with_a_warning(model, tmp_path):
    cv2.imwrite(str(tmp_path / 'blank.png'), np.zeros((240, 200), np.uint8))
    status, stdout, stderr = call('predict', tmp_path / 'blank.png', *model, '--out', tmp_path / 'out')
    assert status == 0 and 'blank' in stderr and '38 landmarks flagged, 1 X-rays doubtful' in stdout
    assert {row['flagged'] for row in rows_of(tmp_path / 'out' / 'landmarks.csv')} == {'yes'}


def test_equal_names_from_two_folders_do_not_collide(film, model, tmp_path):
    for folder in ('monday', 'tuesday'):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / 'film.png'), film[0])
    inputs = (tmp_path / 'monday', str(tmp_path / 'tues*' / '*.png'))
    assert call('predict', *inputs, *model, '--out', tmp_path / 'out', '--upright')[0] == 0
    names = {row['image'] for row in rows_of(tmp_path / 'out' / 'landmarks.csv')}
    assert len(names) == 2 == len(list((tmp_path / 'out' / 'overlays').iterdir()))


@pytest.mark.parametrize(
    'flags, words',
    [
        (('--spacing', 0), '0'),
        (('--spacing', -1), '-1'),
        (('--batch-size', 0), '--batch-size 0'),
        (('--flag-mm', 'nan'), '--flag-mm nan'),
        (('--model', 'missing'), 'missing: there is no such model folder'),
        (('--calibration', 'missing.json'), 'missing.json cannot be read'),
        (('--backend', 'onnxruntime', '--cuda_id', 0), '--backend torch'),
    ],
)
def test_mistakes_end_with_status_2_one_line_and_no_folder(films, model, tmp_path, flags, words):
    right = (*model, '--out', tmp_path / 'out')
    status, _, stderr = call('predict', films / 'png_film.png', *right, *flags)
    assert status == 2 and stderr.startswith('error: ') and words in stderr and stderr.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_inputs_that_are_not_there_or_that_lie_among_the_overlays(films, model, tmp_path):
    status, _, stderr = call('predict', tmp_path / 'nothing.png', *model, '--out', tmp_path / 'out')
    assert status == 2 and 'nothing.png' in stderr
    (tmp_path / 'out' / 'overlays').mkdir(parents=True)
    shutil.copy(films / 'png_film.png', tmp_path / 'out' / 'overlays')
    arguments = ('predict', tmp_path / 'out' / 'overlays', *model, '--out', tmp_path / 'out', '--overwrite')
    status, _, stderr = call(*arguments)
    assert status == 2 and 'might be overwritten' in stderr
    (tmp_path / 'file').write_text('')
    status, _, stderr = call('predict', films / 'png_film.png', *model, '--out', tmp_path / 'file')
    assert status == 2 and 'is a file' in stderr


def test_a_first_prediction_waits_for_nothing_that_it_does_not_need():
    code = (
        'import sys, cephalometric.commands.predict\n'
        'print(sorted({"scipy.stats", "matplotlib", "reportlab", "pypdfium2", "torch"} & set(sys.modules)))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == '[]', done.stdout + done.stderr
