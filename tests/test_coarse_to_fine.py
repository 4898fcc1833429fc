from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TINY_COARSE_TO_FINE, run_python
from mmengine.dataset import pseudo_collate
from mmpose.models import build_pose_estimator
from mmpose.registry import DATASETS

from cephalometric.annotations.coco import load_coco, read_image
from cephalometric.geometry import radial_error_mm
from cephalometric.models.coarse_to_fine import CoarseToFinePoseEstimator
from cephalometric.prediction.model_folder import read_description
from cephalometric.prediction.patches import ImagePyramid
from cephalometric.prediction.trained_model import TrainedModel
from cephalometric.training.recipe import load_config
from cephalometric.training.torch_networks import build_model


@pytest.fixture
def config(data_root: Path):
    torch.manual_seed(0)
    return load_config(TINY_COARSE_TO_FINE, str(data_root))


def batch_of(config, part: str, count: int) -> dict:
    dataset = DATASETS.build(config[f'{part}_dataloader'].dataset)
    np.random.seed(0)
    return pseudo_collate([dataset[index] for index in range(count)])


def test_every_part_has_a_loss_and_every_weight_learns(config):
    model = build_pose_estimator(config.model)
    data = model.data_preprocessor(batch_of(config, 'train', 2), training=True)
    losses = model(**data, mode='loss')
    names = [name for name in losses if 'loss' in name]
    assert names == ['loss_kpt', 'loss_patches_0', 'loss_patches_1']
    sum(losses[name] for name in names).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
    assert all(weight.grad.abs().sum() > 0 for weight in model.refiners.parameters())


def test_a_few_x_rays_are_learned_to_a_third_of_a_millimetre(config):
    """The whole model: coarse search, both refiners, decoding, and the way back to millimetres."""
    for transform in config.train_pipeline:
        if transform.type == 'SampleLandmarkPatches':
            transform.update(max_angle=0, max_scale=0, gamma=(1, 1))
    # Without the random moves of the whole X-ray.
    config.train_pipeline[:] = [step for step in config.train_pipeline if step.type != 'RandomBBoxTransform']
    config.train_dataloader.dataset.pipeline = config.train_pipeline
    config.test_dataloader.dataset.ann_file = 'train.json'
    model = build_pose_estimator(config.model)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    model.set_mean_layout(dataset.mean_layout_mm)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    steps = 320
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, steps)
    for step in range(steps):
        dataset.set_epoch(0, step)
        data = model.data_preprocessor(pseudo_collate([dataset[index] for index in range(2)]), training=True)
        losses = model(**data, mode='loss')
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        samples = model.test_step(batch_of(config, 'test', 2))
    found = np.concatenate([sample.pred_instances.keypoints for sample in samples])
    true = np.concatenate([sample.gt_instances.keypoints for sample in samples])
    errors_mm = radial_error_mm(found, true, np.array([[sample.spacing] for sample in samples]))
    assert errors_mm.mean() < 0.3, errors_mm.round(2)


def test_the_scale_of_the_x_ray_does_not_matter(config):
    """The patches follow the layout, so that the same X-ray at twice the resolution gives the same landmarks."""
    # Where a pixel of a patch is more than one of the X-ray: below that, the larger one shows more. Points and steps
    # lie on the same places of the grid of patches in both.
    config.model.resolutions_mm = [3.012]
    model: CoarseToFinePoseEstimator = build_pose_estimator(config.model).eval()
    random = np.random.default_rng(0)
    layout = random.integers(-200, 200, (len(model.mean_layout_mm), 2)) / 4
    model.set_mean_layout(layout)
    small = random.integers(0, 256, (150, 140), dtype=np.uint8)
    large = np.kron(small, np.ones((2, 2), np.uint8))
    points = layout + 70
    with torch.inference_mode():
        found, scores = model.refinement.refine(model.refine, [ImagePyramid(small)], points[None])
        # Pixel centres are at integers: where x was, 2 x + 0.5 is.
        found_in_large, scores_in_large = model.refinement.refine(
            model.refine, [ImagePyramid(large)], 2 * points[None] + 0.5
        )
    assert (found_in_large - 0.5) / 2 == pytest.approx(found, abs=0.01)
    assert scores_in_large == pytest.approx(scores, abs=1e-3)


