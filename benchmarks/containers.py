#!/usr/bin/env python3
"""Step 6: what a stack costs in the container, by runtime, alone and as an ensemble of five.

Every image runs as on the platform: no network, 8 GB of memory without swap, no capabilities, 256 processes, a
read-only file system. A stack of 150 slices of 2880 x 2400 RGB holds phantoms that are padded with zeros, as the
challenge's are. The ensemble is the model five times, which costs what five models cost. Runs of the images take turns;
medians are printed, and the largest peak.

    step6_docker_and_upload/build.sh --image torch --model MODEL
    step6_docker_and_upload/build.sh --image small --model MODEL --runtime onnxruntime
    python benchmarks/containers.py MODEL --images torch small

The peak is that of the process (VmHWM) as this machine sees it, so that the engine has to run on it.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from cephalometric.errors import InputError, run_step
from cephalometric.files import read_json
from cephalometric.phantom.rendering import make_phantom
from cephalometric.prediction.model_folder import find_model_folder
from cephalometric.xrays.mha import write_stack

HEIGHT, WIDTH = 2400, 2880
DIFFERENT = 5
INTERVAL_S = 0.2
RESULT = 'orthodontic-landmarks.json'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', help='the model folder, or work dir, that is in the images')
    parser.add_argument('--images', nargs='+', required=True, metavar='IMAGE')
    parser.add_argument('--slices', type=int, default=150)
    parser.add_argument('--members', type=int, nargs='+', default=[1, 5], help='sizes of ensembles (default: 1 5)')
    parser.add_argument('--runs', type=int, default=3, help='of each image and ensemble (default: 3)')
    parser.add_argument('--memory', default='8g')
    parser.add_argument('--engine', default='docker')
    parser.add_argument('--folder', type=Path, help='for the stack, 3 GB for 150 slices (default: a temporary one)')
    return parser.parse_args()


def write_slices(path: Path, count: int) -> None:
    """A stack, uint8, in RGB; a few phantoms come again and again, with some zeros at their right and bottom."""
    slices = []
    for seed in range(min(count, DIFFERENT)):
        image = make_phantom(seed).image[:HEIGHT, :WIDTH]
        padded = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        padded[: image.shape[0], : image.shape[1]] = image if image.ndim == 3 else image[..., None]
        slices.append(padded)
    write_stack(path, (slices[number % len(slices)] for number in range(count)), count)


def peak_mb(process: str) -> float:
    """The most memory that a process has had at once; 0 when it is gone."""
    try:
        lines = Path('/proc', process, 'status').read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith('VmHWM:')), 0.0)


def run_container(engine: str, image: str, folder: Path, models: Path, memory: str) -> tuple[float, float]:
    """Seconds, start included, and peak in MB."""
    output = folder / 'output'
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    output.chmod(0o777)
    options = [
        '--network',
        'none',
        '--memory',
        memory,
        '--memory-swap',
        memory,
        '--cap-drop',
        'ALL',
        '--shm-size',
        '128m',
    ]
    options += ['--pids-limit', '256', '--security-opt', 'no-new-privileges', '--read-only', '--tmpfs', '/tmp']
    options += ['--volume', f'{folder / "input"}:/input/images/lateral-dental-x-rays:ro']
    options += ['--volume', f'{output}:/output', '--volume', f'{models}:/opt/ml/model:ro']
    start = time.monotonic()
    container = subprocess.check_output([engine, 'run', '--detach', *options, image], text=True).strip()
    try:
        waiting = subprocess.Popen([engine, 'wait', container], stdout=subprocess.PIPE, text=True)
        process = subprocess.check_output(
            [engine, 'inspect', '--format', '{{.State.Pid}}', container], text=True
        ).strip()
        peak = 0.0
        while waiting.poll() is None:
            peak = max(peak, peak_mb(process))
            time.sleep(INTERVAL_S)
        seconds = time.monotonic() - start
        status = waiting.stdout.read().strip()
        if status != '0':
            raise InputError(f'{image} ended with status {status}: {engine} run it as docs/container.md says')
    finally:
        subprocess.run([engine, 'rm', '--force', container], stdout=subprocess.DEVNULL, check=True)
    return seconds, peak


def points_of(folder: Path) -> np.ndarray:
    """Coordinates in the order of the result file, shape (slices * landmarks, 2)."""
    return np.array([point['point'][:2] for point in read_json(folder / 'output' / RESULT)['points']])


def measure(args: argparse.Namespace, folder: Path) -> None:
    source = find_model_folder(args.model)
    (folder / 'input').mkdir(exist_ok=True)
    write_slices(folder / 'input' / 'stack.mha', args.slices)
    print(f'{args.slices} slices of {WIDTH} x {HEIGHT} RGB, limit {args.memory}, medians of {args.runs} runs in turns')
    print('| members | image | s | slices/s | times the first | peak MB | px from the first |')
    print('|---|---|---|---|---|---|---|')
    for members in args.members:
        models = folder / f'models_{members}'
        for number in range(members):
            shutil.copytree(source, models / f'{number:02}', dirs_exist_ok=True)
        found = {image: [] for image in args.images}
        points = {}
        for _ in range(args.runs):
            for image in args.images:
                found[image].append(run_container(args.engine, image, folder, models, args.memory))
                points[image] = points_of(folder)
        first = statistics.median(seconds for seconds, _ in found[args.images[0]])
        for image, runs in found.items():
            seconds = statistics.median(seconds for seconds, _ in runs)
            peak = max(peak for _, peak in runs)
            apart = np.abs(points[image] - points[args.images[0]]).max()
            row = f'{seconds:.0f} | {args.slices / seconds:.2f} | {seconds / first:.2f} | {peak:.0f} | {apart:.6f}'
            print(f'| {members} | {image} | {row} |', flush=True)


def main() -> None:
    args = parse_args()
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        measure(args, args.folder.resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        measure(args, Path(folder))


if __name__ == '__main__':
    run_step(main)
