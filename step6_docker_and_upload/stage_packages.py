#!/usr/bin/env python3
"""Put packages of one's own where the image's models import them from.

build.sh calls it with every --with FOLDER. A folder of the repository keeps its path, so that projects/example is
imported as projects.example; another one is imported by its own name.
"""

import argparse
import re
import shutil
import sys
from importlib import metadata
from keyword import iskeyword
from pathlib import Path

from cephalometric.errors import InputError, run_step

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = 'requirements.txt', 'requirements-mmpose.txt'
# No caches, no hidden files, and none of what the platform must not get from a working folder.
LEFT_OUT = shutil.ignore_patterns('__pycache__', '.*')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folders', type=Path, nargs='*', metavar='FOLDER', help='a Python package')
    parser.add_argument('--out', type=Path, required=True, help='the folder to put them in, which holds the other code')
    return parser.parse_args()


def dotted_path(folder: Path) -> tuple[str, ...]:
    """The names by which a folder is imported.

    Raises:
        InputError: It is no folder, no package, or cannot be imported by that name.
    """
    place = folder.expanduser().resolve()
    if not place.is_dir():
        raise InputError(f'--with {folder}: there is no such folder: name the folder of a Python package')
    if not (place / '__init__.py').is_file():
        raise InputError(f'--with {folder}: no Python package, which holds __init__.py: name the folder of one')
    parts = place.relative_to(ROOT).parts if ROOT in place.parents else (place.name,)
    for part in parts:
        if not part.isidentifier() or iskeyword(part):
            raise InputError(f'--with {folder}: Python cannot import a folder that is called {part!r}: rename it')
    return parts


def check_name(folder: Path, parts: tuple[str, ...], out: Path) -> None:
    """That nothing else in the image is called so.

    Raises:
        InputError: Something is.
    """
    owners = {name.lower().replace('_', '-') for name in metadata.packages_distributions().get(parts[0], ())}
    taken = parts[0] in sys.stdlib_module_names or owners & toolkits_packages()
    if taken or out.joinpath(*parts).exists():
        raise InputError(
            f'--with {folder}: another module of the image is imported as {".".join(parts[:1] if taken else parts)}: '
            'rename the folder'
        )


def toolkits_packages() -> set[str]:
    lines = [line for name in REQUIREMENTS for line in (ROOT / name).read_text().splitlines()]
    return {re.split('[^A-Za-z0-9_.-]', line)[0].lower().replace('_', '-') for line in lines} - {''}


def stage(folder: Path, out: Path) -> str:
    parts = dotted_path(folder)
    check_name(folder, parts, out)
    try:
        shutil.copytree(folder.expanduser(), out.joinpath(*parts), ignore=LEFT_OUT)
        for depth in range(1, len(parts)):
            above = Path(*parts[:depth], '__init__.py')
            if (ROOT / above).is_file():
                shutil.copyfile(ROOT / above, out / above)
    except (OSError, shutil.Error) as error:
        raise InputError(f'--with {folder}: cannot be copied: {error}') from None
    return '.'.join(parts)


def main() -> None:
    args = parse_args()
    for folder in args.folders:
        print(f'Package: {stage(folder, args.out)} ({folder})')


if __name__ == '__main__':
    run_step(main)
