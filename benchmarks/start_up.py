"""How long from the start of a process to the first answer, and what does an installation take?

``cephalometric predict XRAY`` is run with the model that ships, in a process of its own each time, from its start to
its end: tables and picture are written too. The first run of each kind brings the files into the page cache and is not
counted; then the kinds take turns. Printed are medians of wall time, processor time (which other work on the machine
disturbs less) and peak resident memory. PyTorch is there for comparison.

With --pythons, ``pip install ./mmpose_package`` is run for each in a fresh environment without pip's cache, so that its
seconds hold the downloads, and the prediction is measured there too. Disk is what the environment has gained by it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import cv2
from preparation import measure

from cephalometric.phantom.rendering import make_phantom

EXAMPLE = """example:
  python benchmarks/start_up.py --xray film.jpg --pythons python3.10 python3.12
"""
PACKAGE = Path(__file__).resolve().parents[1] / 'mmpose_package'


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        xray = args.xray or synthetic_xray(folder)
        print(f'{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} at the start\n')
        kinds = {(version(sys.executable), 'ONNX Runtime'): [sys.executable]}
        if find_spec('torch'):
            kinds[version(sys.executable), 'PyTorch'] = [sys.executable]
        if args.pythons:
            print('| fresh environment | pip install | disk MB | packages |\n|---|---:|---:|---:|')
        for number, python in enumerate(args.pythons):
            environment = folder / f'environment{number}'
            print(f'| {" | ".join(install(python, environment))} |', flush=True)
            # -I: nothing that PYTHONPATH names is found there.
            kinds[f'{version(python)}, fresh', 'ONNX Runtime'] = [environment / 'bin' / 'python', '-I']
        print_start_up(kinds, xray, folder / 'results', args.runs)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--xray', type=Path, metavar='FILE', help='the X-ray (default: a synthetic one)')
    parser.add_argument('--runs', type=int, default=5, help='of each kind, after the first (default: %(default)s)')
    parser.add_argument('--pythons', nargs='+', default=[], metavar='PYTHON', help='also install for each of these')
    return parser.parse_args()


def synthetic_xray(folder: Path) -> Path:
    path = folder / 'synthetic.png'
    cv2.imwrite(str(path), make_phantom(0).image)
    return path


def version(python: str) -> str:
    said = subprocess.run([python, '-V'], check=True, stdout=subprocess.PIPE, text=True)
    return said.stdout.strip()


def install(python: str, environment: Path) -> list[str]:
    """Install the package; the cells of the environment's row."""
    subprocess.run([python, '-m', 'venv', environment], check=True)
    before = disk_mb(environment)
    pip = [environment / 'bin' / 'python', '-I', '-m', 'pip', '--disable-pip-version-check']
    seconds, cpu_seconds, _ = measure([*pip, 'install', '--no-cache-dir', PACKAGE])
    listed = subprocess.run([*pip, 'list', '--format', 'freeze'], check=True, stdout=subprocess.PIPE, text=True)
    packages = [line for line in listed.stdout.splitlines() if not line.startswith(('pip=', 'setuptools='))]
    gained = disk_mb(environment) - before
    return [version(python), f'{seconds:.0f} s ({cpu_seconds:.0f} s CPU)', f'{gained:.0f}', f'{len(packages)}']


def disk_mb(folder: Path) -> float:
    """Megabytes (10^6 bytes) that the files take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob('*')) / 1e6


def print_start_up(kinds: dict[tuple[str, str], list], xray: Path, out: Path, runs: int) -> None:
    found = {kind: [] for kind in kinds}
    for _ in range(1 + runs):
        for (name, backend), python in kinds.items():
            # As a user calls it: what computes is chosen by itself, which is ONNX Runtime.
            flags = ['--backend', 'torch'] if backend == 'PyTorch' else []
            command = [*python, '-m', 'cephalometric', 'predict', xray, '--out', out, '--overwrite', *flags]
            found[name, backend].append(measure(command))
    print(f'\nMedians of {runs} runs:\n\n| environment | by | wall s | CPU s | peak MB |\n|---|---|---:|---:|---:|')
    for (name, backend), measured in found.items():
        seconds, cpu_seconds, memory_mb = map(statistics.median, zip(*measured[1:], strict=True))
        print(f'| {name} | {backend} | {seconds:.2f} | {cpu_seconds:.2f} | {memory_mb:.0f} |')


if __name__ == '__main__':
    main()
