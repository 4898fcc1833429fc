#!/usr/bin/env python3
"""Put one or several trained models where process.py finds them: one model folder, or one with a folder for each.

build.sh calls it. A model that cannot be opened with what will be in the image is refused here, and not first on the
platform.
"""

import argparse
import shutil
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from cephalometric.api import load_model
from cephalometric.errors import InputError, run_step
from cephalometric.files import read_json
from cephalometric.phantom.rendering import make_phantom
from cephalometric.prediction.model_folder import CALIBRATION, CONFIG, DESCRIPTION, find_model_folder, read_description


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--model',
        nargs='+',
        metavar='MODEL',
        help='a model folder, or the work dir of step 3; several: an ensemble (default: the newest below --work-dirs)',
    )
    parser.add_argument(
        '--calibration', type=Path, metavar='JSON', help='of "cephalometric calibrate", as for an ensemble'
    )
    parser.add_argument('--checkpoint', type=Path, help='make a model folder of this checkpoint instead')
    parser.add_argument('--config', type=Path, help='its recipe (default: the one that training put beside it)')
    parser.add_argument('--landmarks', metavar='SET', help="its landmark set, by name or .json (default: the config's)")
    parser.add_argument('--work-dirs', type=Path, default='work_dirs', help='default: work_dirs')
    parser.add_argument('--runtime', default='torch', help="what computes the networks: build.sh's, default torch")
    parser.add_argument('--out', type=Path, required=True, help='the folder to fill')
    args = parser.parse_args()
    if args.model and args.checkpoint:
        raise InputError('say which model: --model FOLDER or --checkpoint CHECKPOINT, but not both')
    if (args.config or args.landmarks) and not args.checkpoint:
        raise InputError('--config and --landmarks belong to a --checkpoint; a model folder has its own')
    return args


def newest_model(work_dirs: Path) -> Path:
    found = sorted(work_dirs.glob(f'*/model/{DESCRIPTION}'), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InputError(f'{work_dirs} holds no */model: train a model with step 3, or say --model')
    return found[-1].parent


def stage_checkpoint(args: argparse.Namespace) -> list[Path]:
    try:
        # By name, because model folders need nothing of what training needs.
        models = import_module('cephalometric.training.checkpoint_models')
    except ModuleNotFoundError as error:
        raise InputError(f'{error.name} is missing: --checkpoint needs what training needs; give --model') from None
    xrays = [make_phantom(seed).image for seed in range(3)]
    models.write_checkpoint_model(args.checkpoint, args.out, args.config, args.landmarks, check_on=xrays)
    print(f'Model: {args.checkpoint}')
    return [args.out]


def stage_folders(folders: list[Path], out: Path) -> list[Path]:
    staged = [out]
    if len(folders) > 1:
        # Numbered, because those of two runs may be called the same.
        staged = [out / f'{number:02}_{name_of(folder)}' for number, folder in enumerate(folders, start=1)]
    for folder, target in zip(folders, staged, strict=True):
        shutil.copytree(folder, target, dirs_exist_ok=True)
        print(f'Model: {folder}')
    return staged


def check_graphs(models: Sequence[Path], staged: Sequence[Path], runtime: str) -> None:
    """That ONNX Runtime can compute the networks, where there is nothing else to do so.

    Raises:
        InputError: A model has no ONNX graphs.
    """
    for model, folder in zip(models, staged, strict=True):
        description = read_description(folder)
        if not description.networks:
            raise InputError(
                f'{model}: ONNX Runtime cannot compute its networks ({description.why_no_networks}): build it with '
                f'--runtime torch in place of {runtime}'
            )


def check_imports(staged: Sequence[Path]) -> bool:
    """That the modules which the models' configs import are in the image.

    Returns:
        Whether there are any besides the toolkit's own.

    Raises:
        InputError: One is missing.
    """
    others = set()
    for folder in staged:
        config = folder / CONFIG
        imports = read_json(config).get('custom_imports', {}) if config.is_file() else {}
        names = imports.get('imports') or []
        others |= {name for name in ([names] if isinstance(names, str) else names) if not is_ours(name)}
    for name in sorted(others):
        if not can_be_found(name):
            raise InputError(
                f'the model imports {name} (custom_imports of its config), which would not be in the image: add --with '
                'FOLDER, the folder of that package'
            )
    return bool(others)


def is_ours(name: str) -> bool:
    return name.partition('.')[0] == 'cephalometric'


def can_be_found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # That of a package above it.
        return False


def name_of(folder: Path) -> str:
    folder = folder.resolve()
    return folder.parent.name if folder.name == 'model' else folder.name


def main() -> None:
    args = parse_args()
    if args.checkpoint:
        folders, staged = [args.checkpoint], stage_checkpoint(args)
    else:
        folders = [find_model_folder(name) for name in args.model or [newest_model(args.work_dirs)]]
        staged = stage_folders(folders, args.out)
    if args.runtime == 'torch':
        # With a GPU PyTorch computes the networks, also those that have ONNX graphs.
        backend = 'torch' if check_imports(staged) and find_spec('torch') else 'auto'
    else:
        check_graphs(folders, staged, args.runtime)
        backend = 'onnxruntime'
    load_model(*staged, calibration=args.calibration, backend=backend)
    if args.calibration:
        shutil.copyfile(args.calibration, args.out / CALIBRATION)


if __name__ == '__main__':
    run_step(main)
