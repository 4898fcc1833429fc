"""Config files as they are read: whatever is wrong with one is one line that says where and what."""

import ast
import os
import sysconfig
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from mmengine.config import Config, ConfigDict

from cephalometric.errors import InputError
from cephalometric.training.named_lists import list_named_entries

OTHERS_CODE = tuple(
    os.path.join(folder, '')
    for folder in (sysconfig.get_paths()['stdlib'], *{sysconfig.get_paths()[name] for name in ('purelib', 'platlib')})
)


def read_config(path: str | Path) -> Config:
    """Read a config file, which may inherit by ``_base_``, and import the modules that it names in ``custom_imports``.

    What it says by names is a list then (see :mod:`cephalometric.training.named_lists`).

    Raises:
        InputError: The file, one that it inherits from or a module that it imports is missing or broken, or an entry of
            such a list is.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f'{path} is a folder: name a config, a .py file')
    if not path.is_file():
        raise InputError(f'{path}: no such config')
    try:
        # Not lazily: a file that imports a package is then read as any other.
        config = Config.fromfile(str(path), lazy_import=False, import_custom_modules=False)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # It is a program: it may raise anything, and may want to exit.
        raise InputError(_explained(path, error)) from None
    _import_modules(config, path)
    list_named_entries(config)
    return config


def _explained(path: Path, error: BaseException) -> str:
    trace = traceback.extract_tb(error.__traceback__)
    file = _file_being_read(error) or str(path)
    line = next((frame.lineno for frame in reversed(trace) if frame.filename == file), None)
    kind, reason = type(error).__name__, first_line(error)
    if isinstance(error, RecursionError):
        return f'{path}: not a config: it inherits from itself, by _base_'
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b'\n') + 1
        return f'{_place(path, file, line)}: not a config in UTF-8 ({reason}): save it in that encoding'
    if isinstance(error, FileNotFoundError) and line is None:
        return f'{path}: no such config, or it inherits from one that is missing ({reason})'
    text = Path(file).read_text('utf-8') if Path(file).is_file() else ''
    if text.startswith('\ufeff'):
        return f'{_place(path, file, 1)}: begins with a byte order mark: save it as UTF-8 without one'
    if 'read_base' in text:
        return f"{_place(path, file, line)}: read_base() is not understood here: inherit by _base_ = 'other_recipe.py'"
    if isinstance(error, SyntaxError):
        line, reason = _syntax_error(text)
    elif isinstance(error, ImportError):
        reason += ': install the package, or leave the import out'
    elif isinstance(error, KeyError):
        reason = f'{reason} is not known here'
    return f'{_place(path, file, line)}: not a config: {kind}: {reason}'


def _syntax_error(text: str) -> tuple[int | None, str]:
    """Line and reason: MMEngine names those of a copy that it has made."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return error.lineno, error.msg
    except ValueError as error:
        return None, str(error)
    return None, 'its _base_ is no name, or no list of names, in quotes'


def _place(path: Path, file: str, line: int | None) -> str:
    at = '' if line is None else f', line {line}'
    if os.path.realpath(file) == os.path.realpath(path):
        return f'{path}{at}'
    return f'{path} inherits from {file}{at}'


def _file_being_read(error: BaseException) -> str | None:
    """The file that MMEngine was reading, which may be one that the config inherits from."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == '_file2dict':
            found = trace.tb_frame.f_locals.get('filename', found)
        trace = trace.tb_next
    return found and os.path.abspath(os.path.expanduser(found))


def first_line(error: BaseException) -> str:
    """The first line of what an exception says."""
    try:
        return (str(error).strip().splitlines() or ['no reason given'])[0]
    except Exception:  # Of somebody's exception not even that is sure.
        return 'no reason given'


def _import_modules(config: Config, path: Path) -> None:
    custom = config.get('custom_imports')
    if not custom:
        return
    names = custom.get('imports') if isinstance(custom, Mapping) else None
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{path}: custom_imports must be dict(imports=['module', ...]), not {plain(config)['custom_imports']}"
        )
    for name in names:
        try:
            import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # A module may raise anything, too.
            reason = f'{path}: custom_imports: {name}: {type(error).__name__}: {first_line(error)}'
            if isinstance(error, ImportError) and custom.get('allow_failed_imports'):
                warnings.warn(reason, stacklevel=2)
                continue
            own = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]
            reason += f' ({own[-1].filename}, line {own[-1].lineno})' if own else ''
            missing = isinstance(error, ModuleNotFoundError)
            remedy = ': install the module, or say in PYTHONPATH which folder it is in' if missing else ''
            raise InputError(reason + remedy) from None


def _is_own(file: str) -> bool:
    return os.path.isabs(file) and not file.startswith(OTHERS_CODE) and file != os.path.abspath(__file__)


@contextmanager
def building(what: str) -> Iterator[None]:
    """Turn what MMEngine raises where a part of a config does not fit its class into one line.

    Args:
        what: What is built, for the message: the config's file, and its part where one is known.

    Raises:
        InputError: Arguments that a class does not take, or a class that nobody has registered.
    """
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, AssertionError, ImportError) as error:
        # Those that a class of the config raises while a registry builds it. All else is no fault of the config, and
        # keeps its traceback.
        if not any(frame.name == 'build_from_cfg' for frame in traceback.extract_tb(error.__traceback__)):
            raise
        raise InputError(f'{what}: cannot be built: {type(error).__name__}: {first_line(error)}') from error


def plain(config: Config | ConfigDict) -> dict:
    """A config as dicts and lists."""
    return (config._cfg_dict if isinstance(config, Config) else config).to_dict()
