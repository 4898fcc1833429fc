"""A model against labelled X-rays: errors in mm, what the model expected, and what was run."""

import numpy as np
import pytest
from command_lines import call

from cephalometric.annotations.coco import load_coco
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.results.evaluation import read_results
from cephalometric.training.assessment import assess


@pytest.fixture(scope='module')
def assessed(model_folder, data_root):
    return assess(TrainedModel([model_folder]), data_root / 'test.json')


def test_errors_are_distances_in_mm(assessed, data_root):
    labelled = load_coco(data_root / 'test.json')
    image = labelled.images[1]
    expected = np.linalg.norm(assessed.points_px[1] - image.points_px, axis=1) * image.spacing_mm
    np.testing.assert_allclose(assessed.errors_mm[1], expected)
    assert assessed.landmarks.abbreviations == labelled.abbreviations
    assert all((assessed.image_folder / image.file_name).is_file() for image in assessed.images)


def test_what_was_run_is_noted(assessed, data_root, model_folder):
    provenance = assessed.provenance
    assert provenance.image_counts == {'train': 6, 'validation': 2, str(data_root / 'test.json'): 3}
    assert provenance.annotation_file == str(data_root / 'test.json')
    assert (provenance.config_name, provenance.device) == ('tiny_recipe', 'cpu')
    assert '"max_epochs": 3' in provenance.config_text and 'torch' in provenance.versions
    assert list(provenance.weights_sha256) == [str(model_folder)]
    assert len(provenance.training_curves) == 3


def test_expected_errors_come_from_the_calibration(assessed, other_model, data_root):
    assert assessed.expected_errors_mm.shape == assessed.errors_mm.shape and (assessed.expected_errors_mm > 0).all()
    assert assess(TrainedModel([other_model]), data_root / 'test.json').expected_errors_mm is None


def test_the_spread_of_an_ensemble_is_in_mm(assessed, model_folder, other_model, data_root):
    assert assessed.spread_mm is None
    ensemble = assess(TrainedModel([model_folder, other_model]), data_root / 'test.json')
    assert ensemble.spread_mm.shape == ensemble.errors_mm.shape and ensemble.spread_mm.max() > 0


def test_the_command_report_takes_a_model_and_labelled_xrays(assessed, model_folder, data_root, tmp_path):
    arguments = ('report', data_root / 'test.json', '--model', model_folder, '--out', tmp_path / 'report')
    status, stdout, _ = call(*arguments)
    assert status == 0 and 'report.html' in stdout
    evaluation = read_results(tmp_path / 'report' / 'results.json')
    np.testing.assert_allclose(evaluation.points_px, assessed.points_px, atol=0.1)
    assert evaluation.provenance.config_name == 'tiny_recipe' and len(evaluation.provenance.training_curves) == 3
    status, _, stderr = call(*arguments, '--names', 'mine')
    assert status == 2 and '--names' in stderr
