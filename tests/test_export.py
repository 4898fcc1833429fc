"""Export by the command, for each kind of model: complete, checked, documented, or nothing at all."""

import json
import sys

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from command_lines import call, rows_of
from conftest import ROOT, TINY_COARSE_TO_FINE, TINY_RECIPE, run_python

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.files import sha256
from cephalometric.geometry import mean_layout_mm
from cephalometric.landmarks import landmark_table, load_landmark_set
from cephalometric.prediction.export import export_predictor
from cephalometric.prediction.predictor import CephalometricPredictor, build_model
from cephalometric.training.config import load_config

RTMPOSE = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'


@pytest.fixture(scope='module')
def labelled(data_root):
    return load_coco(data_root / 'test.json')


@pytest.fixture(scope='module')
def xrays(labelled):
    return [read_image(labelled, image) for image in labelled.images]


@pytest.fixture(scope='module')
def coarse_to_fine(labelled, tmp_path_factory):
    """Weights at random with a true mean layout: its patches lie where those of a trained model lie."""
    torch.manual_seed(0)
    model = build_model(load_config(TINY_COARSE_TO_FINE))
    points_px = np.stack([image.points_px for image in labelled.images])
    spacings_mm = np.array([image.spacing_mm for image in labelled.images])
    model.set_mean_layout(mean_layout_mm(points_px, spacings_mm))
    weights = tmp_path_factory.mktemp('coarse_to_fine') / 'weights.pth'
    torch.save({'state_dict': model.state_dict()}, weights)
    return weights


def test_the_command_exports_what_predict_runs(trained, data_root, labelled, tmp_path):
    weights, out = trained / 'best_model_weight.pth', tmp_path / 'out'
    films = [labelled.image_path(image) for image in labelled.images]
    flags = ('--config', TINY_RECIPE, '--checkpoint', weights)
    # A process of its own: ONNX Runtime and the exporter write to stderr past Python.
    done = run_python('-m', 'cephalometric', 'export', *flags, '--out', out, '--check', *films)
    assert 'On 3 X-rays' in done.stdout and str(out) in done.stdout
    assert done.stderr == ''
    by_onnx = ('--config', out / 'config.py', '--checkpoint', out / 'export.json', '--backend', 'onnxruntime')
    results = {}
    for name, model in {'torch': flags, 'onnxruntime': by_onnx}.items():
        done = run_python('-m', 'cephalometric', 'predict', *films, *model, '--out', tmp_path / name, '--no-overlay')
        assert 'onnx' not in done.stderr.lower().replace(str(tmp_path).lower(), '').replace('--backend onnx', '')
        results[name] = rows_of(tmp_path / name / 'landmarks.csv')
    assert len(results['torch']) == len(results['onnxruntime']) > 0
    for one, other in zip(results['torch'], results['onnxruntime'], strict=True):
        assert float(one['x_px']) == pytest.approx(float(other['x_px']), abs=0.1)
        assert float(one['y_px']) == pytest.approx(float(other['y_px']), abs=0.1)


def test_the_checksums_are_those_of_the_files(trained, xrays, tmp_path):
    weights = trained / 'best_model_weight.pth'
    distance_px = export_predictor(load_config(TINY_RECIPE), weights, tmp_path / 'out', xrays)
    description = json.loads((tmp_path / 'out' / 'export.json').read_text())
    names = {path.name for path in (tmp_path / 'out').iterdir()}
    assert names == {'config.py', 'search.onnx', 'export.json', 'export.calibration.json'}
    assert description['files'] == {name: sha256(tmp_path / 'out' / name) for name in ('config.py', 'search.onnx')}
    assert description['weights_sha256'] == sha256(weights)
    assert description['checked_against_pytorch']['largest_distance_px'] == pytest.approx(distance_px, abs=1e-6)
    assert description['landmarks'] == list(load_landmark_set('cldetection2023').abbreviations)


