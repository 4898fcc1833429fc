"""What a training computes in: what the recipe says, and the log."""

import pytest
import torch
from conftest import TINY_COARSE_TO_FINE, TINY_RECIPE
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmpose.models import build_pose_estimator
from mmpose.registry import DATASETS

from cephalometric.errors import InputError
from cephalometric.training.arithmetic import choose_arithmetic, has_bfloat16
from cephalometric.training.recipe import load_config

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason='about processors')


def config_of(data_root, arithmetic=None, recipe=TINY_RECIPE):
    return load_config(recipe, data_root, options={'arithmetic': arithmetic} if arithmetic else {})


def types_of_a_step(config) -> set:
    """The types that convolutions put out in one training step, whose losses are finite."""
    model, found = build_pose_estimator(config.model), set()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output: found.add(output.dtype))
    dataset = DATASETS.build(config.train_dataloader.dataset)
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    losses = model.train_step(pseudo_collate([dataset[0], dataset[1]]), optimizer)
    assert losses['loss'].isfinite()
    assert all(weight.dtype == torch.float32 for weight in model.parameters())
    return found


@pytest.mark.parametrize('recipe', [TINY_RECIPE, TINY_COARSE_TO_FINE])
def test_the_default_is_the_same_on_every_machine(data_root, recipe):
    config = config_of(data_root, recipe=recipe)
    assert choose_arithmetic(config) == 'Arithmetic: float32, as the recipe says'
    assert types_of_a_step(config) == {torch.float32}


@NO_GPU
@pytest.mark.skipif(not has_bfloat16(), reason='this processor has no bfloat16')
def test_bfloat16_is_what_networks_compute_in_and_not_what_weights_are(data_root):
    config = config_of(data_root, 'bfloat16', TINY_COARSE_TO_FINE)
    assert choose_arithmetic(config) == 'Arithmetic: bfloat16, as the recipe says'
    assert types_of_a_step(config) == {torch.bfloat16}
    config = config_of(data_root, 'auto')
    assert 'because this processor has it' in choose_arithmetic(config)


@NO_GPU
def test_without_onednn_it_is_float32_and_trains(data_root):
    """As in a build that lacks it: nothing calls what only it has."""
    with torch.backends.mkldnn.flags(enabled=False):
        config = config_of(data_root, recipe=TINY_COARSE_TO_FINE)
        choose_arithmetic(config)
        assert types_of_a_step(config) == {torch.float32}


@NO_GPU
@pytest.mark.skipif(has_bfloat16(), reason='this processor has bfloat16')
def test_a_processor_without_bfloat16_refuses_it_and_auto_says_why(data_root):
    with pytest.raises(InputError, match='arithmetic=float32'):
        choose_arithmetic(config_of(data_root, 'bfloat16'))
    assert 'has no bfloat16' in choose_arithmetic(config_of(data_root, 'auto'))


def test_an_unknown_one_is_refused_with_those_that_there_are(data_root):
    with pytest.raises(InputError, match=r"'half'.*'float32', 'bfloat16', 'auto'"):
        config_of(data_root, 'half')


@NO_GPU
def test_mixed_precision_needs_a_gpu(data_root):
    with pytest.raises(InputError, match='--amp needs a GPU'):
        choose_arithmetic(config_of(data_root), amp=True)


@pytest.mark.skipif(not has_bfloat16(), reason='there is no bfloat16 here')
def test_another_wrapper_keeps_its_own_arithmetic(data_root):
    config = config_of(data_root, 'auto')
    config.optim_wrapper.type = 'AmpOptimWrapper'
    with pytest.raises(InputError, match='AmpOptimWrapper'):
        choose_arithmetic(config)
