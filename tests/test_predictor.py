"""The one predictor: original pixels, whatever the padding, the colours and the weights file."""

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT, TINY_RECIPE
from mmengine.runner import Runner

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.errors import InputError
from cephalometric.prediction.predictor import CephalometricPredictor, build_model, choose_device
from cephalometric.training.assessment import evaluate
from cephalometric.training.config import load_config


@pytest.fixture(scope='module')
def predictor(trained):
    return CephalometricPredictor(load_config(TINY_RECIPE), trained / 'best_model_weight.pth')


@pytest.fixture(scope='module')
def xray(data_root):
    labelled = load_coco(data_root / 'test.json')
    return read_image(labelled, labelled.images[0])


def test_every_landmark_gets_a_finite_point_and_a_score(predictor, xray):
    prediction = predictor.predict(xray)
    assert prediction.points_px.shape == (len(predictor.landmarks), 2)
    assert np.isfinite(prediction.points_px).all() and not prediction.blank
    assert ((prediction.scores >= 0) & (prediction.scores <= 1)).all()


def test_padding_and_equal_channels_change_nothing(predictor, xray):
    height, width = xray.shape
    padded = np.zeros((height + 30, width + 70, 3), np.uint8)
    padded[:height, :width] = xray[..., None]
    expected = predictor.predict(xray).points_px
    np.testing.assert_allclose(predictor.predict(padded).points_px, expected, atol=1e-4)


def test_a_shifted_xray_gives_shifted_points(predictor):
    """The coordinates are the image's own: a fixed picture in a larger one moves its points by as much."""
    codec = load_config(TINY_RECIPE).codec
    model = predictor.models[0]

    class Blob(torch.nn.Module):
        """Stands for a trained network: its heatmaps are the brightness of its input."""

        def forward(self, inputs):
            heat = torch.nn.functional.interpolate(inputs[:, :1], (16, 16), mode='area')
            return [heat.expand(-1, model.head.out_channels, -1, -1)]

    blob = CephalometricPredictor.__new__(CephalometricPredictor)
    blob.__dict__.update(predictor.__dict__)
    blob.models = [build_model(load_config(TINY_RECIPE))]
    blob.models[0].backbone, blob.models[0].head.final_layer = Blob(), torch.nn.Identity()
    for centre in ((100, 80), (180, 230), (40, 200)):
        image = np.ones((300, 300), np.uint8)
        cv2.circle(image, centre, 25, 255, -1)
        image = cv2.GaussianBlur(image, (0, 0), 12)
        points_px = blob.predict(image).points_px
        cell = 300 / codec.heatmap_size[0]
        np.testing.assert_allclose(points_px, np.broadcast_to(centre, points_px.shape), atol=cell / 4)


def test_a_batch_gives_what_single_images_give(predictor, xray):
    images = [xray, np.zeros_like(xray), xray[: xray.shape[0] // 2]]
    together = predictor.predict_batch(images)
    assert [prediction.blank for prediction in together] == [False, True, False]
    for image, prediction in zip(images, together, strict=True):
        np.testing.assert_allclose(prediction.points_px, predictor.predict(image).points_px, atol=1e-3)


def test_a_blank_image_is_answered_with_its_centre_and_no_confidence(predictor):
    prediction = predictor.predict(np.zeros((40, 61), np.uint8))
    assert prediction.blank and not prediction.scores.any()
    assert (prediction.points_px == (30, 19.5)).all()


@pytest.mark.parametrize('image', [np.ones((4, 5)), np.ones((4, 5, 2), np.uint8), np.ones(4, np.uint8)])
def test_other_arrays_are_refused(predictor, image):
    with pytest.raises(ValueError, match='uint8'):
        predictor.predict(image)


def test_it_scores_what_the_runner_scores(trained, data_root, tmp_path):
    config = load_config(TINY_RECIPE, data_root)
    config.work_dir, config.load_from = str(tmp_path), str(trained / 'epoch_3.pth')
    expected = Runner.from_cfg(config).test()
    predictor = CephalometricPredictor(load_config(TINY_RECIPE), trained / 'epoch_3.pth')
    evaluation = evaluate(predictor, load_coco(data_root / 'test.json'))
    assert evaluation.overall().as_metrics() == pytest.approx(expected, rel=1e-4)


def test_a_checkpoint_of_another_model_or_number_of_landmarks_is_refused(trained):
    checkpoint = trained / 'best_model_weight.pth'
    with pytest.raises(InputError, match='19 landmarks') as error:
        CephalometricPredictor(load_config(TINY_RECIPE, landmark_set='isbi2015'), checkpoint)
    assert str(checkpoint) in str(error.value) and '\n' not in str(error.value)
    other = ROOT / 'cldetection_configs' / 'rtmpose-m_8xb256-420e-512x512.py'
    with pytest.raises(InputError, match='does not fit'):
        CephalometricPredictor(load_config(other), checkpoint)


def test_an_ensemble_is_the_mean_of_its_members_and_says_how_far_they_are_apart(trained, predictor, xray):
    config = load_config(TINY_RECIPE)
    files = [trained / 'epoch_2.pth', trained / 'epoch_3.pth']
    members = [CephalometricPredictor(config, file).predict(xray) for file in files]
    prediction = CephalometricPredictor(config, files).predict(xray)
    np.testing.assert_allclose(prediction.points_px, (members[0].points_px + members[1].points_px) / 2, atol=1e-3)
    np.testing.assert_allclose(prediction.scores, (members[0].scores + members[1].scores) / 2, atol=1e-5)
    half_way = np.linalg.norm(members[0].points_px - members[1].points_px, axis=1) / 2
    np.testing.assert_allclose(prediction.spread_px, half_way, atol=1e-3)
    assert predictor.predict(xray).spread_px is None


def test_a_file_without_weights_is_refused(tmp_path):
    torch.save({'optimizer': {}}, tmp_path / 'other.pth')
    with pytest.raises(InputError, match='state_dict'):
        CephalometricPredictor(load_config(TINY_RECIPE), tmp_path / 'other.pth')


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_without_a_gpu_the_cpu_is_used_without_being_told():
    assert choose_device(0) == choose_device(3) == 'cpu'
