"""An archive: do time and memory of ``predict``, ``merge`` and ``measure`` stay in proportion, and is nothing lost?

For each number of X-rays a folder ``patientN/DICOM/film.png`` of links to a few tiny ones is made, and a model of the
tiny recipe with random weights, whose networks take little. Then

- the run is killed by SIGKILL at a random moment, as often as --kills says, and gone on with by ``--resume``;
- each X-ray must be in the results once, in the order of the files, with a name and a drawing of its own;
- the same is predicted in parts, which are joined: all files must be the same to the byte;
- ``measure`` reads the results.

Printed are the seconds and the peak of resident memory of the main process (the workers' does not depend on the
number), and what naming alone takes. It needs PyTorch, for the model, and Linux, for the memory.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

from cephalometric.phantom.rendering import make_phantom
from cephalometric.xrays.xray_names import name_xrays

EXAMPLE = """example:
  python benchmarks/archive.py --counts 1000 10000 100000
"""
ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / 'tests' / 'tiny_recipe.py'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--counts', type=int, nargs='+', default=[1000, 10000], help='X-rays [%(default)s]')
    parser.add_argument('--model', type=Path, help='a model folder (default: the tiny recipe with random weights)')
    parser.add_argument('--kills', type=int, default=2, help='how often a run is killed [%(default)s]')
    parser.add_argument('--parts', type=int, default=4, help='parts to join; 0 for none [%(default)s]')
    args = parser.parse_args()
    faults = 0
    print('| X-rays | what | seconds | peak MB |\n|---:|---|---:|---:|')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = args.model or folder / 'model'
        if args.model is None:
            subprocess.run([sys.executable, '-c', MAKE_MODEL, RECIPE, model], check=True, capture_output=True)
        for count in args.counts:
            faults += try_archive(folder, model.resolve(), count, args.kills, args.parts)
    sys.exit(faults > 0)


MAKE_MODEL = """
import sys
from pathlib import Path
from cephalometric.training.config import load_config
from cephalometric.training.model_writing import write_model
from cephalometric.training.torch_networks import build_model
config = load_config(sys.argv[1], landmark_set='isbi2015')
write_model(config, {'state_dict': build_model(config).state_dict()}, Path(sys.argv[2]))
"""


def try_archive(folder: Path, model: Path, count: int, kills: int, parts: int) -> int:
    """Try all with so many X-rays; returns the number of faults, which are printed."""
    archive, out = folder / f'archive{count}', folder / f'out{count}'
    make_archive(archive, count)
    paths = sorted(map(str, archive.rglob('*.png')))
    begin = time.process_time()
    name_xrays(paths)
    print(f'| {count} | names alone | {time.process_time() - begin:.1f} | |', flush=True)
    words = ('predict', archive, '--recursive', '--model', model, '--upright', '--resume')
    chance, seconds = random.Random(count), 10 + 0.01 * count
    for _ in range(kills):
        run(count, 'predict, killed', [*words, '--out', out], kill_after_s=chance.uniform(0.2, 0.8) * seconds)
    run(count, 'predict, gone on with', [*words, '--out', out])
    faults = check(out, archive, count)
    if parts:
        made = [folder / f'part{count}_{n}' for n in range(1, parts + 1)]
        for n, part in enumerate(made, start=1):
            run(count, f'part {n}/{parts}', [*words, '--shard', f'{n}/{parts}', '--out', part])
        run(count, 'merge', ['merge', *made, '--out', folder / f'joined{count}'])
        if checksums(folder / f'joined{count}') != checksums(out):
            print('FAULT: parts that are joined are not the same as one run')
            faults += 1
    measured = ['measure', out / 'predictions.json', '--out', folder / f'measured{count}', '--no-overlay']
    run(count, 'measure', measured)
    return faults


def make_archive(archive: Path, count: int) -> None:
    archive.mkdir()
    films = [cv2.imencode('.png', make_phantom(seed, 0.05).image)[1].tobytes() for seed in range(4)]
    sources: dict[int, Path] = {}
    for n in range(count):
        film = archive / f'patient{n:06d}' / 'DICOM' / 'film.png'
        film.parent.mkdir(parents=True)
        # File systems allow some ten thousand links to a file. Symbolic ones would be one X-ray that is named twice.
        if n % 10000 < len(films):
            film.write_bytes(films[n % len(films)])
            sources[n % len(films)] = film
        else:
            os.link(sources[n % len(films)], film)


def run(count: int, what: str, words: list, kill_after_s: float | None = None) -> None:
    """Run a command line, and print what it took."""
    begin, peak = time.monotonic(), 0.0
    command = [sys.executable, '-m', 'cephalometric', *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    os.set_blocking(process.stderr.fileno(), False)
    said = b''
    while process.poll() is None:
        peak = max(peak, peak_mb(process.pid))
        said = (said + (process.stderr.read() or b''))[-2000:]
        if kill_after_s is not None and time.monotonic() - begin > kill_after_s:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.1)
    status = process.wait()
    if status not in (0, -signal.SIGKILL):
        sys.exit(f'error: {what} ended with {status}: {said.decode(errors="replace")}')
    print(f'| {count} | {what} | {time.monotonic() - begin:.0f} | {peak:.0f} |', flush=True)


def peak_mb(pid: int) -> float:
    """The peak of resident memory of a process."""
    try:
        lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith('VmHWM')), 0.0)


def check(out: Path, archive: Path, count: int) -> int:
    """Whether each X-ray is there once, in order."""
    files, names, faults = [], set(), []
    with open(out / 'predictions.json', encoding='utf-8') as lines:
        for line in lines:
            if line.startswith('{"image": '):
                entry = json.loads(line.rstrip(',\n'))
                files.append(entry['file'])
                names.add(entry['image'])
    if files != [str(archive / f'patient{n:06d}' / 'DICOM' / 'film.png') for n in range(count)]:
        faults.append(f'{len(files)} X-rays of {count}, or not in order')
    drawn = {path.stem for path in (out / 'overlays').iterdir()}
    if len(names) != count or drawn != names:
        faults.append(f'{len(names)} names, {len(drawn)} drawings')
    for fault in faults:
        print(f'FAULT: {fault}')
    return len(faults)


def checksums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob('*')
        if path.is_file()
    }


if __name__ == '__main__':
    main()
