"""Cephalometric landmark detection: lateral skull X-rays in, landmarks and measurements out.

>>> import cephalometric as ceph
>>> model = ceph.load_model()
>>> result = model.predict('film.png')

For research; not a medical device. ``docs/python.md`` describes the API.
"""

import os
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec

__version__ = '0.4.0'
__all__ = [
    'InputError',
    'Model',
    'Orientation',
    'Result',
    'Xray',
    '__version__',
    'load_analyses',
    'load_measurements',
    'load_model',
    'read_xrays',
]


# The start of the names of matplotlib's own.
OWN_BACKENDS = ('agg', 'cairo', 'gtk', 'macosx', 'nbagg', 'notebook', 'pdf', 'pgf', 'ps', 'qt', 'svg', 'template', 'tk')
OWN_BACKENDS += ('webagg', 'wx')


def _drop_foreign_backend() -> None:
    """Matplotlib cannot even be imported where MPLBACKEND names what is not installed.

    A notebook sets it for its own environment, and the programs that it starts in another one inherit it.
    """
    wanted = os.environ.get('MPLBACKEND', '')
    kind, _, module = wanted.partition('://')
    if not wanted:
        return
    if kind == 'module':
        known = find_spec(module.partition('.')[0] or '-') is not None
    else:
        known = wanted.lower().startswith(OWN_BACKENDS) or wanted in entry_points(group='matplotlib.backend').names
    if not known:
        del os.environ['MPLBACKEND']


_drop_foreign_backend()


def __getattr__(name: str) -> object:
    # Lazily, so that importing the package takes no time and needs nothing that is not used.
    if name in __all__:
        return getattr(import_module('cephalometric.api'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
