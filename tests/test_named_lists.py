"""Pipelines, hooks and schedules that a recipe says by names."""

import pytest
from conftest import TINY_RECIPE
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config

from cephalometric.errors import InputError
from cephalometric.training.config_reading import read_config
from cephalometric.training.named_lists import list_named_entries, place_of


def types_of(pipeline):
    return [step.type for step in pipeline]


def child(tmp_path, content):
    path = tmp_path / 'recipe.py'
    path.write_text(f"_base_ = '{TINY_RECIPE}'\n{content}\n")
    return path


def test_a_child_changes_leaves_out_replaces_and_adds_by_name(tmp_path):
    path = child(
        tmp_path,
        'train_pipeline = dict(RandomBBoxTransform=dict(rotate_factor=3), LoadImage=dict(type="LoadXray"),\n'
        '    PackPoseInputs=dict(_before_="Cut"), GenerateTarget=None,\n'
        '    Cut=dict(type="RandomCutout", prob=0.5, _before_="TopdownAffine"))\n'
        'custom_hooks = dict(MeanLayoutHook=dict(), CurvesHook=None)\n',
    )
    config, base = read_config(path), read_config(TINY_RECIPE)
    assert types_of(config.train_pipeline) == [
        *(
            'LoadXray',
            'GetBBoxCenterScale',
            'RandomBBoxTransform',
            'PackPoseInputs',
            'RandomCutout',
            base.train_pipeline[3].type,
        )
    ]
    assert config.train_pipeline[2] == base.train_pipeline[2] | {'rotate_factor': 3}
    assert dict(config.train_pipeline[4]) == {'type': 'RandomCutout', 'prob': 0.5}
    assert types_of(config.custom_hooks) == [
        *(hook.type for hook in base.custom_hooks if hook.type != 'CurvesHook'),
        'MeanLayoutHook',
    ]


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (
            'train_pipeline = dict(New=dict(_before_="Gone"))',
            r"train_pipeline\.New .* before 'Gone', which is not there",
        ),
        ('train_pipeline = dict(A=dict(_before_="B"), B=dict(_before_="A"))', 'is to stand before'),
        ('custom_hooks = dict(CurvesHook=5)', r'custom_hooks\.CurvesHook must be settings'),
    ],
)
def test_an_entry_that_does_not_fit_is_named(tmp_path, content, expected):
    with pytest.raises(InputError, match=expected) as error:
        read_config(child(tmp_path, content))
    assert str(error.value).startswith(str(tmp_path)) and '\n' not in str(error.value)


def test_lists_and_single_schedules_stay_what_they_are():
    said = {
        'train_pipeline': [{'type': 'LoadImage'}],
        'param_scheduler': {'type': 'LinearLR', 'end': 3},
        'model': {'pipeline': {'LoadImage': {}}},
    }
    config = Config(said)
    list_named_entries(config)
    assert config.to_dict() == said
    several = {'optim_wrapper': {'constructor': 'Mine'}, 'param_scheduler': {'generator': {'type': 'LinearLR'}}}
    config = Config(several)
    list_named_entries(config)
    assert config.to_dict() == several


@given(st.permutations(['A', 'B', 'C', 'D']), st.dictionaries(st.sampled_from('WXYZ'), st.sampled_from('ABCDWXYZ')))
def test_whatever_is_placed_stands_before_what_it_names_and_nothing_is_lost(order, before):
    config = Config(
        {'pipeline': {name: {} for name in order} | {name: {'_before_': other} for name, other in before.items()}}
    )
    try:
        list_named_entries(config)
    except InputError:
        assert any(other in 'WXYZ' for other in before.values())
        return
    names = types_of(config.pipeline)
    assert sorted(names) == sorted([*order, *before])
    assert [name for name in names if name in order] == order
    assert all(names.index(name) < names.index(other) for name, other in before.items())


def test_an_entry_is_found_by_its_place_or_by_a_type_that_it_alone_has():
    steps = [{'type': 'LoadXray'}, {'type': 'GenerateTarget'}]
    assert [place_of(steps, name) for name in ('LoadXray', 'LoadImage', 'BaseTransform', '')] == [0, 0, None, None]
    entries = [{'type': 'A'}, {'type': 'B'}, {'type': 'B'}, 'text']
    assert [place_of(entries, name) for name in ('0', '3', '4', 'A', 'B', 'C')] == [0, 3, None, 0, None, None]
