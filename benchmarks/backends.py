"""How many seconds does an X-ray take by PyTorch and by ONNX Runtime?

Both predict the same X-rays in turn, one X-ray at a time, each in a process of its own: whole calls of the predictor,
from the pixels to the landmarks, without reading the file and without the search for the orientation. The median of all
calls counts, and beside it the fastest, which other work on the machine disturbs less.
"""

import argparse
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from cephalometric.api import Model, load_model
from cephalometric.errors import run_step
from cephalometric.phantom.rendering import make_phantom
from cephalometric.prediction.model_folder import DEFAULT, find_model_folder, read_description
from cephalometric.xrays.reading import find_xrays, read_xrays

EXAMPLE = """example:
  taskset -c 0,1 python benchmarks/backends.py --model isbi2015 work_dirs/cpu_hrnet --xrays images/*.png
"""
BACKENDS = ('torch', 'onnxruntime')
model: Model  # Of a worker process.


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--model', nargs='+', default=[DEFAULT], help='each is measured alone (default: %(default)s)')
    parser.add_argument('--xrays', nargs='+', metavar='INPUT', help='X-rays (default: 5 synthetic ones)')
    parser.add_argument('--rounds', type=int, default=3, help='how often each X-ray is predicted (default: 3)')
    return parser.parse_args()


def load(name: str, backend: str) -> None:
    global model
    model = load_model(name, calibration=False, backend=backend)


def predict(xray: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds of a call, and the landmarks."""
    start = time.perf_counter()
    points_px = model.predictor.predict(xray).points_px
    return time.perf_counter() - start, points_px


def measure(name: str, xrays: list[np.ndarray], rounds: int) -> list[str]:
    """The cells of a model's row."""
    why_not = read_description(find_model_folder(name)).why_no_networks
    if why_not:
        return [name, '', f'not possible: {why_not}', '', '']
    spawn = multiprocessing.get_context('spawn')
    workers = [ProcessPoolExecutor(1, spawn, load, (name, backend)) for backend in BACKENDS]
    seconds, distances_px = [], []
    for xray in [xrays[0], *xrays * rounds]:
        (torch_s, torch_px), (onnx_s, onnx_px) = [worker.submit(predict, xray).result() for worker in workers]
        seconds.append((torch_s, onnx_s))
        distances_px.append(np.linalg.norm(torch_px - onnx_px, axis=1).max())
    for worker in workers:
        worker.shutdown()
    # The first call is to warm up.
    torch, onnx = ((statistics.median(times[1:]), min(times[1:])) for times in zip(*seconds, strict=True))
    times_faster = [f'{slow / fast:.2f}' for slow, fast in zip(torch, onnx, strict=True)]
    in_words = ['{:.3f} s ({:.3f} s)'.format(*backend) for backend in (torch, onnx)]
    return [name, *in_words, '{} ({})'.format(*times_faster), f'{max(distances_px):.4f} px']


def main() -> None:
    args = parse_args()
    if args.xrays:
        xrays = [xray.image for path in find_xrays(args.xrays) for xray in read_xrays(path)]
    else:
        xrays = [make_phantom(seed).image for seed in range(5)]
    print('| model | PyTorch: median (fastest) | ONNX Runtime | times faster | farthest landmark |')
    print('|---|---:|---:|---:|---:|')
    for name in args.model:
        print(f'| {" | ".join(measure(name, xrays, args.rounds))} |', flush=True)


if __name__ == '__main__':
    run_step(main)