def test_landmarks_in_one_place_are_refined_as_well(config):
    model = build_pose_estimator(config.model).eval()
    with torch.inference_mode():
        points = np.full((1, len(model.mean_layout_mm), 2), 30.0)
        found, scores = model.refinement.refine(model.refine, [ImagePyramid(np.full((60, 80), 7, np.uint8))], points)
    assert np.isfinite(found).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_folding_the_normalization_changes_no_prediction(config):
    model = build_pose_estimator(config.model)
    random = torch.Generator().manual_seed(0)
    for name, statistic in model.named_buffers():
        if 'running' in name:  # As training leaves them: no zeros and ones.
            statistic.copy_(torch.rand(statistic.shape, generator=random) + 0.5)
    model.eval()
    data = batch_of(config, 'test', 2)
    with torch.inference_mode():
        expected = [sample.pred_instances for sample in model.test_step(data)]
        model.fold_normalization()
        found = [sample.pred_instances for sample in model.test_step(data)]
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
    for one, other in zip(found, expected, strict=True):
        assert one.keypoints == pytest.approx(other.keypoints, abs=1e-3)
        assert one.keypoint_scores == pytest.approx(other.keypoint_scores, abs=1e-4)


@pytest.fixture(scope='module')
def trained_coarse_to_fine(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work_dir = tmp_path_factory.mktemp('coarse_to_fine') / 'run'
    run_python('step3_train_and_evaluation.py', TINY_COARSE_TO_FINE, '--data-root', data_root, '--work-dir', work_dir)
    return work_dir


def test_the_steps_use_it_without_knowing(data_root, trained_coarse_to_fine, phantom_stack, tmp_path):
    weights = trained_coarse_to_fine / 'best_model_weight.pth'
    scores, result = tmp_path / 'scores.json', tmp_path / 'result.json'
    run_python('step4_test_and_visualize.py', TINY_COARSE_TO_FINE, weights, '--data-root', data_root, '--out', scores)
    run_python(
        'step5_predict_expected_output.py',
        *('--config_file', TINY_COARSE_TO_FINE, '--load_weight_path', weights),
        *('--load_mha_path', phantom_stack / 'train_stack.mha', '--save_json_path', result),
    )
    assert scores.is_file()
    assert result.is_file()


def test_the_model_folder_holds_the_mean_layout(trained_coarse_to_fine, config):
    refinement = read_description(trained_coarse_to_fine / 'model').refinement
    expected = DATASETS.build(config.train_dataloader.dataset).mean_layout_mm
    assert refinement.mean_layout_mm == pytest.approx(expected, abs=1e-3)


def test_the_estimator_and_the_model_folder_find_the_same(data_root, trained_coarse_to_fine, config):
    model = TrainedModel([trained_coarse_to_fine / 'model'], backend='torch', calibration=False)
    estimator = build_model(config)
    weights = torch.load(trained_coarse_to_fine / 'best_model_weight.pth', weights_only=True)
    estimator.load_state_dict(weights['state_dict'])
    with torch.inference_mode():
        samples = estimator.test_step(batch_of(config, 'test', 2))
    labelled = load_coco(data_root / 'test.json')
    for sample, image in zip(samples, labelled.images, strict=False):
        (answer,) = model.answers([read_image(labelled, image)], [None], upright=True)
        assert answer.points_px == pytest.approx(sample.pred_instances.keypoints[0], abs=0.1)


def test_a_batch_gives_what_single_x_rays_give(data_root, trained_coarse_to_fine):
    predictor = TrainedModel([trained_coarse_to_fine / 'model'], calibration=False).predictor
    labelled = load_coco(data_root / 'test.json')
    images = [read_image(labelled, image) for image in labelled.images]
    for image, together in zip(images, predictor.predict_batch(images), strict=True):
        alone = predictor.predict(image)
        assert together.points_px == pytest.approx(alone.points_px, abs=0.05)
        assert together.scores == pytest.approx(alone.scores, abs=0.01)
