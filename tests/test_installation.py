"""Step 1's checks: they pass here, and fail with a remedy where something is wrong."""

import pytest
from conftest import ROOT, TINY_RECIPE, run_python

from cephalometric.installation import check_installation


def test_step1_passes_on_this_machine():
    out = run_python('step1_test_mmpose.py').stdout
    assert 'All checks passed.' in out and 'FAILED' not in out
    for recipe in (ROOT / 'cldetection_configs').glob('*.py'):
        assert f'[ok] {recipe.stem}' in out
    for name in ('torch ', 'torchvision', 'mmcv-lite', 'mmpose', 'numpy', 'device'):
        assert name in out


def test_a_config_that_does_not_run_fails_with_a_remedy_and_the_rest_goes_on(tmp_path):
    (tmp_path / 'a_broken.py').write_text('codec = dict()')
    (tmp_path / 'b_good.py').write_text(f"_base_ = '{TINY_RECIPE}'")
    (tmp_path / 'c_odd.py').write_text(f"_base_ = '{TINY_RECIPE}'\ncodec = dict(input_size=(72, 72))")
    checks = {check.name.split()[0]: check for check in check_installation(tmp_path)}
    assert not checks['a_broken'].passed and 'landmark_set' in checks['a_broken'].detail
    assert str(tmp_path / 'a_broken.py') in checks['a_broken'].remedy
    assert checks['b_good'].passed
    assert not checks['c_odd'].passed


def test_step1_exits_non_zero_when_a_check_fails(tmp_path):
    (tmp_path / 'broken.py').write_text('codec = dict()')
    done = run_python('step1_test_mmpose.py', '--configs', tmp_path, check=1)
    assert '1 checks failed' in done.stdout and 'remedy' in done.stdout and 'Traceback' not in done.stderr


def test_a_folder_without_a_config_has_not_passed_the_checks(tmp_path):
    for folder in ('nowhere', tmp_path):
        done = run_python('step1_test_mmpose.py', '--configs', folder, check=2)
        assert str(folder) in done.stderr and done.stderr.count('\n') == 1 and 'passed' not in done.stdout


@pytest.mark.parametrize('number', range(1, 6))
def test_every_step_has_help_with_an_example(number):
    (script,) = ROOT.glob(f'step{number}_*.py')
    assert f'python {script.name}' in run_python(script, '--help').stdout


@pytest.mark.parametrize('exists', [True, False])
def test_a_folder_without_configs_is_no_success(tmp_path, exists):
    folder = tmp_path / 'nowhere'
    if exists:
        folder.mkdir()
    done = run_python('step1_test_mmpose.py', '--configs', folder, check=2)
    assert f'error: --configs {folder}: no such folder, or no config' in done.stderr and not done.stdout.strip()
