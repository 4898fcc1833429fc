"""Schedules follow the number of epochs."""

import pytest
import torch
from conftest import ROOT, TINY_RECIPE
from mmengine.config import Config, ConfigDict
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from cephalometric.errors import InputError
from cephalometric.training.recipe import load_config
from cephalometric.training.schedule import complete_schedule

RECIPES = sorted((ROOT / 'cldetection_configs').glob('*.py'))
STEPS = 7


def learning_rates(config):
    """The learning rate at every step of a training with ``STEPS`` steps an epoch, as parts of the recipe's."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    wrapper = OptimWrapper(optimizer)
    schedulers = []
    for said in config.param_scheduler:
        said = dict(said)
        kind = PARAM_SCHEDULERS.get(said.pop('type'))
        if said.pop('convert_to_iter_based', False):
            schedulers.append(kind.build_iter_from_epoch(wrapper, epoch_length=STEPS, **said))
        else:
            schedulers.append(kind(wrapper, **said))
    rates = []
    for _ in range(config.train_cfg.max_epochs):
        for _ in range(STEPS):
            rates.append(optimizer.param_groups[0]['lr'])
            for each in schedulers:
                if not each.by_epoch:
                    each.step()
        for each in schedulers:
            if each.by_epoch:
                each.step()
    return rates


@pytest.mark.parametrize('path', RECIPES, ids=lambda path: path.stem)
@pytest.mark.parametrize('epochs', [None, 10])
def test_a_recipe_ends_where_it_should_whatever_the_number_of_epochs(path, epochs):
    options = {'param_scheduler.LinearLR.end': 5} | ({'train_cfg.max_epochs': epochs} if epochs else {})
    rates = learning_rates(load_config(path, options=options))
    assert max(rates) == pytest.approx(1, abs=0.02) and rates[0] < 0.1
    # MultiStepLR ends at a hundredth, the cosines lower, or where the recipe says.
    assert rates[-1] < 0.06
    half = rates[len(rates) // 2]
    assert half > 0.4, 'it falls in the second half, or along a cosine'


def test_stated_epochs_stay_unless_an_option_changes_how_many_there_are(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(
        f"_base_ = '{TINY_RECIPE}'\ntrain_cfg = dict(max_epochs=250)\nparam_scheduler = [\n"
        "    dict(type='LinearLR', begin=0, end=500, start_factor=0.001, by_epoch=False),\n"
        "    dict(type='MultiStepLR', begin=0, end=210, milestones=[170, 200], gamma=0.1, by_epoch=True),\n"
        "    dict(type='CosineAnnealingLR', begin=125, end=250, T_max=125)]\n"
    )
    stated = load_config(path).param_scheduler
    assert stated[1].milestones == [170, 200] and (stated[1].end, stated[2].begin, stated[2].T_max) == (210, 125, 125)
    shorter = load_config(path, options={'train_cfg.max_epochs': 25}).param_scheduler
    assert dict(shorter[0]) == dict(stated[0]), 'the warm-up is said in steps'
    assert shorter[1].milestones == [17, 20] and shorter[1].end == 21
    assert (shorter[2].begin, shorter[2].end, shorter[2].T_max) == (12, 25, 12)
    one = load_config(path, options={'train_cfg.max_epochs': 1}).param_scheduler[2]
    assert (one.begin, one.end, one.T_max) == (0, 1, 1)
    both = {'train_cfg.max_epochs': 25, 'param_scheduler.CosineAnnealingLR.end': 20}
    assert load_config(path, options=both).param_scheduler[2].end == 20


def test_parts_and_ends_that_are_left_out_follow_the_epochs():
    config = Config(
        {'train_cfg': {'max_epochs': 40}, 'param_scheduler': [{'type': 'A', 'begin': 0.5, 'end': 0.75}, {}]}
    )
    complete_schedule(config, config)
    assert dict(config.param_scheduler[0]) == {'type': 'A', 'begin': 20, 'end': 30}
    assert config.param_scheduler[1]['end'] == 40


@pytest.mark.parametrize('wrong', [1.5, -0.5, 'half', [0.5, 'x'], True])
def test_what_is_no_part_is_named(wrong):
    config = Config({'train_cfg': {'max_epochs': 40}, 'param_scheduler': ConfigDict(type='A', begin=wrong)})
    with pytest.raises(InputError, match=r'param_scheduler: A: begin = .* a part of them between 0 and 1'):
        complete_schedule(config, config)


def test_without_epochs_nothing_is_said():
    said = {'train_cfg': {'by_epoch': False, 'max_iters': 100}, 'param_scheduler': [{'type': 'A', 'begin': 0.5}]}
    config = Config(said)
    complete_schedule(config, config)
    assert config.to_dict() == said
