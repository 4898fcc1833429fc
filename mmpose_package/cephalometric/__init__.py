"""Cephalometric landmark detection: lateral skull X-rays in, landmarks and measurements out.

>>> import cephalometric as ceph
>>> model = ceph.load_model()
>>> result = model.predict('film.png')

For research; not a medical device. ``docs/python.md`` describes the API.
"""

from importlib import import_module

__version__ = '0.2.0'
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


def __getattr__(name: str) -> object:
    # Lazily, so that importing the package takes no time and needs nothing that is not used.
    if name in __all__:
        return getattr(import_module('cephalometric.api'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
