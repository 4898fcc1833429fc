"""How many X-rays a second does ``cephalometric predict`` read, predict, draw and write, against its networks alone?

All ways take turns over the same X-rays, so that a busy moment of the machine does not fall on one of them alone;
printed are medians of seconds an X-ray, and ratios of one run:

- networks alone: the model over X-rays that are in memory, by as many processes as there are workers, one thread each;
- reading and networks: the same from the files;
- whole runs with 1 worker, with 2, and with as many as there are cores (fewer if there are fewer), overlays included,
  less the time of a run over a single X-ray, which is that of starting; the seconds with it stand beside them;
- with --before COMMIT: the whole run as it was then, from a temporary worktree;
- with --busy: the last of these again, beside a program that keeps one core busy.
"""

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2

from cephalometric.parallel import usable_cores
from cephalometric.phantom.rendering import make_phantom

EXAMPLE = """example:
  python benchmarks/throughput.py --xrays films/ --count 100 --before d0486c9 --busy
"""
ROOT = Path(__file__).resolve().parents[1]
BUSY = 'while True: sum(range(10000))'


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = link_films(folder, args.xrays, args.count)
        first = folder / 'first'
        first.mkdir()
        os.link(films[0], first / films[0].name)
        ways = ways_of(folder, films, args)
        with before(args.before) as tree:
            if tree is not None:
                ways['before'] = lambda: whole_run(folder, tree)
            found = {way: [] for way in ways}
            start = {'now': [], 'before': []}
            for _ in range(args.rounds):
                for way, run in ways.items():
                    found[way].append(run())
                start['now'].append(whole_run(folder, ROOT, xrays='first'))
                if tree is not None:
                    start['before'].append(whole_run(folder, tree, xrays='first'))
        print_table(found, start, len(films))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--xrays', type=Path, metavar='FOLDER', help='pictures (default: synthetic X-rays as PNG)')
    parser.add_argument('--count', type=int, default=100, help='X-rays, repeated if need be [%(default)s]')
    parser.add_argument('--rounds', type=int, default=3, help='runs of each way [%(default)s]')
    parser.add_argument('--before', metavar='COMMIT', help='also the whole run of this commit')
    parser.add_argument('--busy', action='store_true', help='also beside a busy program')
    return parser.parse_args()


def link_films(folder: Path, given: Path | None, count: int) -> list[Path]:
    """A folder with so many X-rays, which are links to those that there are."""
    if given is None:
        made = folder / 'made'
        made.mkdir()
        for seed in range(8):
            cv2.imwrite(str(made / f'{seed}.png'), make_phantom(seed).image)
        given = made
    sources = sorted(path for path in given.iterdir() if path.is_file())
    (folder / 'films').mkdir()
    films = []
    for n in range(count):
        source = sources[n % len(sources)]
        films.append(folder / 'films' / f'film{n:05d}{source.suffix}')
        try:
            os.link(source, films[-1])
        except OSError:
            shutil.copy(source, films[-1])
    return films


def ways_of(folder: Path, films: list[Path], args: argparse.Namespace) -> dict[str, Callable[[], float]]:
    cores = usable_cores()
    some = sorted({1, min(2, cores), cores})
    ways = {}
    for workers in some:
        ways[f'networks alone, {workers}'] = lambda workers=workers: networks(films, workers, from_files=False)
        ways[f'reading and networks, {workers}'] = lambda workers=workers: networks(films, workers, from_files=True)
        ways[f'whole run, {workers}'] = lambda workers=workers: whole_run(folder, ROOT, '--workers', workers)
    if args.busy:
        ways[f'whole run, {cores}, busy'] = lambda: beside_a_busy_program(lambda: whole_run(folder, ROOT))
    return ways


def networks(films: list[Path], workers: int, from_files: bool) -> float:
    """Seconds of the model alone, in processes that have loaded it and, unless from files, the X-rays."""
    parts = [films[n::workers] for n in range(workers)]
    with ProcessPoolExecutor(workers, multiprocessing.get_context('spawn')) as pool:
        barrier = time.time() + 20 + 0.1 * len(films) / workers
        seconds = pool.map(_predict, parts, [from_files] * workers, [barrier] * workers)
        return max(seconds)


def _predict(films: list[Path], from_files: bool, begin: float) -> float:
    """Begins at the same moment as the other processes."""
    from cephalometric.api import load_model, read_xrays

    cv2.setNumThreads(1)
    model = load_model(threads=1)
    # A few are in memory and come again: all of an archive would not fit.
    xrays = [next(read_xrays(film)) for film in films[:8]]
    model.predict_batch(xrays[:1])
    time.sleep(max(0, begin - time.time()))
    start = time.perf_counter()
    for n, film in enumerate(films):
        model.predict_batch([next(read_xrays(film)) if from_files else xrays[n % len(xrays)]])
    return time.perf_counter() - start


def whole_run(folder: Path, tree: Path, *flags: object, xrays: str = 'films') -> float:
    """Seconds of a run from its start to its end."""
    out = folder / 'out'
    shutil.rmtree(out, ignore_errors=True)
    words = ['predict', folder / xrays, '--out', out, *flags]
    environment = os.environ | {'PYTHONPATH': str(tree / 'mmpose_package')}
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, '-m', 'cephalometric', *map(str, words)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f'error: {done.stderr[-2000:]}')
    return time.perf_counter() - start


def beside_a_busy_program(run: Callable[[], float]) -> float:
    busy = subprocess.Popen([sys.executable, '-c', BUSY])
    try:
        return run()
    finally:
        busy.kill()
        busy.wait()


@contextmanager
def before(commit: str | None) -> Iterator[Path | None]:
    """The files of a commit, in a temporary worktree."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name, 'tree')
        git = ['git', '-C', str(ROOT), 'worktree']
        subprocess.run([*git, 'add', '--detach', str(tree), commit], check=True, capture_output=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, 'remove', '--force', str(tree)], check=True, capture_output=True)


def print_table(found: dict[str, list[float]], start: dict[str, list[float]], count: int) -> None:
    starting = {tree: statistics.median(seconds) if seconds else 0.0 for tree, seconds in start.items()}
    print(f'{usable_cores()} cores, {count} X-rays, load average {os.getloadavg()[0]:.1f} at the end')
    print(
        f'a run over one X-ray: {starting["now"]:.2f} s'
        + (f'; before: {starting["before"]:.2f} s' if starting['before'] else '')
    )
    each = {}
    for way, seconds in found.items():
        one = starting['before' if way == 'before' else 'now'] if 'network' not in way else 0.0
        each[way] = (statistics.median(seconds) - one) / (count - (one > 0))
    print(
        '\n| way, workers | X-rays a second | ms an X-ray | with starting | against networks alone |\n'
        '|---|---:|---:|---:|---:|'
    )
    for way, seconds in each.items():
        workers = way.split(', ')[1] if ', ' in way else str(usable_cores())
        alone = each.get(f'networks alone, {workers}')
        ratio = f'{seconds / alone:.2f}' if alone else ''
        whole = 1000 * statistics.median(found[way]) / count
        print(f'| {way} | {1 / seconds:.1f} | {1000 * seconds:.0f} | {whole:.0f} | {ratio} |')
    cores = usable_cores()
    if 'before' in each:
        print(f'\nbefore / now: {each["before"] / each[f"whole run, {cores}"]:.1f} times')
    if cores > 1:
        print(f'1 worker / 2 workers: {each["whole run, 1"] / each["whole run, 2"]:.2f} times')


if __name__ == '__main__':
    main()
