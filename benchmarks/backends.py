"""How many seconds does an X-ray take by PyTorch and by ONNX Runtime?

Each model is exported, and both backends predict the same X-rays in turn, one X-ray at a time, each in a process of its
own: whole calls of the predictor, from the pixels to the landmarks, without reading the file. The median of all calls
counts, and beside it the fastest, which other work on the machine disturbs less.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from cephalometric.errors import run_step
from cephalometric.phantom.rendering import make_phantom
from cephalometric.prediction.export import export_predictor
from cephalometric.prediction.predictor import CephalometricPredictor
from cephalometric.training.config import load_config
from cephalometric.xrays.reading import find_xrays, read_xrays

EXAMPLE = """example:
  taskset -c 0,1 python benchmarks/backends.py --landmarks isbi2015 --xrays images/*.png --model \\
      cldetection_configs/cpu_hrnet-w18s_udp-1xb8-45e-256x320.py work_dirs/cpu_hrnet/best_model_weight.pth
"""
predictor: CephalometricPredictor  # Of a worker process.


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--model', nargs=2, metavar=('CONFIG', 'PTH'), action='append', required=True, help='repeatable'
    )
    parser.add_argument('--landmarks', metavar='SET', help="landmark set (default: the config's)")
    parser.add_argument('--xrays', nargs='+', metavar='INPUT', help='X-rays (default: 5 synthetic ones)')
    parser.add_argument('--rounds', type=int, default=3, help='how often each X-ray is predicted (default: 3)')
    return parser.parse_args()


def load(config: str, checkpoint: str, landmarks: str | None, backend: str) -> None:
    global predictor
    predictor = CephalometricPredictor(load_config(config, landmark_set=landmarks), checkpoint, backend=backend)


def predict(xray: np.ndarray) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    predictor.predict(xray)
    return time.perf_counter() - start


def measure(config: str, checkpoint: str, landmarks: str | None, xrays: list[np.ndarray], rounds: int) -> list[str]:
    """The cells of a model's row."""
    spawn = multiprocessing.get_context('spawn')
    with tempfile.TemporaryDirectory() as folder:
        settings = load_config(config, landmark_set=landmarks)
        distance_px = export_predictor(settings, checkpoint, Path(folder) / 'export', xrays)
        files = {'torch': checkpoint, 'onnxruntime': f'{folder}/export/export.json'}
        workers = {
            backend: ProcessPoolExecutor(1, spawn, load, (config, file, landmarks, backend))
            for backend, file in files.items()
        }
        seconds = {backend: [] for backend in files}
        for xray in [xrays[0], *xrays * rounds]:
            for backend, worker in workers.items():
                seconds[backend].append(worker.submit(predict, xray).result())
        for worker in workers.values():
            worker.shutdown()
    torch, onnx = ((statistics.median(times[1:]), min(times[1:])) for times in seconds.values())
    times_faster = [f'{slow / fast:.2f}' for slow, fast in zip(torch, onnx, strict=True)]
    in_words = ['{:.3f} s ({:.3f} s)'.format(*backend) for backend in (torch, onnx)]
    return [Path(config).stem, *in_words, '{} ({})'.format(*times_faster), f'{distance_px:.4f} px']


def main() -> None:
    arguments = parse_arguments()
    if arguments.xrays:
        xrays = [xray.image for path in find_xrays(arguments.xrays) for xray in read_xrays(path)]
    else:
        xrays = [make_phantom(seed).image for seed in range(5)]
    print('| model | PyTorch: median (fastest) | ONNX Runtime | times faster | farthest landmark |')
    print('|---|---:|---:|---:|---:|')
    for config, checkpoint in arguments.model:
        cells = measure(config, checkpoint, arguments.landmarks, xrays, arguments.rounds)
        print(f'| {" | ".join(cells)} |', flush=True)


if __name__ == '__main__':
    run_step(main)
