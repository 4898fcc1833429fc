"""What does a prediction cost with each recipe, against HRNet-W32 at 512 x 512 through MMPose's inference_topdown?

Of each recipe a model folder is made with random weights, which cost as much as trained ones. It is measured by ONNX
Runtime and by PyTorch, each in a process of its own, on synthetic X-rays of full size: parameters, median seconds an
X-ray, and the peak of resident memory. They take turns, so that a busy moment of the machine does not fall on one of
them alone; the ratios are between medians of one run. What PyTorch alone can compute has no line of ONNX Runtime.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

CONFIGS = Path(__file__).parents[1] / 'cldetection_configs'
REFERENCE = 'td-hm_hrnet-w32_udp-8xb64-250e-512x512_KeypointMSELoss'
TOPDOWN = "MMPose's inference_topdown"
RECIPES = (
    'cpu_hrnet-w18s_udp-1xb8-45e-256x320',
    'rtmpose-m_8xb256-420e-512x512',
    REFERENCE,
    'cpu_coarse-to-fine_1xb4-40e',
    'gpu_coarse-to-fine_1xb16-120e',
)
EXAMPLE = 'example:\n  python benchmarks/cost.py --rounds 3 --images 5 --landmarks isbi2015\n'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rounds', type=int, default=3, help='how many processes for each recipe [%(default)s]')
    parser.add_argument('--images', type=int, default=5, help='X-rays in each of them [%(default)s]')
    parser.add_argument('--landmarks', default='cldetection2023', help='the set, as in step 2 [%(default)s]')
    parser.add_argument('--measure', nargs=2, metavar=('FOLDER', 'HOW'), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        folder, how = args.measure
        print(json.dumps(measure(Path(folder), how, args.images)))
        return
    with tempfile.TemporaryDirectory() as name:
        parameters, jobs = {}, []
        # In another process: Linux never says less for the peak of a process than for that of the one that started it.
        with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as maker:
            for recipe in RECIPES:
                made = maker.submit(make_model, recipe, args.landmarks, Path(name, recipe))
                parameters[recipe], backends = made.result()
                jobs += [(recipe, backend) for backend in backends]
        jobs.append((REFERENCE, TOPDOWN))
        found = {job: [] for job in jobs}
        for _ in range(args.rounds):
            for recipe, how in jobs:
                found[recipe, how].append(run(Path(name, recipe), how, args.images))
    print_table(found, parameters)


def make_model(recipe: str, landmarks: str, folder: Path) -> tuple[int, list[str]]:
    """Write a model folder with random weights.

    Returns:
        How many parameters it has, and what can compute it.
    """
    from cephalometric.training.model_writing import write_model
    from cephalometric.training.recipe import load_config
    from cephalometric.training.torch_networks import build_model

    config = load_config(CONFIGS / f'{recipe}.py', landmark_set=landmarks)
    model = build_model(config)
    description = write_model(config, {'state_dict': model.state_dict()}, folder)
    backends = ['onnxruntime', 'torch'] if description.networks else ['torch']
    return sum(weights.numel() for weights in model.parameters()), backends


def run(folder: Path, how: str, images: int) -> dict:
    job = ('--measure', str(folder), how, '--images', str(images))
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', __file__, *job], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder: Path, how: str, images: int) -> dict:
    from cephalometric.phantom.rendering import make_phantom

    xrays = [make_phantom(seed).image for seed in range(images)]
    predict = inference_topdown_of(folder) if how == TOPDOWN else predictor_of(folder, how)
    predict(xrays[0])
    seconds = []
    for xray in xrays:
        start = time.perf_counter()
        predict(xray)
        seconds.append(time.perf_counter() - start)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {'seconds': statistics.median(seconds), 'memory_mb': memory_mb}


def predictor_of(folder: Path, backend: str) -> Callable:
    from cephalometric.api import load_model

    return load_model(folder, backend=backend).predictor.predict


def inference_topdown_of(folder: Path) -> Callable:
    from mmpose.apis import inference_topdown

    from cephalometric.prediction.model_folder import CONFIG
    from cephalometric.training.torch_networks import build_model, read_config_data

    config = read_config_data(folder / CONFIG)
    model = build_model(config)
    model.cfg, model.dataset_meta = config, {}  # As MMPose's init_model leaves them.
    return lambda xray: inference_topdown(model, np.repeat(xray[..., None], 3, axis=2))


def print_table(found: dict[tuple[str, str], list[dict]], parameters: dict[str, int]) -> None:
    def median(job: tuple[str, str], name: str) -> float:
        return statistics.median(result[name] for result in found[job])

    reference = median((REFERENCE, TOPDOWN), 'seconds')
    print(f'{os.cpu_count()} processors')
    print('| recipe | by | million parameters | s an X-ray | times faster | peak MB |')
    print('|---|---|---:|---:|---:|---:|')
    for job in found:
        recipe, how = job
        seconds = median(job, 'seconds')
        print(
            f'| {recipe} | {how} | {parameters[recipe] / 1e6:.1f} | {seconds:.2f} | '
            f'{reference / seconds:.1f} | {median(job, "memory_mb"):.0f} |'
        )


if __name__ == '__main__':
    main()
