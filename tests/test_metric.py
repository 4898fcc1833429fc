"""CephalometricMetric: the keys, and the same numbers as the pure functions."""

import numpy as np
import pytest
from conftest import TINY_RECIPE
from mmengine.evaluator import Evaluator

from cephalometric.errors import InputError
from cephalometric.geometry import radial_error_mm
from cephalometric.scores import score
from cephalometric.training.metric import CephalometricMetric
from cephalometric.training.recipe import load_config


def samples(count, landmarks=4):
    random = np.random.default_rng(0)
    for number in range(count):
        truth = random.uniform(0, 500, (1, landmarks, 2))
        yield {
            'img_id': number,
            'spacing': (0.1, 0.125)[number % 2],
            'pred_instances': {'keypoints': truth + random.normal(0, 20, truth.shape)},
            'gt_instances': {'keypoints': truth, 'keypoints_visible': random.integers(0, 2, (1, landmarks))},
        }


def evaluate(data_samples):
    metric = CephalometricMetric()
    metric.process(None, data_samples)
    return metric.evaluate(size=len(data_samples))


def test_the_scores_are_those_of_the_visible_landmarks_in_mm():
    data = list(samples(6))
    errors = [
        radial_error_mm(d['pred_instances']['keypoints'], d['gt_instances']['keypoints'], d['spacing']) for d in data
    ]
    visible = np.concatenate([d['gt_instances']['keypoints_visible'] for d in data]).astype(bool)
    assert evaluate(data) == pytest.approx(score(np.concatenate(errors), visible).as_metrics())


def test_the_keys_are_exactly_these():
    assert list(evaluate(list(samples(3)))) == ['MRE', 'SDR 2.0mm', 'SDR 2.5mm', 'SDR 3.0mm', 'SDR 4.0mm']


def test_an_image_seen_twice_counts_once():
    data = list(samples(3))
    assert evaluate([*data, data[0]]) == pytest.approx(evaluate(data))


def test_it_is_found_by_name():
    evaluator = Evaluator({'type': 'mmpose.CephalometricMetric'})
    assert isinstance(evaluator.metrics[0], CephalometricMetric)


def selection(**settings):
    """What a checkpoint hook selects by, after the config was completed."""
    hook = load_config(TINY_RECIPE, options={f'default_hooks.checkpoint.{k}': v for k, v in settings.items()})
    return hook.default_hooks.checkpoint.save_best, hook.default_hooks.checkpoint.rule


def test_the_rules_are_those_of_the_scores_that_are_given():
    assert list(CephalometricMetric.rules) == list(evaluate(list(samples(3))))


@pytest.mark.parametrize(
    ('said', 'expected'),
    [
        ('MRE', ('MRE', 'less')),
        ('mre', ('MRE', 'less')),
        ('auto', ('MRE', 'less')),
        ('SDR 2.0mm', ('SDR 2.0mm', 'greater')),
        ('SDR2.0mm', ('SDR 2.0mm', 'greater')),
        ('sdr 2.5 MM', ('SDR 2.5mm', 'greater')),
        (['MRE', 'SDR4.0mm'], (['MRE', 'SDR 4.0mm'], ['less', 'greater'])),
    ],
)
def test_a_score_to_select_by_is_spelled_as_the_metric_does_and_its_better_end_is_kept(said, expected):
    assert selection(save_best=said) == expected


@pytest.mark.parametrize('said', ['SDR 2.1mm', 'PCK', 'SDR2mm', 'SDR'])
def test_a_score_that_no_metric_gives_is_refused_at_the_start(said):
    with pytest.raises(InputError, match=r"'MRE', 'SDR 2\.0mm'") as error:
        selection(save_best=said)
    assert f'save_best = {said!r}' in str(error.value)


def test_the_worst_is_not_kept_for_the_best():
    with pytest.raises(InputError, match="say rule = 'greater'"):
        selection(save_best='SDR 2.0mm', rule='less')
    assert selection(save_best='SDR 2.0mm', rule='greater') == ('SDR 2.0mm', 'greater')


def test_a_hook_of_the_user_that_watches_a_score_is_completed_too(tmp_path):
    path = tmp_path / 'recipe.py'
    hooks = "[dict(type='EarlyStoppingHook', monitor='{}', patience=2)]"
    path.write_text(f"_base_ = '{TINY_RECIPE}'\ncustom_hooks = {hooks.format('SDR3.0mm')}\n")
    hook = load_config(path).custom_hooks[0]
    assert (hook.monitor, hook.rule) == ('SDR 3.0mm', 'greater')
    path.write_text(f"_base_ = '{TINY_RECIPE}'\ncustom_hooks = {hooks.format('loss')}\n")
    with pytest.raises(InputError, match="monitor = 'loss'"):
        load_config(path)


def test_a_prefix_is_a_part_of_the_names(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(
        f"_base_ = '{TINY_RECIPE}'\nval_evaluator = dict(prefix='heads')\n"
        "default_hooks = dict(checkpoint=dict(save_best='heads/SDR2.0mm'))\n"
    )
    assert load_config(path).default_hooks.checkpoint.save_best == 'heads/SDR 2.0mm'


def test_what_a_metric_of_the_user_gives_is_not_known_here(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(
        f"_base_ = '{TINY_RECIPE}'\nval_evaluator = dict(_delete_=True, type='PCKAccuracy')\n"
        "default_hooks = dict(checkpoint=dict(save_best='PCK', rule='greater'))\n"
    )
    assert load_config(path).default_hooks.checkpoint.save_best == 'PCK'
