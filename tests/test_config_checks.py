"""What a config says is compared with what its classes take, before any of them is built."""

from pathlib import Path

import mmpose
import pytest
from conftest import ROOT, TINY_COARSE_TO_FINE, TINY_RECIPE
from mmengine.config import Config

from cephalometric.errors import InputError
from cephalometric.training.config_checks import check_types, classes_of, known_names
from cephalometric.training.recipe import load_config

CONFIGS = sorted((Path(mmpose.__file__).parent / '.mim' / 'configs' / 'body_2d_keypoint').rglob('td-hm_*.py'))
# These want a library that is not installed here, and it is right to say so.
OTHERS = ('ViTPose', 'coarsedropout', 'gridmask')


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ("codec = [dict(type='UDPHeatmap')]", 'codec must be settings, as dict(...), not a list'),
        ("codec = 'UDPHeatmap'", 'codec must be settings'),
        ('codec = dict(_delete_=True, input_size=(64, 64))', 'codec must say its type'),
        ("codec = dict(type='UDPHeatmapp')", "nothing is registered as 'UDPHeatmapp'; did you mean UDPHeatmap"),
        ('codec = dict(sigmaa=2)', "BoundedUDPHeatmap takes no 'sigmaa'; did you mean sigma?"),
        ("codec = dict(_delete_=True, type='UDPHeatmap', input_size=(64, 64))", 'heatmap_size'),
        ("codec = dict(_delete_=True, type='UDPHeatmap', heatmap_size=(64, 64))", 'says no input_size'),
        ('codec = dict(input_size=64)', 'width and height'),
        ('codec = dict(input_size=(64, -1))', 'width and height'),
        ('codec = dict(heatmap_size=(64, 16.5))', 'width and height'),
        ('model = None', 'model must be settings, as dict(...), not missing'),
        ("model = dict(backbone=dict(type='HRNett'))", 'model.backbone.type'),
        ('model = dict(backbone=dict(norm_evall=True))', 'did you mean norm_eval?'),
        ("model = dict(head=dict(loss=dict(type='Nope')))", 'model.head.loss.type'),
        ("custom_hooks = ['Nope']", 'custom_hooks must say its type'),
        ("custom_hooks = [dict(type='Nope')]", 'custom_hooks.0.type'),
        ("train_pipeline = [dict(type='LoadImag')]", 'did you mean LoadImage'),
        ('train_pipeline = 5', 'train_pipeline must be a list'),
        ('train_dataloader = 5', 'train_dataloader must be settings'),
        ('train_dataloader = dict(_delete_=True, batch_size=4)', 'train_dataloader.dataset must be settings'),
        ('train_dataloader = dict(batch_size=0)', 'a whole number from 1 on'),
        ('train_dataloader = dict(num_workers=-1)', 'a whole number from 0 on'),
        ("train_cfg = dict(max_epochs='ten')", 'a whole number from 1 on'),
        ('default_hooks = dict(checkpoint=dict(interval=0))', 'a whole number from 1 on'),
        ("optim_wrapper = dict(optimizer=dict(lr='fast'))", 'a number above 0'),
        ("optim_wrapper = dict(optimizer=dict(lr=float('nan')))", 'a number above 0'),
        ("optim_wrapper = dict(optimizer=dict(type='Adamm'))", 'did you mean Adam'),
        ("val_evaluator = dict(type='Nope')", 'val_evaluator.type'),
        ('val_dataloader = None', '--no-validation'),
        ('landmark_set = 5', 'landmark_set must be text'),
        ("default_scope = 'no_such_package'", 'no such package'),
        ('x = dict(f=lambda: 0)', 'holds what is no data'),
        ("x = float('inf')", 'holds what is no data'),
        ('import torch\nmodel = dict(backbone=dict(type=torch.nn.Conv2d))', 'type in quotes'),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(tmp_path, content, expected):
    path = tmp_path / 'recipe.py'
    path.write_text(f"_base_ = '{TINY_RECIPE}'\n{content}\n")
    with pytest.raises(InputError) as error:
        load_config(path)
    assert str(error.value).startswith(str(path)) and '\n' not in str(error.value)
    assert expected in str(error.value)


def test_several_mistakes_are_named_together(tmp_path):
    path = tmp_path / 'recipe.py'
    path.write_text(f"_base_ = '{TINY_RECIPE}'\nmodel = dict(backbone=dict(a=1, b=2), head=dict(type='C', d=3))\n")
    with pytest.raises(InputError) as error:
        load_config(path)
    assert all(word in str(error.value) for word in ("'a'", "'b'", "'C'"))


def test_workers_are_kept_only_where_there_are_some(tmp_path):
    options = {'train_dataloader.num_workers': 0, 'train_dataloader.prefetch_factor': 4}
    config = load_config(TINY_RECIPE, options=options)
    assert not config.train_dataloader.persistent_workers and 'prefetch_factor' not in config.train_dataloader
    assert config.val_dataloader.persistent_workers


@pytest.mark.parametrize(
    'path', [TINY_RECIPE, TINY_COARSE_TO_FINE, *sorted((ROOT / 'cldetection_configs').glob('*.py'))]
)
def test_the_recipes_pass_with_what_was_filled_in(path):
    check_types(load_config(path))


def test_nothing_is_found_in_what_mmpose_itself_ships():
    """So that no recipe of a user is refused which MMPose would build."""
    passed = 0
    for path in CONFIGS[::12]:
        if not any(name in path.name for name in OTHERS):
            check_types(Config.fromfile(str(path)))
            passed += 1
    assert passed > 6


def test_classes_and_their_arguments():
    assert classes_of('Adam') and not classes_of('NoSuchThing')
    assert {'lr', 'betas', 'type'} <= known_names({'type': 'Adam'}, 'optim_wrapper.optimizer').names
    # Through what a class hands on to the one that it inherits from.
    assert {'ann_file', 'landmark_set'} <= known_names(
        {'type': 'CephalometricDataset'}, 'train_dataloader.dataset'
    ).names
    assert known_names({'type': 'BN', 'requires_grad': True}, 'model.backbone.norm_cfg').allow('anything')


def test_a_class_that_takes_anything_takes_no_misspelled_name_of_those_that_it_knows():
    known = known_names({'type': 'ResumableCheckpointHook'}, 'default_hooks.checkpoint')
    assert known.allow('save_best') and known.allow('something_else') and not known.allow('savebest')
