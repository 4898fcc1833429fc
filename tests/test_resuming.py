"""Runs that are continued: from their own work dir, from another, from what is no checkpoint of a run."""

import shutil
from pathlib import Path

import pytest
import torch
from conftest import TINY_RECIPE
from mmengine.config import Config

from cephalometric.errors import InputError
from cephalometric.training.checkpoints import load_from_checked_file
from cephalometric.training.recipe import load_config
from cephalometric.training.run import train

# Workers take longer to start than these X-rays to load.
AT_ONCE = {
    f'{part}_dataloader.{name}': 0 for part in ('train', 'val') for name in ('num_workers', 'persistent_workers')
}
LONGER = AT_ONCE | {'train_cfg.max_epochs': 4}


def weights(path):
    return load_from_checked_file(str(path))['state_dict']


def same(a, b):
    first, second = weights(a), weights(b)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.fixture
def earlier(trained, tmp_path):
    """A copy of a work dir after three epochs, with its checkpoints alone."""
    folder = tmp_path / 'earlier'
    folder.mkdir()
    for path in trained.glob('*epoch_*.pth'):
        shutil.copy(path, folder)
    return folder


def change(checkpoint, **runtime_info):
    content = load_from_checked_file(str(checkpoint))
    content['message_hub']['runtime_info'] |= runtime_info
    content['message_hub']['resumed_keys'] |= dict.fromkeys(runtime_info, True)
    torch.save(content, checkpoint)


def test_a_run_that_goes_on_elsewhere_leaves_the_first_as_it_was_and_is_complete(earlier, data_root, tmp_path):
    (best,) = earlier.glob('best_*')
    # Whatever comes next is better, so that the best one so far has served its time.
    change(earlier / 'epoch_3.pth', best_score=1e6, best_ckpt=str(best))
    before, work_dir = contents(earlier), tmp_path / 'new'
    train(load_config(TINY_RECIPE, data_root, options=LONGER), work_dir, resume=str(earlier / 'epoch_3.pth'), seed=1)
    assert contents(earlier) == before
    assert sorted(path.name for path in work_dir.glob('*.pth')) == [
        'best_MRE_epoch_4.pth',
        'best_model_weight.pth',
        'epoch_3.pth',
        'epoch_4.pth',
    ]
    assert same(work_dir / 'best_model_weight.pth', work_dir / 'epoch_4.pth')
    with pytest.raises(InputError, match='continue it with --resume'):
        train(load_config(TINY_RECIPE, data_root), work_dir, resume=str(earlier / 'epoch_2.pth'))


def test_a_run_that_goes_on_elsewhere_and_gets_no_better_keeps_the_best_of_before(earlier, data_root, tmp_path):
    (best,) = earlier.glob('best_*')
    change(earlier / 'epoch_3.pth', best_score=-1.0, best_ckpt=str(best))
    work_dir = tmp_path / 'new'
    train(load_config(TINY_RECIPE, data_root, options=LONGER), work_dir, resume=str(earlier / 'epoch_3.pth'), seed=1)
    assert same(work_dir / 'best_model_weight.pth', best) and not list(work_dir.glob('best_MRE_epoch_4*'))


@pytest.mark.parametrize('elsewhere', [True, False])
def test_what_a_checkpoint_names_outside_of_the_work_dir_is_never_touched(earlier, data_root, tmp_path, elsewhere):
    precious = tmp_path / 'best_of_all_epoch_1.pth'
    precious.write_text('precious')
    (earlier / 'epoch_').mkdir()
    code = f"open({str(tmp_path / 'made_by_code')!r}, 'w')"
    content = load_from_checked_file(str(earlier / 'epoch_3.pth'))
    content['meta']['config'] = code  # MMEngine would run it.
    torch.save(content, earlier / 'epoch_3.pth')
    change(
        earlier / 'epoch_3.pth',
        best_ckpt=str(precious),
        best_score=1e6,
        last_ckpt=str(precious),
        keep_ckpt_ids=['/../../best_of_all_epoch_1', 1, 2, '/../../best_of_all_epoch_1', -1, True],
    )
    work_dir = tmp_path / 'new' if elsewhere else earlier
    resume = str(earlier / 'epoch_3.pth') if elsewhere else 'auto'
    train(load_config(TINY_RECIPE, data_root, options=LONGER), work_dir, resume=resume)
    assert precious.read_text() == 'precious' and not (tmp_path / 'made_by_code').exists()
    assert same(work_dir / 'best_model_weight.pth', work_dir / 'epoch_4.pth')
    exec(compile(code, 'config', 'exec'))  # The code is real: this is what is prevented.
    assert (tmp_path / 'made_by_code').exists()