def test_the_description_is_enough_to_rebuild_the_search(trained, xrays, tmp_path):
    """From export.json and search.onnx alone, by numpy and by another way of taking pixels."""
    weights = trained / 'best_model_weight.pth'
    export_predictor(load_config(TINY_RECIPE), weights, tmp_path / 'out', xrays)
    search = json.loads((tmp_path / 'out' / 'export.json').read_text())['search']
    session = onnxruntime.InferenceSession(tmp_path / 'out' / search['network']['file'])
    expected = CephalometricPredictor(load_config(TINY_RECIPE), weights).predict(xrays[0])
    points, scores = rebuilt_search(session, search, xrays[0])
    np.testing.assert_allclose(points, expected.points_px, atol=0.1)
    np.testing.assert_allclose(scores, expected.scores, atol=0.01)


def rebuilt_search(session, search, image):
    (width, height), (columns, rows) = search['preprocessing']['input_size'], search['decoding']['heatmap_size']
    h, w = image.shape
    region_w = max(w - 1, (h - 1) * width / height)
    region_h = region_w * height / width
    left, top = (w - 1) / 2 - region_w / 2, (h - 1) / 2 - region_h / 2
    x = (left + np.arange(width) * region_w / (width - 1)).astype(np.float32)
    y = (top + np.arange(height) * region_h / (height - 1)).astype(np.float32)
    grey = cv2.remap(image, *np.meshgrid(x, y), cv2.INTER_LINEAR)
    (heatmaps,) = session.run(None, {'images': np.stack([grey] * 3)[None]})
    points, scores = [], []
    for logits in heatmaps[0]:
        heat = np.exp(logits - logits.max())
        heat *= search['decoding']['softmax_scale'] / heat.sum()
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        size = search['decoding']['blur_kernel_size']
        padded = np.pad(heat, size // 2)
        blurred = cv2.GaussianBlur(padded, (size, size), 0.3 * ((size - 1) * 0.5 - 1) + 0.8)
        blurred = blurred[size // 2 : -(size // 2), size // 2 : -(size // 2)]
        surface = np.log(np.maximum(blurred * heat.max() / blurred.max(), 0.001))
        near = np.pad(surface, 1, mode='edge')[row : row + 3, column : column + 3].astype(float)
        dx, dy = (near[1, 2] - near[1, 0]) / 2, (near[2, 1] - near[0, 1]) / 2
        dxx, dyy = near[1, 2] - 2 * near[1, 1] + near[1, 0], near[2, 1] - 2 * near[1, 1] + near[0, 1]
        dxy = (near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
        determinant, step = dxx * dyy - dxy**2, np.zeros(2)
        if dxx < 0 and determinant > 1e-9:
            step = np.clip([(dxy * dy - dyy * dx) / determinant, (dxy * dx - dxx * dy) / determinant], -1, 1)
        cell = np.clip([column + step[0], row + step[1]], 0, [columns - 1, rows - 1])
        points.append([cell[0] / (columns - 1) * region_w + left, cell[1] / (rows - 1) * region_h + top])
        scores.append(min(heat.max(), 1))
    return np.array(points), np.array(scores)


def test_a_coarse_to_fine_model_is_exported_with_its_refiners(coarse_to_fine, xrays, tmp_path):
    config = load_config(TINY_COARSE_TO_FINE)
    export_predictor(config, coarse_to_fine, tmp_path / 'out', xrays)
    description = json.loads((tmp_path / 'out' / 'export.json').read_text())
    refiners = [f'refiner_{number}.onnx' for number in range(1, len(config.views) + 1)]
    assert [network['file'] for network in description['refinement']['networks']] == refiners
    found, expected = (
        CephalometricPredictor(load_config(tmp_path / 'out' / 'config.py'), file, backend=backend).predict_batch(xrays)
        for file, backend in ((tmp_path / 'out' / 'export.json', 'onnxruntime'), (coarse_to_fine, 'torch'))
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.points_px, other.points_px, atol=0.1)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def test_a_simcc_model_is_exported(xrays, tmp_path):
    """RTMPose with weights at random, its maxima made clear: any bin may win otherwise."""
    options = {'codec.input_size': (64, 64), 'model.backbone.deepen_factor': 0.17, 'model.backbone.widen_factor': 0.25}
    config = load_config(RTMPOSE, options=options | {'model.head.in_channels': 256})
    torch.manual_seed(0)
    model = build_model(config)
    weights = tmp_path / 'weights.pth'
    torch.save({'state_dict': model.state_dict()}, weights)
    export_predictor(config, weights, tmp_path / 'out', xrays[:1])
    search = json.loads((tmp_path / 'out' / 'export.json').read_text())['search']
    assert search['network']['outputs'] == ['simcc_x', 'simcc_y']
    assert search['decoding']['simcc_split_ratio'] == 2
    found, expected = (
        CephalometricPredictor(config, file, backend=backend).predict_batch(xrays)
        for file, backend in ((tmp_path / 'out' / 'export.json', 'onnxruntime'), (weights, 'torch'))
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.points_px, other.points_px, atol=0.1)


def test_a_landmark_set_of_the_users_own_goes_along(trained, xrays, tmp_path):
    own = tmp_path / 'own.json'
    own.write_text(json.dumps(landmark_table(load_landmark_set('cldetection2023'))))
    config = load_config(TINY_RECIPE, landmark_set=str(own))
    export_predictor(config, trained / 'best_model_weight.pth', tmp_path / 'out', xrays[:1])
    own.unlink()
    config = load_config(tmp_path / 'out' / 'config.py', landmark_set=str(tmp_path / 'out' / 'landmarks.json'))
    predictor = CephalometricPredictor(config, tmp_path / 'out' / 'export.json', backend='onnxruntime')
    assert np.isfinite(predictor.predict(xrays[0]).points_px).all()


def test_the_calibration_goes_along(trained, labelled, tmp_path):
    flags = ('--config', TINY_RECIPE, '--checkpoint', trained / 'best_model_weight.pth')
    film = labelled.image_path(labelled.images[0])
    assert call('export', *flags, '--out', tmp_path / 'out', '--check', film)[0] == 0
    by_onnx = ('--config', tmp_path / 'out/config.py', '--checkpoint', tmp_path / 'out/export.json')
    status, _, stderr = call(
        *('predict', film, *by_onnx, '--backend', 'onnxruntime', '--out', tmp_path / 'p', '--spacing', 0.1)
    )
    assert status == 0 and 'expected errors are not known' not in stderr
    assert all(row['expected_error_mm'] for row in rows_of(tmp_path / 'p' / 'landmarks.csv'))


def test_a_model_that_differs_is_not_exported(trained, xrays, tmp_path, monkeypatch):
    monkeypatch.setattr('cephalometric.prediction.export.LIMIT_PX', -1.0)
    with pytest.raises(InputError, match='nothing was written'):
        export_predictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth', tmp_path / 'out', xrays[:1])
    assert not (tmp_path / 'out').exists()


def test_mistakes_end_with_status_2_and_no_folder(trained, tmp_path):
    weights, out = trained / 'best_model_weight.pth', tmp_path / 'out'
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'mine.txt').write_text('mine')
    for flags, words in (
        (('--config', TINY_RECIPE, '--checkpoint', 'missing.pth', '--out', out), 'no such checkpoint'),
        (('--config', RTMPOSE, '--checkpoint', weights, '--out', out), 'does not fit'),
        (('--config', TINY_RECIPE, '--checkpoint', weights, '--out', tmp_path / 'full'), 'not empty'),
        (('--config', TINY_RECIPE, '--checkpoint', weights, '--out', out, '--check', 'no.png'), 'no.png'),
    ):
        status, _, stderr = call('export', *flags)
        assert status == 2 and words in stderr, stderr
        assert stderr.count('\n') == 1
    assert not out.exists()
    assert [path.name for path in (tmp_path / 'full').iterdir()] == ['mine.txt']


def test_a_model_that_looks_twice_at_mirrored_images_is_refused(trained, xrays, tmp_path):
    config = load_config(TINY_RECIPE, options={'model.test_cfg.flip_test': True})
    with pytest.raises(InputError, match='flip_test'):
        export_predictor(config, trained / 'best_model_weight.pth', tmp_path / 'out', xrays[:1])


@pytest.mark.parametrize('package', ['onnx', 'onnxruntime'])
def test_without_the_packages_the_remedy_is_said(trained, xrays, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # What an import sees where the package is not installed.
    with pytest.raises(InputError, match=r'pip install -r requirements\.txt'):
        export_predictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth', tmp_path / 'out', xrays[:1])
    assert not (tmp_path / 'out').exists()


def test_the_description_is_enough_to_rebuild_the_refinement(coarse_to_fine, xrays, tmp_path):
    """As above, from where the search ends; the resolution is so fine that no halves of the X-ray are needed."""
    config = load_config(TINY_COARSE_TO_FINE)
    config.model.resolutions_mm = [0.9, 0.8, 0.7][: len(config.views)]
    export_predictor(config, coarse_to_fine, tmp_path / 'out', xrays[:1])
    description = json.loads((tmp_path / 'out' / 'export.json').read_text())
    predictor = CephalometricPredictor(config, coarse_to_fine)
    looks, refine = [], predictor.models[0].refine
    predictor.models[0].refine = lambda pyramids, start: looks.append(start[0]) or refine(pyramids, start)
    expected = predictor.predict(xrays[0])
    points, scores = rebuilt_refinement(tmp_path / 'out', description, xrays[0], looks[0])
    np.testing.assert_allclose(points, expected.points_px, atol=0.1)
    np.testing.assert_allclose(scores, expected.scores, atol=0.01)


def rebuilt_refinement(folder, description, image, start):
    refinement = description['refinement']
    size, stride = refinement['patch_size'], refinement['stride']
    layout = np.array(description['mean_layout_mm']) @ [1, 1j]
    layout -= layout.mean()
    centres_of_cells = stride * np.arange(size // stride) + (stride - 1) / 2
    found, scores = [], []
    for network in refinement['networks']:
        around = np.mean(found, axis=0) if found else start
        p = around @ [1, 1j]
        scale = abs((layout.conj() * (p - p.mean())).sum()) / (abs(layout) ** 2).sum()
        step = np.ceil(scale * network['resolution_mm'] * 64) / 64
        assert step < 2
        around = np.round(around * 4) / 4
        offsets = (np.arange(size) - (size - 1) / 2) * step
        grids = [np.meshgrid(x + offsets, y + offsets) for x, y in around]
        patches = [cv2.remap(image, *np.array(grid, np.float32), cv2.INTER_LINEAR) for grid in grids]
        session = onnxruntime.InferenceSession(folder / network['file'])
        (distributions,) = session.run(None, {'patches': np.array(patches)[None]})
        points, near = [], []
        for distribution in distributions[0]:
            row, column = np.unravel_index(distribution.argmax(), distribution.shape)
            in_x = abs(centres_of_cells - centres_of_cells[column]) <= refinement['window']
            in_y = abs(centres_of_cells - centres_of_cells[row]) <= refinement['window']
            mass = distribution * in_x[None] * in_y[:, None]
            points.append([(mass.sum(0) * centres_of_cells).sum(), (mass.sum(1) * centres_of_cells).sum()] / mass.sum())
            near.append(mass.sum())
        found.append(around + (np.array(points) - (size - 1) / 2) * step)
        scores.append(near)
    return np.mean(found, axis=0), np.mean(scores, axis=0)
