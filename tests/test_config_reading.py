"""A config file is a program of the user's: whatever is wrong with it is one line that says where."""

import sys

import pytest
from conftest import TINY_RECIPE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmengine.config import Config
from mmengine.registry import Registry

from cephalometric.errors import InputError
from cephalometric.training.config_reading import building, first_line, read_config


def line_of_error(path):
    with pytest.raises(InputError) as error:
        read_config(path)
    message = str(error.value)
    assert '\n' not in message and str(path) in message
    return message


@pytest.mark.parametrize(
    ('content', 'place', 'reason'),
    [
        ('import a_package_not_here\n', ', line 1', "No module named 'a_package_not_here': install the package"),
        ('x = 1\n\ny = x / 0\n', ', line 3', 'ZeroDivisionError: division by zero'),
        ("def f():\n    return {}['q']\n\n\ny = f()\n", ', line 2', "KeyError: 'q' is not known here"),
        ('import sys\n\nsys.exit(3)\n', ', line 3', 'SystemExit'),
        ("assert False, 'one\\ntwo'\n", ', line 1', 'AssertionError: one'),
        ('raise BaseException\n', ', line 1', 'BaseException: no reason given'),
        ('class E(Exception):\n    __str__ = None\n\n\nraise E\n', ', line 5', 'E: no reason given'),
        ('x = (\n', ', line 1', "'(' was never closed"),
        ('x = 1\n  y = 2\n', ', line 2', 'unexpected indent'),
        ('x = 1\0\n', '', 'null bytes'),
        ('x = unknown_name\n', ', line 1', "NameError: name 'unknown_name' is not defined"),
        ("_base_ = '{path}'\n", '', 'it inherits from itself'),
        ('_base_ = 5\n', '', 'not a config'),
        ("_base_ = 'gone.py'\n", '', 'missing'),
        ("_base_ = '{recipe}'\nx = _base_.gone\n", ', line 2', 'gone'),
        (
            'from mmengine.config import read_base\n\nwith read_base():\n    from .x import *\n',
            ', line 4',
            'by _base_ =',
        ),
    ],
)
def test_where_and_why_a_config_cannot_be_read(tmp_path, content, place, reason):
    path = tmp_path / 'recipe.py'
    path.write_text(content.replace('{path}', str(path)).replace('{recipe}', str(TINY_RECIPE)))
    message = line_of_error(path)
    assert message.startswith(f'{path}{place}: ') and reason in message


@pytest.mark.parametrize(
    ('name', 'content'), [('a.json', '{'), ('a.json', '[]'), ('a.yaml', ':\n - ['), ('a.txt', 'x'), ('a.py', None)]
)
def test_other_files_are_named_too(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_text(content)
    line_of_error(tmp_path / name)


def test_a_folder_is_no_config(tmp_path):
    assert 'is a folder' in line_of_error(tmp_path)


@pytest.mark.parametrize('encoding', ['gb18030', 'utf-16', 'utf-8-sig', 'shift_jis'])
def test_another_encoding_is_named_with_the_line_and_the_remedy(tmp_path, encoding):
    path = tmp_path / 'recipe.py'
    path.write_bytes(f"_base_ = '{TINY_RECIPE}'\n# 頭影\n".encode(encoding))
    message = line_of_error(path)
    assert 'save it' in message and 'UTF-8' in message
    assert f', line {1 if encoding.startswith("utf") else 2}: ' in message


def test_the_file_that_is_at_fault_is_named_and_not_only_the_one_that_inherits(tmp_path):
    (tmp_path / 'base.py').write_text('x = 1\ny = x / 0\n')
    (tmp_path / 'recipe.py').write_text("_base_ = 'base.py'\n")
    message = line_of_error(tmp_path / 'recipe.py')
    assert f'recipe.py inherits from {tmp_path / "base.py"}, line 2: not a config: ZeroDivisionError' in message


def test_a_package_may_be_imported(tmp_path):
    (tmp_path / 'recipe.py').write_text(f"import numpy as np\n_base_ = '{TINY_RECIPE}'\nx = float(np.log2(8))\n")
    config = read_config(tmp_path / 'recipe.py')
    assert config.x == 3 and 'np' not in config and config.codec.sigma == 2


@pytest.mark.parametrize(
    ('imports', 'reason'),
    [
        ("dict(imports=['my_hooks_that_are_not_there'])", 'my_hooks_that_are_not_there: ModuleNotFoundError'),
        ("dict(imports='module_of_a_user')", '/module_of_a_user.py, line 2)'),
        ("['module_of_a_user']", "must be dict(imports=['module', ...])"),
        ('dict(imports=[5])', "must be dict(imports=['module', ...])"),
    ],
)
def test_a_module_that_a_config_imports_is_named(tmp_path, monkeypatch, imports, reason):
    (tmp_path / 'module_of_a_user.py').write_text('x = 1\ny = x / 0\n')
    (tmp_path / 'recipe.py').write_text(f'custom_imports = {imports}\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert reason in line_of_error(tmp_path / 'recipe.py')
    assert 'module_of_a_user' not in sys.modules


def test_a_module_that_may_be_missing_is_a_warning(tmp_path):
    (tmp_path / 'recipe.py').write_text("custom_imports = dict(imports=['not_there'], allow_failed_imports=True)\n")
    with pytest.warns(UserWarning, match='not_there'):
        assert isinstance(read_config(tmp_path / 'recipe.py'), Config)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.booleans())
def test_whatever_stands_in_a_file_is_a_config_or_one_line(tmp_path, content, appended):
    path = tmp_path / 'recipe.py'
    path.write_bytes((f"_base_ = '{TINY_RECIPE}'\n".encode() if appended else b'') + content)
    try:
        assert isinstance(read_config(path), Config)
    except InputError as error:
        assert '\n' not in str(error) and str(path) in str(error)


def test_what_a_class_of_a_config_does_not_take_is_one_line_and_a_defect_is_none():
    registry = Registry('things')

    @registry.register_module()
    class Thing:
        def __init__(self, size):
            if size < 1:
                raise ValueError('size must be positive\nand small')

    for part in ({'type': 'Thing', 'size': 0}, {'type': 'Thing', 'seize': 1}, {'type': 'Thin'}):
        with pytest.raises(InputError, match=r'^recipe\.py: cannot be built: ') as error, building('recipe.py'):
            registry.build(part)
        assert '\n' not in str(error.value)
    with pytest.raises(TypeError), building('recipe.py'):
        len(5)


def test_the_first_line_of_any_exception():
    assert first_line(ValueError('\n a\nb')) == 'a' and first_line(ValueError()) == 'no reason given'