def test_without_validation_a_resumed_run_keeps_its_last_weights_and_not_an_old_best(earlier, data_root):
    (best,) = earlier.glob('best_*')
    change(earlier / 'epoch_3.pth', best_score=-1.0, best_ckpt=str(best))
    train(load_config(TINY_RECIPE, data_root, options=LONGER), earlier, resume='auto', validate=False, seed=1)
    assert same(earlier / 'best_model_weight.pth', earlier / 'epoch_4.pth')


def test_the_config_in_the_work_dir_is_that_of_no_machine_and_of_no_run(trained, data_root, tmp_path):
    kept = Config.fromfile(trained / TINY_RECIPE.name)
    assert kept.load_from is None and kept.resume is False and kept.env_cfg.dist_cfg == {}
    assert not {'model_wrapper_cfg', 'launcher', 'work_dir'} & set(kept)
    # What is at hand is of the machine, too: where nothing is, the recipe still says what it starts from.
    source = 'http://localhost:9/nothing.pth'
    init = {'type': 'Pretrained', 'checkpoint': source}
    options = AT_ONCE | {'model.backbone.init_cfg': init, 'train_cfg.max_epochs': 1}
    config = load_config(TINY_RECIPE, data_root, options=options)
    train(config, tmp_path / 'run', validate=False)
    kept = Config.fromfile(tmp_path / 'run' / TINY_RECIPE.name)
    assert kept.model.backbone.init_cfg == config.model.backbone.init_cfg == init


def test_what_a_run_cannot_be_continued_from_is_named_before_anything_is_computed(trained, data_root, tmp_path):
    content = load_from_checked_file(str(trained / 'epoch_3.pth'))
    for name, changed in (
        ('nan.pth', {'state_dict': {name: value * float('nan') for name, value in content['state_dict'].items()}}),
        ('no_epoch.pth', {'meta': {}}),
        ('no_logs.pth', {'message_hub': {}}),
    ):
        torch.save(content | changed, tmp_path / name)
    torch.save({name: value for name, value in content.items() if name != 'optimizer'}, tmp_path / 'no_optimizer.pth')
    config = load_config(TINY_RECIPE, data_root)
    for path, expected in (
        (trained / 'best_model_weight.pth', 'not where the training stood .*by --load-from'),
        (tmp_path / 'no_optimizer.pth', 'no optimizer'),
        (tmp_path / 'nan.pth', 'not finite'),
        (tmp_path / 'no_epoch.pth', 'after which epoch'),
        (tmp_path / 'no_logs.pth', 'after which epoch'),
        (Path(__file__), 'not a checkpoint'),
    ):
        with pytest.raises(InputError, match=expected) as error:
            train(config, tmp_path / 'run', resume=str(path))
        assert str(path) in str(error.value) and '\n' not in str(error.value)
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (
            {'model.head.deconv_out_channels': (8,), 'model.head.deconv_kernel_sizes': (4,)},
            'of the .* tensors of the model',
        ),
        ({'optim_wrapper.optimizer': {'_delete_': True, 'type': 'Rprop', 'lr': 0.1}}, 'optimizer or schedule'),
    ],
)
def test_a_checkpoint_of_another_recipe_is_no_start(earlier, data_root, options, expected):
    before = contents(earlier)
    config = load_config(TINY_RECIPE, data_root, options=LONGER | options)
    with pytest.raises(InputError, match=expected):
        train(config, earlier, resume='auto')
    if 'tensors' in expected:
        with pytest.raises(InputError, match=expected):
            train(config, earlier.with_name('new'), resume=str(earlier / 'epoch_3.pth'))
        assert not list(earlier.with_name('new').glob('*.p*'))
    assert {path: content for path, content in contents(earlier).items() if path.suffix == '.pth'} == before
